"""What a person sees of a job: the live board, the plan, the page at the end. Rich tables only."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from talkingface_wild.core.counting import counted, human_bytes
from talkingface_wild.core.durations import clock
from talkingface_wild.core.reporter import Look, ProgressRow, Snapshot
from talkingface_wild.core.terminal import mute_closed_terminal

if TYPE_CHECKING:
    from talkingface_wild.cli.output import Output

LINE_EVERY_SECONDS = 10.0
_WIDEST_BAR = 24


class Board:
    """The one board of all verbs: live on a terminal, elsewhere a plain line every ten seconds.

    It is a ``Reporter``: what is said while it is live appears above it.
    """

    def __init__(
        self, output: Output, clock: Callable[[], float] = time.monotonic, live: bool = True
    ) -> None:
        """Without ``live`` it is plain lines on a terminal as well."""
        self._may_live = live
        self._output = output
        self._console = Console(stderr=True, highlight=False)
        self._live: Live | None = None
        self._look: Look | None = None
        self._clock = clock
        self._last = clock()

    def __enter__(self) -> Self:
        if self._may_live and sys.stderr.isatty() and not self._output.json:
            self._live = Live(
                console=self._console,
                refresh_per_second=2,
                transient=True,
                get_renderable=self._drawn,
            )
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            try:
                self._live.__exit__(None, None, None)
            except OSError:
                # The terminal was closed, and its signal ignored (disown): the work is done.
                mute_closed_terminal()
            self._live = None

    def say(self, text: str) -> None:
        """A sentence for a person."""
        self._output.say(text)

    def warn(self, text: str) -> None:
        """A sentence that stays with the result."""
        self._output.warn(text)

    def progress(self, look: Look) -> None:
        """Show what ``look`` gives: at each redraw on a terminal, else when a line is due."""
        if self._look is None:
            self._last = self._clock()
        self._look = look
        if self._live is None and self._clock() - self._last >= LINE_EVERY_SECONDS:
            self._last = self._clock()
            self._output.say(plain_line(look()))

    def _drawn(self) -> Group | Text:
        if self._look is None:
            return Text("starting")
        return drawn(self._look(), self._console.width, self._console.height)


def time_left(snapshot: Snapshot) -> str:
    """``about 3 min to go``, or nothing where nothing can be told."""
    left = snapshot.seconds_left
    return "" if left is None or not math.isfinite(left) else f"about {clock(left)} to go"


def plain_line(snapshot: Snapshot) -> str:
    """One line: what is begun and not over, the time that is left."""
    rows = [row for row in snapshot.rows if not row.skipped and row.done and row.share < 1]
    if not rows:
        rows = [row for row in snapshot.rows if not row.skipped and row.share < 1][:1]
    parts = [f"{row.name} {row.count}" + f" ({row.note})" * bool(row.note) for row in rows]
    return f"[{clock(snapshot.seconds)}] " + ", ".join(
        [*parts, *filter(None, [time_left(snapshot)])]
    )


def drawn(snapshot: Snapshot, width: int, height: int) -> Group:
    """The board for a window of ``width`` columns and ``height`` lines: no line is ever longer.

    A narrow window loses the words, then the bars, then ends of names, never digits; a low one the
    rows that are over.
    """
    most = max(height - 2, 1)
    rows = list(snapshot.rows)
    if len(rows) > most:
        rows = [row for row in rows if not row.skipped and row.share < 1][:most]
    counts = max((len(row.count) for row in rows), default=0)
    notes = max((len(row.note) for row in rows), default=0)
    names = min(max((len(row.name) for row in rows), default=0), max(width - counts - 2, 1))
    room = width - names - counts - 4
    if room - notes - 1 < 6:
        notes = 0
    bar = min(room - (notes + 1 if notes else 0), _WIDEST_BAR)
    lines = [_head(snapshot, width)]
    for row in rows:
        name = row.name if len(row.name) <= names else f"{row.name[: names - 1]}…"
        line = Text(f"{name:<{names}}  ", no_wrap=True)
        words = row.note or "skipped"
        if row.skipped and not notes and len(words) > bar:
            line.append(words)
        else:
            line.append(f"{row.count:>{counts}}")
            if bar >= 4:
                line.append("  ").append_text(_bar(row, bar, "" if notes and row.note else words))
            if notes and row.note:
                line.append(f" {row.note}", style="dim")
        if row.skipped:
            line.stylize("dim")
        line.truncate(width, overflow="ellipsis")
        lines.append(line)
    return Group(*lines)


def _head(snapshot: Snapshot, width: int) -> Text:
    """The title, the time since the beginning and the time left; what has no room is left out."""
    parts = [snapshot.title, clock(snapshot.seconds), time_left(snapshot)]
    for chosen in (parts, parts[1:], parts[2:] if parts[2] else parts[1:2]):
        text = ", ".join(part for part in chosen if part)
        if len(text) <= width:
            break
    return Text(text, style="bold", no_wrap=True)


def _bar(row: ProgressRow, width: int, words: str) -> Text:
    """The share of a row that is done; ``words`` in its place where the row is skipped."""
    if row.skipped:
        return Text(f"{words:<{width}}")
    filled = int(row.share * width)
    bar = Text("█" * filled, style="green" if row.share >= 1 else "cyan")
    return bar.append("░" * (width - filled), style="dim")


def plan_table(plan: Mapping[str, Any]) -> Group:
    """The page of ``--plan``."""
    table = Table(title=f"Plan of recipe {plan['recipe']}", title_justify="left")
    for name in ("stage", "weights", "done", "to do", "about", "gates"):
        table.add_column(
            name, justify="right" if name in ("done", "to do", "about") else "left", overflow="fold"
        )
    for row in plan["stages"]:
        lacking = [f"{name} MISSING ({row['policy']})" for name in row["weights_missing"]]
        names = [*row["weights_present"], *lacking]
        planned = row["runs"] or row["policy"] == "required"
        needs = f"\nneeds {'weights' if lacking else 'a package'}" * (not row["runs"])
        table.add_row(
            row["stage"],
            "\n".join(names) or "–",
            str(row["done"]) if planned else "–",
            f"{'~' * row['approximate']}{row['to_do']}{needs}" if planned else "not measured",
            clock(row["seconds_estimated"]) if row["to_do"] else "–",
            "\n".join(row["gates"]),
        )
    return Group(table, *(Text(line) for line in [*_plan_lines(plan), *plan["notes"]]))


def _plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """What the whole run takes up, in sentences."""
    disk = plan["disk_bytes"]
    at_once = f"{plan['workers']:.2g}".rstrip("0").rstrip(".")
    lines = [_sources_line(plan)]
    whose = "What is known so far" if plan["searches_unexpanded"] else "The run"
    if plan["seconds_estimated"]:
        lines += [
            f"{whose} will take about {clock(plan['seconds_estimated'])}, "
            f"{at_once} items at a time (stages: seconds of one worker).",
            f"Disk: about {human_bytes(disk['media'])} of finished media, "
            f"{human_bytes(disk['tables'])} of tables, at most {human_bytes(disk['cache'])} "
            "of cache while it works.",
        ]
    elif plan["searches_unexpanded"]:
        lines.append("What there is to do is known after the searches.")
    elif plan["sources"]:
        lines.append("Nothing is left to do.")
    return lines


def _sources_line(plan: Mapping[str, Any]) -> str:
    """How many sources there are, how many of them are new, how much video they hold."""
    count, new, links = plan["sources"], plan["sources_new"], plan["links_of_unknown_length"]
    parts = [counted(count, "source")]
    if count == 1:
        parts.append("new" if new else "not new")
    elif count:
        parts.append(f"{new or 'none'} of them new")
    if plan["video_seconds"] or not links:
        parts += [f"{clock(plan['video_seconds'])} of video"] * bool(count)
    if links and plan["seconds_estimated"]:
        assumed = clock(plan["seconds_assumed_per_link"])
        each = " each" * (links > 1)
        parts.append(f"{counted(links, 'link')} of unknown length taken as {assumed}{each}")
    return ", ".join(parts) + "."
