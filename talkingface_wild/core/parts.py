"""A job whose parts come one after another, with known counts: videos, clips, iterations, frames.

Runs of the engine count by their journal instead.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from talkingface_wild.core.pace import Pace, TimeLeft
from talkingface_wild.core.reporter import ProgressRow, Snapshot

_HORIZON = 0.25
"""The pace is that of the last part of the whole work, this large."""


@dataclass
class Part:
    """One part: ``total`` units, each of ``cost`` typical seconds; ``done`` may be a fraction.

    ``total`` None is not known yet: the part is then left out of the estimate.
    """

    name: str
    total: int | None
    cost: float = 1.0
    done: float = 0.0
    note: str = ""


class PartsProgress:
    """How the parts stand, and one estimate for all that is left of them. Thread-safe.

    Costs need only be right relative to one another: the pace is measured, and until something
    was done there is no estimate.
    """

    def __init__(
        self, title: str, parts: Sequence[Part], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.title, self.parts = title, {part.name: part for part in parts}
        self._clock, self._began = clock, clock()
        self._last = self._began
        self._pace: Pace | None = None
        self._time_left = TimeLeft()
        self._lock = threading.Lock()

    def begin(self, name: str, before: float = 0.0) -> None:
        """A part begins, ``before`` of it done earlier; its time counts from now."""
        with self._lock:
            self.parts[name].done = before
            self._last = self._clock()

    def update(self, name: str, done: float, total: int | None = None, note: str = "") -> None:
        """So much of a part is done by now; ``total`` where it was not known before."""
        with self._lock:
            part = self.parts[name]
            if total is not None:
                part.total = total
            part.note = note
            now, gained = self._clock(), max(0.0, done - part.done)
            part.done = done
            if gained <= 0:
                return
            work = gained * part.cost
            if self._pace is None:
                first = max(now - self._last, 1e-9) / work
                self._pace = Pace(first, work, max(_HORIZON * self._work(), work))
            else:
                self._pace.add(max(now - self._last, 0.0), work)
            self._last = now

    def finish(self, name: str) -> None:
        """A part is over, however many units it came to."""
        with self._lock:
            part = self.parts[name]
            part.total = part.total if part.total is not None else int(part.done)
            part.done = part.total
            self._last = self._clock()

    @property
    def seconds(self) -> float:
        """Since it began."""
        return self._clock() - self._began

    def snapshot(self) -> Snapshot:
        """Every part in its order, and what is left of all of them."""
        with self._lock:
            rows = tuple(
                ProgressRow(part.name, int(part.done), part.total, note=part.note)
                for part in self.parts.values()
            )
            return Snapshot(self.title, rows, self.seconds, self._left())

    def _left(self) -> float | None:
        if self._pace is None:
            return None
        now = self._clock()
        largest = max((part.cost for part in self.parts.values() if _left_of(part)), default=0.0)
        waited = now - self._last
        in_flight = largest * self._pace.value
        pace = self._pace.after(max(0.0, waited - in_flight))
        bare = max(self._work() * pace - min(waited, in_flight), 0.0)
        return self._time_left.update(bare, pace, now)

    def _work(self) -> float:
        return sum(_left_of(part) * part.cost for part in self.parts.values())


def _left_of(part: Part) -> float:
    return max(0.0, (part.total or 0) - part.done)
