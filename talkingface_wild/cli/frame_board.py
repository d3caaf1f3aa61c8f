"""How far a video is: one line that renews itself on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from talkingface_wild.cli.output import Output

LINE_EVERY_SECONDS = 5.0


class FrameBoard:
    """Counts frames against the clock; ``before`` were made by an earlier run."""

    def __init__(self, output: Output, frames: int, fps: int, before: int = 0) -> None:
        self._output, self._frames, self._fps, self._before = output, frames, fps, before
        self._began = self._last = time.monotonic()
        self._live: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self._output.json:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, refresh_per_second=4)
            self._live.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.__exit__(None, None, None)

    @property
    def seconds(self) -> float:
        """Since this run began making frames."""
        return time.monotonic() - self._began

    def rate(self, done: int) -> float:
        """Frames a second in this run."""
        return (done - self._before) / max(self.seconds, 1e-9)

    def show(self, done: int, retries: int) -> None:
        """Say how far it is, if it is time to."""
        if self._live is not None:
            self._live.update(self._line(done, retries))
        elif time.monotonic() - self._last >= LINE_EVERY_SECONDS:
            self._last = time.monotonic()
            self._output.say(self._line(done, retries))

    def _line(self, done: int, retries: int) -> str:
        rate = self.rate(done)
        again = f", made again: {retries} clip{'s'[: retries != 1]}" if retries else ""
        left = (self._frames - done) / rate if rate else 0.0
        return (
            f"{done} of {self._frames} frames ({done / self._fps:.1f} s), {rate:.1f} frames/s"
            f"{again}, about {clock(left)} to go"
        )


def clock(seconds: float) -> str:
    """A duration for a person: ``45 s``, ``12 min``, ``3 h 5 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
