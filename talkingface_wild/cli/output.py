"""What a verb says: one JSON object or a human's view on stdout, all talk on stderr.

Verbs write through ``Output`` alone and never print; errors are shown by ``cli/main.py``.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from talkingface_wild.core.plain_data import plain

if TYPE_CHECKING:
    from rich.console import RenderableType

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and all talk on stderr.")
]
"""The ``--json`` option that each verb takes."""

_results: ContextVar[TextIO | None] = ContextVar("results", default=None)
_latest: ContextVar[Output | None] = ContextVar("latest", default=None)


class Output:
    """Where one verb's talk, warnings and result go.

    ``command`` is the verb as typed, such as ``weights list``.
    """

    def __init__(self, command: str, json: bool) -> None:
        self.command = command
        self.json = json
        self.warnings: list[str] = []
        self.done = False
        _latest.set(self)

    def say(self, text: str) -> None:
        """A line for a person, on stderr."""
        print(text, file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """A warning: on stderr, and in the object's ``warnings``."""
        self.warnings.append(text)
        self.say(f"Warning: {text}")

    def progress(self, look: object) -> None:
        """Nothing: a verb that shows how far it is has a ``Board``."""

    def result(
        self,
        data: Any,
        human: Callable[[], RenderableType | None] | RenderableType | None = None,
        exit_code: int = 0,
    ) -> None:
        """Give the verb's result, once; ends the verb when ``exit_code`` is not 0.

        ``data`` is plain data (numbers that are not finite become null, paths text). ``human`` is
        what a person sees instead of the object: a rich renderable, or a callable that makes one.
        """
        self.done = True
        if self.json:
            self.write_object(exit_code == 0, data)
        elif human is not None:
            shown = human() if callable(human) else human
            if shown is not None:
                show(shown)
        if exit_code:
            raise typer.Exit(exit_code)

    def write_object(self, ok: bool, data: Any) -> None:
        """The one JSON object, on the real stdout."""
        content = {
            "command": self.command,
            "ok": ok,
            "data": plain(data),
            "warnings": self.warnings,
        }
        stream = _results.get() or sys.stdout
        print(json.dumps(content, ensure_ascii=False, allow_nan=False), file=stream, flush=True)


def latest_output() -> Output | None:
    """The Output that the running verb made last, if it came that far."""
    return _latest.get()


@contextlib.contextmanager
def fresh_output(only_results_on_stdout: bool) -> Iterator[None]:
    """Forget earlier verbs; with ``only_results_on_stdout`` all else goes to stderr.

    Libraries that print would otherwise spoil the one JSON object.
    """
    results = _results.set(sys.stdout if only_results_on_stdout else None)
    latest = _latest.set(None)
    try:
        with contextlib.redirect_stdout(sys.stderr if only_results_on_stdout else sys.stdout):
            yield
    finally:
        _results.reset(results)
        _latest.reset(latest)


def show(renderable: RenderableType) -> None:
    """Print a rich renderable, or plain text as it is, on stdout."""
    if isinstance(renderable, str):
        print(renderable, flush=True)
        return
    from rich.console import Console

    console = Console(width=shown_width())
    with console.capture() as captured:
        console.print(renderable)
    print(captured.get(), end="", flush=True)


def shown_width() -> int:
    """Columns for a person's view: the terminal's or $COLUMNS; 160 where there is neither."""
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        return shutil.get_terminal_size().columns
    return 160


def examples(*commands: str) -> str:
    """The end of a verb's help: commands that work as they stand, a line each."""
    return "Examples:\n\n" + "\n\n".join(f"  {command}" for command in commands)
