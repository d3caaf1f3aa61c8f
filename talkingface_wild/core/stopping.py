"""Signals that ask this process to end: Ctrl-C, SIGTERM, and SIGHUP of a closed terminal.

Handlers are installed in the main thread alone and put back afterwards; a signal that whoever
started the process had ignored (``nohup``, a shell's ``&``) stays ignored.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from talkingface_wild.core.terminal import mute_closed_terminal

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_LAUNCHED_GRACE_SECONDS = 2.0
"""A launcher passes on a Ctrl-C that its processes got as well: within this time it is one."""

_active = False
_first_at: float | None = None
"""When the first signal of the outermost ``stop_on_signals`` came; process-wide, as signals are."""


def stop_requested() -> bool:
    """Whether a signal asked to end, inside ``stop_on_signals``."""
    return _first_at is not None


@contextlib.contextmanager
def stop_on_signals(words: str = "") -> Iterator[None]:
    """The first signal is a request that ``stop_requested`` tells, and shows ``words`` on stderr;
    the second raises KeyboardInterrupt, but for SIGHUP: a closed terminal often sends two. Inside
    another of its kind it changes nothing.
    """
    global _active, _first_at
    if _active or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        global _first_at
        if number == signal.SIGHUP:
            mute_closed_terminal()
        if _first_at is None:
            _first_at = time.monotonic()
            _write(words)
        elif number != signal.SIGHUP and not _passed_on(time.monotonic() - _first_at):
            raise KeyboardInterrupt

    _active, _first_at = True, None
    try:
        with handled_by(stop):
            yield
    finally:
        _active, _first_at = False, None


@contextlib.contextmanager
def break_off_on_signals() -> Iterator[None]:
    """Every signal raises KeyboardInterrupt at once, as Ctrl-C does anyway; SIGHUP only once."""

    def break_off(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            mute_closed_terminal()
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with handled_by(break_off):
        yield


@contextlib.contextmanager
def handled_by(
    handler: Callable[[int, FrameType | None], None], always: Sequence[signal.Signals] = ()
) -> Iterator[None]:
    """Inside, ``handler`` gets each of ``SIGNALS`` that is not ignored or is among ``always``."""
    previous = {
        number: signal.signal(number, handler)
        for number in SIGNALS
        if number in always or signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, before in previous.items():
            signal.signal(number, before)


def _passed_on(seconds: float) -> bool:
    """Whether a second signal so soon is the launcher's copy of the first."""
    return int(os.environ.get("WORLD_SIZE") or 1) > 1 and seconds < _LAUNCHED_GRACE_SECONDS


def _write(words: str) -> None:
    """Past Python's buffers, which must not be entered twice."""
    if words:
        with contextlib.suppress(OSError):
            os.write(2, f"{words}\n".encode())
