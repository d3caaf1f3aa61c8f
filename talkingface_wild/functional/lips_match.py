"""How well lips and sound of a clip belong together, out of their embeddings; knows no network.

Shape legend: T frames, D dimensions of unit length, K lags (2 x reach + 1).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

REACH = 15
"""Frames by which the sound is moved either way: 0.6 s."""
LEAST_FRAMES = 50
"""A clip of fewer frames that can be judged (two seconds) has no match."""
LEAST_NULL = 8
"""Fewer margins of wrong sound have no spread to speak of."""
LEAST_SPREAD = 1e-3
"""Of a null: margins differ by more than this from rounding and a single frame alone."""


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


def height_above(margin: float, null_margins: Sequence[float]) -> float | None:
    """How far a margin lies above the mean of its null, in that null's standard deviations.

    None where the null has fewer than ``LEAST_NULL`` margins.
    """
    if len(null_margins) < LEAST_NULL:
        return None
    spread = max(float(np.std(null_margins, ddof=1)), LEAST_SPREAD)
    return (margin - float(np.mean(null_margins))) / spread


def null_heights(null_margins: Sequence[float]) -> tuple[float, ...]:
    """The height of each wrong sound above the others of its null: what chance alone gives."""
    heights = (
        height_above(margin, [*null_margins[:place], *null_margins[place + 1 :]])
        for place, margin in enumerate(null_margins)
    )
    return tuple(height for height in heights if height is not None)
