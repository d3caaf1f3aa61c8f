"""The command line as it was typed, for hints that can be pasted: quoted, and without secrets."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from talkingface_wild.core.errors import Interrupted
from talkingface_wild.core.log import redact

SECRETS = ("--cookies", "--cookies-from-browser", "--proxy")
"""Options whose value is never printed; an ellipsis stands for it."""
_MODULE = "talkingface_wild.cli.main"
_arguments: ContextVar[tuple[str, ...]] = ContextVar("arguments", default=())


@contextmanager
def remembered(arguments: Sequence[str]) -> Iterator[None]:
    """Keep what was typed after ``tfw`` for the block."""
    token = _arguments.set(tuple(arguments))
    try:
        yield
    finally:
        _arguments.reset(token)


def typed_command(*, without: Sequence[str] = (), also: Sequence[str] = ()) -> str:
    """The whole command as a shell takes it.

    ``without`` names flags to leave out (``--fresh`` would begin anew); of ``also`` those that
    were not typed are added.
    """
    words = [word for word in _arguments.get() if word not in without]
    words += [word for word in also if word not in words]
    return " ".join([*_program(), *map(_quoted, _without_secrets(words))])


@contextmanager
def going_on_by(
    *, without: Sequence[str] = ("--fresh",), also: Sequence[str] = ()
) -> Iterator[None]:
    """An Interrupted of the block ends in the whole command that goes on."""
    try:
        yield
    except Interrupted as error:
        command = typed_command(without=without, also=also)
        raise Interrupted(f"{str(error).removesuffix('.')}: {command}") from error


def _without_secrets(words: Sequence[str]) -> Iterator[str]:
    hide = False
    for word in words:
        option, equals, _ = word.partition("=")
        if hide:
            yield "…"
        elif option in SECRETS and equals:
            yield from (option, "…")
        else:
            yield redact(word)
        hide = not hide and word in SECRETS


def _quoted(word: str) -> str:
    return word if word == "…" else shlex.quote(word)


def _program() -> list[str]:
    """``tfw``, its path where the shell would not find it, or the launcher of several processes."""
    processes = int(os.environ.get("WORLD_SIZE") or 1)
    if processes > 1:
        return ["accelerate", "launch", "--num_processes", str(processes), "-m", _MODULE]
    script = Path(sys.argv[0])
    if script.name != "tfw" or shutil.which("tfw"):
        return ["tfw"]
    here = os.path.relpath(script)
    return [shlex.quote(str(script) if here.startswith("..") else here)]
