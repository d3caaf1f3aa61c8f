"""Whether a score is that of a picture's own sound: it is held against the sound at wrong times.
Pure numbers. Shape legend: T frames.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

ROLLS = 12
"""Wrong times that are tried, spread evenly."""
NEAREST_FRAMES = 25
"""Frames between the right time and the nearest wrong one."""
BETTER_PERCENT = 90
"""Of wrong times, those that a picture's own sound should be better than: some fit by chance, so
that it is not all of them. The median tells less."""
LEAST_FRAMES = 75
"""Shorter clips have no wrong times that differ enough from each other."""


def wrong_times(frames: int) -> list[int]:
    """By how many frames a clip's sound is moved around, at most ``ROLLS`` times; none of a short
    clip.
    """
    if frames < LEAST_FRAMES:
        return []
    times = np.linspace(NEAREST_FRAMES, frames - NEAREST_FRAMES, ROLLS).round()
    return [int(time) for time in np.unique(times)]


def mean_in(scores_T: npt.NDArray[np.floating], flags_T: npt.NDArray[np.bool_]) -> float:
    """Mean of the scores where there is speech; at least one flag is set."""
    return float(scores_T[flags_T].mean())


def own_margin(
    scores_at: Callable[[int], npt.NDArray[np.floating]], flags_T: npt.NDArray[np.bool_]
) -> float | None:
    """How far the own sound's mean score in speech lies above nine of ten wrong times'.

    ``scores_at(k)`` are the scores (T,) with the sound moved around by k frames, so that what was
    heard at frame 0 is heard at frame k; ``flags_T`` say where there is speech in the sound as it
    is. None of a clip that is too short.
    """
    times = wrong_times(len(flags_T))
    if not times:
        return None
    others = [mean_in(scores_at(time), np.roll(flags_T, time)) for time in times]
    return mean_in(scores_at(0), flags_T) - float(np.percentile(others, BETTER_PERCENT))
