"""How fast work goes, and how long it will take: a measured pace, and an estimate that keeps calm.

``work`` is in typical seconds: what the same work takes where the costs were measured.
"""

import math


class Pace:
    """Wall seconds per typical second of work; the latest work counts most.

    It begins at ``prior``, which weighs as much as ``weight`` typical seconds of work. What lies
    ``horizon`` typical seconds back counts by 1/e.
    """

    def __init__(self, prior: float, weight: float, horizon: float) -> None:
        self.horizon = horizon
        self._wall, self._work = prior * weight, weight

    def add(self, wall: float, work: float) -> None:
        """``work`` was done in ``wall`` seconds."""
        fading = math.exp(-work / self.horizon)
        self._wall = self._wall * fading + wall
        self._work = self._work * fading + work

    def mixed(self, assumed: float, weight: float) -> float:
        """The pace with ``weight`` typical seconds of work at the ``assumed`` pace put to it."""
        return (self._wall + assumed * weight) / (self._work + weight)

    def after(self, wall: float) -> float:
        """The pace if ``wall`` more seconds had gone by without any work."""
        return (self._wall + wall) / self._work

    @property
    def value(self) -> float:
        """Wall seconds per typical second."""
        return self._wall / self._work


class TimeLeft:
    """The estimate that is shown: it never rises but when the work has really become slower.

    An estimate above the one shown leaves it standing; one below is approached, so that a lucky
    moment does not pull it down. When the pace is ``slower`` times what it was at the last rise, or
    at the beginning, the estimate is taken as it is.
    """

    SLOWER = 1.5
    """So much slower is no accident of measuring."""
    STILL_SLOWER = 1.2
    """The same, once the pace was lost."""
    APPROACH = 0.04
    """Share of the time left within which two thirds of a fall are made."""

    def __init__(self) -> None:
        self._shown: float | None = None
        self._at = 0.0
        self._pace = math.inf
        self._slower = self.SLOWER

    def update(self, seconds: float, pace: float, now: float) -> float:
        """What to show, given the bare estimate, the pace and the instant (any clock's seconds)."""
        shown = self._shown
        if shown is None:
            shown, self._pace = seconds, pace
        elif pace > self._pace * self._slower and seconds > shown:
            shown, self._pace, self._slower = seconds, pace, self.STILL_SLOWER
        elif seconds < shown:
            passed = max(0.0, now - self._at)
            natural = max(shown - passed, 0.0)
            if seconds < natural:
                window = max(self.APPROACH * shown, 1.0)
                shown = seconds + (natural - seconds) * math.exp(-passed / window)
            else:
                shown = seconds
        self._shown, self._at = shown, now
        self._pace = min(self._pace, max(pace, 1e-9))
        return shown
