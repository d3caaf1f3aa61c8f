"""How a measure changes over a long video: the curve of the paper's Figure 5, slope, collapse.
Frames are counted from 0, the reference; NaN is a frame without a value.
Shape legend: T frames.
"""

import numpy as np

from talkingface_wild.core.arrays import Floats

FRAMES = (30, 300, 1800, 3600, 7200)
"""Where Figure 5 looks: 1.2 s, 12 s, 72 s, 144 s and 288 s at 25 frames a second."""
HALF_WINDOW = 12
"""Frames either side over which a value is averaged: one second in all."""
FAILURE_SECONDS = 5.0
LEAST_PART = 0.8
"""A window under this part of the first one's mean has failed."""


def values_at(
    values_T: Floats, frames: tuple[int, ...] = FRAMES, half_window: int = HALF_WINDOW
) -> dict[int, float | None]:
    """Mean over each frame ± ``half_window``, for the frames that the video reaches.

    A video reaches frame k when it has k frames, so that 7,200 frames have a value at 7200 from the
    twelve before it; others are left out. None where no frame of the window has a value.
    """
    values = np.asarray(values_T, dtype=np.float64)
    return {
        frame: _mean(values[max(0, frame - half_window) : frame + half_window + 1])
        for frame in frames
        if frame <= len(values)
    }


def slope_per_thousand(values_T: Floats) -> float | None:
    """Least-squares slope in units per 1,000 frames; None with values at fewer than two frames."""
    values = np.asarray(values_T, dtype=np.float64)
    times = np.flatnonzero(np.isfinite(values))
    if len(times) < 2:
        return None
    centred = times - times.mean()
    return float(1000.0 * (centred @ values[times]) / (centred @ centred))


def failure_frame(
    similarity_T: Floats,
    fps: float = 25.0,
    seconds: float = FAILURE_SECONDS,
    least_part: float = LEAST_PART,
) -> int | None:
    """First frame of the first window whose mean similarity is under 0.8 of the first window's.

    Windows of five seconds follow one another from frame 0, and a last one that is cut short is
    left out. A window in which no frame has a value (no face is left) has failed as well. None
    when none fails, or when the first window's mean is not above 0, so that there is no start to
    compare with.
    """
    values = np.asarray(similarity_T, dtype=np.float64)
    length = round(seconds * fps)
    if length < 1:
        raise ValueError(
            f"Expected windows of at least one frame, found {seconds} s at {fps} frames a second; "
            "use longer windows."
        )
    windows = [_mean(values[at : at + length]) for at in range(0, len(values) - length + 1, length)]
    if not windows or windows[0] is None or windows[0] <= 0:
        return None
    bound = least_part * windows[0]
    for place, mean in enumerate(windows):
        if mean is None or mean < bound:
            return place * length
    return None


def _mean(values: Floats) -> float | None:
    """Mean of the values that are finite."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else None
