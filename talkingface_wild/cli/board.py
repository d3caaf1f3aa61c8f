"""What a person sees of a job at work: one live board for all verbs."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

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
    for choice in (parts, parts[1:], parts[2:] if parts[2] else parts[1:2]):
        text = ", ".join(part for part in choice if part)
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
