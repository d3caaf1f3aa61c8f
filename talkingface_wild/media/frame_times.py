"""Even grids of instants over pictures that come when they like: which picture each instant shows.

All in whole microseconds on the file's clock. Decodes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

SECOND_US = 1_000_000
MOST_LOOK_AHEAD_US = 20_000
"""Half a tick of 25 a second: a slower grid takes the very pictures of the 25 fps encode."""


@dataclass
class Ticks:
    """An even grid of instants on the clock.

    Tick k stands at ``start + k / rate`` and shows the last picture that begins before the tick
    plus half a tick (at most 20 ms): the rounding of ffmpeg's ``fps`` filter, to the microsecond.
    """

    start_us: int
    rate: Fraction
    count: int | None = None

    def before(self, time_us: int) -> int:
        """How many ticks come before a picture that begins at ``time_us``."""
        ahead = min(Fraction(SECOND_US, 2) / self.rate, Fraction(MOST_LOOK_AHEAD_US))
        number = int((((time_us - self.start_us - ahead) * self.rate) / SECOND_US).__floor__()) + 1
        return max(0, number if self.count is None else min(number, self.count))

    def seconds(self, tick: int) -> float:
        """The instant of a tick, in seconds on the clock."""
        return float((self.start_us + tick * SECOND_US / self.rate) / SECOND_US)


@dataclass
class GridPicker:
    """Picks pictures for the ticks of a grid while they come by, holding one at a time."""

    ticks: Ticks
    next_tick: int = 0
    held: Any = None
    ends_us: int = 0

    def push(self, time_us: int, frame: Any, lasts_us: int) -> Iterator[tuple[int, Any]]:
        """(tick, picture) for every tick settled by the coming of ``frame`` at ``time_us``."""
        shown = frame if self.held is None else self.held
        until = self.ticks.before(time_us)
        self.held, self.ends_us = frame, time_us + lasts_us
        first, self.next_tick = self.next_tick, max(self.next_tick, until)
        for tick in range(first, until):
            yield tick, shown

    def finish(self) -> Iterator[tuple[int, Any]]:
        """(tick, picture) for the ticks that the last picture still fills while it lasts."""
        count = self.ticks.count
        while self.held is not None and (count is None or self.next_tick < count):
            if self.ticks.seconds(self.next_tick) * SECOND_US >= self.ends_us:
                return
            self.next_tick += 1
            yield self.next_tick - 1, self.held


def micros(seconds: float) -> int:
    """Seconds on the clock as whole microseconds, the unit in which instants are compared."""
    return round(seconds * SECOND_US)


def tick_count(start_us: int, end_us: int, rate: Fraction) -> int:
    """How many ticks a span has: its length times the rate, rounded half up."""
    return max(0, int(((end_us - start_us) * rate / SECOND_US + Fraction(1, 2)).__floor__()))
