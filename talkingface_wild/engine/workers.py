"""Looks at the worker processes of a run: which hold something, what keeps them from working, and
the stall watch, which says why nothing gets finished, as far as one can see.

Reads /proc (Linux); elsewhere, and for workers on other machines, it knows nothing and says so by
an empty answer.
"""

import contextlib
import os
import re
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.engine.stage import Workplace

_MARKER = re.compile(r"(?P<worker>.+)@(?P<host>.+)@(?P<process>\d+)\.txt")
_READ = ("0", "63")
"""Numbers of the system call ``read``: x86-64, aarch64."""
STALL_SECONDS = 60.0
"""Without a result for so long, the state of the workers is looked at."""
_TROUBLE_SECONDS = 15.0
"""A worker that was stopped, or waits for input, is told of sooner."""


def marker_path(place: Workplace, worker: str) -> Path:
    """The file in which a worker of this process says what it holds: empty, or items by a line."""
    return place.scratch / "inflight" / f"{worker}@{socket.gethostname()}@{os.getpid()}.txt"


def markers(place: Workplace) -> list[Path]:
    """The markers of all workers of the run, in order of their names."""
    return sorted((place.scratch / "inflight").glob("*.txt"))


def any_busy(place: Workplace) -> bool:
    """Whether a worker has items in hand."""
    for marker in markers(place):
        with contextlib.suppress(FileNotFoundError):
            if marker.stat().st_size:
                return True
    return False


@dataclass(frozen=True)
class Process:
    """One entry of /proc: ``state`` is its letter there (R, S, D, T, t, Z)."""

    id: int
    parent: int
    state: str
    command: str


def troubles(place: Workplace) -> list[str]:
    """What keeps workers on this machine from working, a clause each; empty when nothing does."""
    table = {process.id: process for process in _processes()}
    clauses: list[str] = []
    for worker in _workers_here(place):
        for process in _family(worker, table):
            trouble = _trouble(process)
            if trouble:
                whose = "" if process.id == worker else f", started by worker {worker},"
                clauses.append(f"process {process.id} ({process.command}){whose} {trouble}")
    return clauses


def memory_kills() -> int:
    """How many processes the kernel has killed on this machine for want of memory so far."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/vmstat").read_text().splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return int(count)
    return 0


def _workers_here(place: Workplace) -> Iterator[int]:
    for marker in markers(place):
        parts = _MARKER.fullmatch(marker.name)
        if parts and parts["host"] == socket.gethostname():
            yield int(parts["process"])


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name stands in brackets and may hold anything, brackets too.
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            state, parent = rest.split()[:2]
            yield Process(int(folder.name), int(parent), state, name)


def _family(worker: int, table: dict[int, Process]) -> list[Process]:
    """A worker's process and all that came of it; nothing where it is gone."""
    family = [table[worker]] if worker in table else []
    for process in family:
        family += [child for child in table.values() if child.parent == process.id]
    return family


def _trouble(process: Process) -> str:
    if process.state == "T":
        return f"is stopped (go on with it by `kill -CONT {process.id}`)"
    if process.state == "t":
        return "is held by a debugger"
    if process.state == "S" and _reads_terminal(process.id):
        return "waits for input from the terminal"
    return ""


def _reads_terminal(process: int) -> bool:
    """Whether a sleeping process reads a terminal at this moment."""
    with contextlib.suppress(OSError, IndexError, ValueError):
        call = Path(f"/proc/{process}/syscall").read_text().split()
        if call[0] in _READ:
            handle = int(call[1], 16)
            source = os.readlink(f"/proc/{process}/fd/{handle}")
            return source.startswith(("/dev/pts/", "/dev/tty", "/dev/console"))
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/wchan").read_text().strip() == "n_tty_read"
    return False


class StallWatch:
    """Looks at a run now and then. ``describe`` tells how the engine is laid out."""

    def __init__(self, place: Workplace, describe: Callable[[], str]) -> None:
        self._place, self._describe = place, describe
        self._results = -1
        self._since = time.monotonic()
        self._told_at = -STALL_SECONDS
        self._memory_kills = memory_kills()

    def look(self, results: int) -> str | None:
        """The sentence to say, given how many results the run has by now; None when all is well."""
        now = time.monotonic()
        kills = memory_kills()
        if kills > self._memory_kills:
            count, self._memory_kills = kills - self._memory_kills, kills
            return (
                f"The kernel killed {count} process{'es'[: 2 * (count != 1)]} on this machine for "
                "want of memory; what a killed worker had in hand is tried again. "
                "If it goes on, stop with Ctrl-C and go on with fewer --workers."
            )
        if results != self._results:
            self._results, self._since = results, now
            return None
        still = now - self._since
        if still < _TROUBLE_SECONDS or now - self._told_at < STALL_SECONDS:
            return None
        clauses = troubles(self._place)
        if not clauses and (still < STALL_SECONDS or any_busy(self._place)):
            return None
        self._told_at = now
        if clauses:
            return (
                f"Nothing finished for {still:.0f} s: {'; '.join(clauses[:4])}. "
                "Or stop with Ctrl-C and run the same command again."
            )
        load = f"the load of this machine is {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
        return (
            f"Nothing finished for {still:.0f} s and no worker has anything in hand: "
            f"{self._describe()}; {load}. If others use it, workers take long to start; else "
            "stop with Ctrl-C and go on with --engine local, or with a larger cluster."
        )
