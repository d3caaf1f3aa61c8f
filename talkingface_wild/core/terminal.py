"""Keeps the terminal for the person: what works in the background never reads it.

A background process that touches a terminal is stopped by the kernel (SIGTTIN, SIGTTOU) and waits
for ever; ffmpeg does so as soon as its standard input is one, unless it is told not to.
"""

import contextlib
import functools
import os
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any

_POSITION_OF_STDIN = 3
"""Of the positional arguments of ``subprocess.Popen``."""


def leave_terminal() -> None:
    """Cut this process off from its terminal, for good: it and what it starts can't read it.

    Standard input becomes the null device. A process that does not lead its group gets a session of
    its own; one that does (Ray makes each worker such a leader) gives its terminal back.
    """
    empty_input()
    try:
        os.setsid()
    except PermissionError:
        _give_back()


def empty_input() -> None:
    """Standard input becomes the null device, for this process and what it starts later."""
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    if null != 0:
        os.close(null)


def _give_back() -> None:
    """Give the controlling terminal back; a session's leader keeps it, as that would end others."""
    import fcntl
    import termios

    if os.getsid(0) == os.getpid():
        return
    with contextlib.suppress(OSError):
        handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        try:
            fcntl.ioctl(handle, termios.TIOCNOTTY)
        finally:
            os.close(handle)


@contextlib.contextmanager
def children_away() -> Iterator[None]:
    """Whatever is started inside, by libraries too, gets the null device and its own session.

    So it can't read the terminal, Ctrl-C at the terminal is not sent to it, and a closed terminal
    does not end it. Several threads may be inside; what others start meanwhile is treated alike.
    """
    with _turn:
        _inside.append(subprocess.Popen.__init__)
        if len(_inside) == 1:
            subprocess.Popen.__init__ = _away(_inside[0])  # type: ignore[method-assign]
    try:
        yield
    finally:
        with _turn:
            start = _inside[0]
            _inside.pop()
            if not _inside:
                subprocess.Popen.__init__ = start  # type: ignore[method-assign]


_turn = threading.Lock()
_inside: list[Callable[..., None]] = []
"""An entry for each ``children_away`` that is entered; the first is the library's own start."""


def _away(start: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(start)
    def away(self: Any, *arguments: Any, **options: Any) -> None:
        if len(arguments) <= _POSITION_OF_STDIN and options.get("stdin") is None:
            options["stdin"] = subprocess.DEVNULL
        options["start_new_session"] = True
        start(self, *arguments, **options)

    return away


def mute_closed_terminal() -> None:
    """After the terminal was closed: stdout and stderr that were it become the null device.

    Each later write would else raise an error. Files and pipes stay as they are.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    for handle in (1, 2):
        with contextlib.suppress(OSError):
            entry = os.fstat(handle)
            if stat.S_ISCHR(entry.st_mode) and entry.st_rdev != os.fstat(null).st_rdev:
                os.dup2(null, handle)
    os.close(null)


def printable(line: str) -> str:
    """Text from outside, without what could command a terminal or end the line."""
    return "".join(char if char.isprintable() else "\ufffd" for char in line)
