"""Camera flashes: pictures unlike those before and after, which are like each other. No cut.
Shape legend: H height, W width, C channels.
"""

from collections import deque

import numpy as np
import numpy.typing as npt

REACH_FRAMES = 3
"""A picture is held against those so many before and after: flashes are shorter than twice that."""
LEAST_RATIO = 2.0
"""It is a flash when it differs so many times as much from both as they do from each other. A
picture at a cut is like one of the two: for it the ratio is below 1."""
NOISE = 4.0
"""Differences between pictures count for this many levels of 255 at least."""


class FlashWatch:
    """Finds flashes in pictures fed one by one; holds seven pictures, whatever the length."""

    def __init__(self) -> None:
        self._near: deque[tuple[float, npt.NDArray[np.int16]]] = deque(maxlen=2 * REACH_FRAMES + 1)
        self._flashes: list[float] = []

    def feed(self, seconds: float, picture_HWC: npt.NDArray[np.uint8]) -> None:
        """Take in the next picture (H, W, C) uint8, all of one size, shown from ``seconds`` on."""
        self._near.append((seconds, picture_HWC.astype(np.int16)))
        if len(self._near) == 2 * REACH_FRAMES + 1:
            (_, before), (shown, picture), (_, after) = list(self._near)[::REACH_FRAMES]
            apart = max(_difference(before, after), NOISE)
            if min(_difference(before, picture), _difference(picture, after)) > LEAST_RATIO * apart:
                self._flashes.append(shown)

    def flashes(self) -> list[float]:
        """Seconds at which pictures of a flash begin, ascending."""
        return list(self._flashes)


def _difference(first: npt.NDArray[np.int16], second: npt.NDArray[np.int16]) -> float:
    """Mean absolute difference, in levels."""
    return float(np.abs(first - second).mean())
