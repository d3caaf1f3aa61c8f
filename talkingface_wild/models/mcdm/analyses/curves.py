"""Curves of a measure over the frames of a video.

Shapes: T frames.
"""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def binned_curve(values_T: Floats, length: int) -> tuple[Floats, Floats]:
    """Middle frame and mean of consecutive stretches of ``length`` frames, the last one shorter."""
    values = np.asarray(values_T, dtype=np.float64)
    starts = range(0, len(values), length)
    middles = [(start + min(start + length, len(values)) - 1) / 2 for start in starts]
    means = [float(np.mean(values[start : start + length])) for start in starts]
    return np.array(middles), np.array(means)
