"""The stall watch of a run: says it when nothing gets finished, and why, as far as one can see."""

import os
import time
from collections.abc import Callable

from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.workers import any_busy, memory_kills, troubles

STALL_SECONDS = 60.0
"""Without a result for so long, the state of the workers is looked at."""
_TROUBLE_SECONDS = 15.0
"""A worker that was stopped, or waits for input, is told of sooner."""


class StallWatch:
    """Looks at a run now and then. ``describe`` tells how the engine is laid out."""

    def __init__(self, place: Workplace, describe: Callable[[], str]) -> None:
        self._place, self._describe = place, describe
        self._results = -1
        self._since = time.monotonic()
        self._said = -STALL_SECONDS
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
        if still < _TROUBLE_SECONDS or now - self._said < STALL_SECONDS:
            return None
        clauses = troubles(self._place)
        if not clauses and (still < STALL_SECONDS or any_busy(self._place)):
            return None
        self._said = now
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
