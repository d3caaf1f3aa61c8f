"""What a person sees of a run: the live board, the plan, the page at the end. Rich tables only."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from talkingface_wild.cli.output import Output
    from talkingface_wild.engine.progress import Progress

_LINE_EVERY_SECONDS = 10.0


class Board:
    """A live table on a terminal; elsewhere a plain line every ten seconds."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._console = Console(stderr=True)
        self._live: Live | None = None
        self._last = time.monotonic()

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._output.json:
            self._live = Live(console=self._console, refresh_per_second=4, transient=True)
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)

    def show(self, progress: Progress) -> None:
        """Show how the run stands now."""
        if self._live is not None:
            self._live.update(_board(progress))
        elif time.monotonic() - self._last >= _LINE_EVERY_SECONDS:
            self._last = time.monotonic()
            self._output.say(_line(progress))


def _stages(progress: Progress) -> dict[str, dict[str, int]]:
    stages: dict[str, dict[str, int]] = {}
    for (stage, state), count in list(progress.states.items()):
        stages.setdefault(stage, {})[state] = count
    return stages


def _eta(progress: Progress) -> str:
    """An estimate from the share of sources that were probed, once there is one."""
    first = max((progress.done(stage) for stage in ("shots", "probe", "features")), default=0)
    if not first or first >= progress.roots_total:
        return ""
    left = progress.seconds / first * (progress.roots_total - first)
    return f", about {left:.0f} s to go" if left < 120 else f", about {left / 60:.0f} min to go"


def _line(progress: Progress) -> str:
    parts = [
        f"{stage} {sum(states.values())}"
        + (f" ({states['failed']} failed)" if states.get("failed") else "")
        for stage, states in _stages(progress).items()
    ]
    return f"[{progress.seconds:.0f} s] " + (", ".join(parts) or "starting") + _eta(progress)


def _board(progress: Progress) -> Group:
    table = Table(box=None, pad_edge=False)
    for name in ("stage", "done", "rejected", "failed", "per second"):
        table.add_column(name, justify="left" if name == "stage" else "right")
    for stage, states in _stages(progress).items():
        done = sum(states.values())
        rate = done / max(progress.seconds, 1e-9)
        table.add_row(
            stage,
            str(done),
            str(states.get("rejected", 0)),
            str(states.get("failed", 0)),
            f"{rate:.2f}",
        )
    head = Text(f"{progress.roots_total} sources, {progress.seconds:.0f} s{_eta(progress)}")
    return Group(head, table)


def plan_table(found: Mapping[str, Any]) -> Group:
    """The page of ``--plan``."""
    table = Table(title=f"Plan of recipe {found['recipe']}", title_justify="left")
    for name in ("stage", "weights", "done", "to do", "about", "gates"):
        table.add_column(
            name, justify="right" if name in ("done", "to do", "about") else "left", overflow="fold"
        )
    for row in found["stages"]:
        lacking = [f"{name} MISSING ({row['policy']})" for name in row["weights_missing"]]
        names = [*row["weights_present"], *lacking]
        seconds = row["seconds_estimated"]
        table.add_row(
            row["stage"],
            "\n".join(names) or "–",
            str(row["done"]),
            str(row["to_do"]),
            "–" if seconds is None else f"{seconds:.0f} s",
            "\n".join(row["gates"]),
        )
    return Group(table, *(Text(line) for line in found["notes"]))
