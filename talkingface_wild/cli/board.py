"""What a person sees of a job at work: one live board for all verbs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from talkingface_wild.core.reporter import Look
from talkingface_wild.core.terminal import mute_closed_terminal
from talkingface_wild.pages.terminal.progress_view import drawn, plain_line

if TYPE_CHECKING:
    from talkingface_wild.cli.output import Output

LINE_EVERY_SECONDS = 10.0


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
