"""How well lips and sound of a clip belong together, out of their embeddings; knows no network.

Shape legend: T frames, D dimensions of unit length, K lags (2 x reach + 1).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

REACH = 15
"""Frames by which the sound is moved either way: 0.6 s."""
LEAST_NULL = 6
"""Margins with wrong sound from which a clip's own null has a mean and a spread."""
LEAST_SPREAD = 0.005
"""Of a null's margins: that of few windows may come out smaller by chance."""
LEAST_FRAMES = 50
"""A clip of fewer frames that can be judged (two seconds) has no match."""


@dataclass(frozen=True)
class LipsMatch:
    """``offset`` counts frames of 40 ms in SyncNet's sign: positive, the matching sound lies
    earlier. ``margin`` is the best lag's mean cosine over the median lag's; ``frames`` were judged.
    """

    offset: int
    margin: float
    frames: int


def lag_curve(
    lips_TD: npt.NDArray[np.float32], sounds_TD: npt.NDArray[np.float32], reach: int = REACH
) -> Floats:
    """The mean cosine of lips and the sound k frames later, for k from -reach to reach, (K,).

    Frames whose lips are NaN (no face) are left out, and so is sound beyond either end: each lag is
    the mean over the frames that have both. NaN where none has.
    """
    frames = len(lips_TD)
    curve = np.full(2 * reach + 1, np.nan)
    has_lips = np.asarray(~np.isnan(lips_TD).any(axis=1))
    for index, lag in enumerate(range(-reach, reach + 1)):
        first, last = max(0, -lag), min(frames, len(sounds_TD) - lag)
        rows = np.flatnonzero(has_lips[first:last]) + first
        if len(rows):
            curve[index] = float(np.mean(np.sum(lips_TD[rows] * sounds_TD[rows + lag], axis=1)))
    return curve


def lips_match(
    lips_TD: npt.NDArray[np.float32], sounds_TD: npt.NDArray[np.float32], reach: int = REACH
) -> LipsMatch | None:
    """The match of a clip; None where fewer than ``LEAST_FRAMES`` frames can be judged."""
    frames = int((~np.isnan(lips_TD).any(axis=1)).sum())
    if frames < LEAST_FRAMES:
        return None
    curve = lag_curve(lips_TD, sounds_TD, reach)
    best = int(np.nanargmax(curve))
    return LipsMatch(reach - best, float(curve[best] - np.nanmedian(curve)), frames)


def lips_score(margin: float, null_N: npt.ArrayLike) -> float | None:
    """By how many of its null's standard deviations a margin lies above the null's mean.

    ``null_N`` are margins of the same lips with wrong sound. Lips differ in how well any sound fits
    them, so that margins of two clips compare only so. None with fewer than ``LEAST_NULL``.
    """
    null = np.asarray(null_N, dtype=np.float64)
    if len(null) < LEAST_NULL:
        return None
    return float((margin - null.mean()) / max(float(null.std(ddof=1)), LEAST_SPREAD))


def null_scores(null_N: npt.ArrayLike) -> list[float]:
    """The score of each margin of a null against the others: what wrong sound scores."""
    null = np.asarray(null_N, dtype=np.float64)
    scores = (lips_score(float(one), np.delete(null, place)) for place, one in enumerate(null))
    return [score for score in scores if score is not None]
