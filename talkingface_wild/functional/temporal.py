"""How unsteady a video is from frame to frame: flicker, and TalkingPose's temporal jitter error.
Frames are taken one by one, so that one decode feeds every metric.
Shape legend: H height, W width, C channels.
"""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]

JITTER_STEP = 2
"""Frames between the two that TalkingPose's evaluation compares (δ)."""


def flicker(frames_NHWC: Iterable[Frame]) -> float | None:
    """Mean |f_t − f_{t+1}| over pixels, channels and pairs of neighbours, in grey levels (0–255).

    VBench's temporal flickering is (255 − value) / 255. Some of it is motion that belongs there.
    None for a single frame. Raises ValueError for frames that differ in shape or are not uint8.
    """
    pairs = itertools.pairwise(frames_NHWC)
    return _mean(float(_distance(first, second).mean()) for first, second in pairs)


def temporal_jitter_error(
    reference_NHWC: Iterable[Frame], generated_NHWC: Iterable[Frame], step: int = JITTER_STEP
) -> float | None:
    """TalkingPose's TJE: mean over t, pixels and channels of ||r_t − r_{t−δ}| − |g_t − g_{t−δ}||.

    r is the reference video, g the generated one, in grey levels (0–255), δ two frames: change
    that should not be there counts as much as change that is missing. None for videos of at most
    ``step`` frames. Raises ValueError for videos that differ in length or shape.
    """
    if step < 1:
        raise ValueError(f"Expected a step of at least one frame, found {step}; use 2.")

    def errors() -> Iterator[float]:
        earlier: deque[tuple[Frame, Frame]] = deque(maxlen=step)
        for reference, generated in zip(reference_NHWC, generated_NHWC, strict=True):
            if len(earlier) == step:
                change = _distance(earlier[0][0], reference)
                yield float(_distance(change, _distance(earlier[0][1], generated)).mean())
            earlier.append((reference, generated))

    return _mean(errors())


def _mean(values: Iterable[float]) -> float | None:
    """The mean of what comes; None of nothing."""
    total, count = 0.0, 0
    for value in values:
        total += value
        count += 1
    return total / count if count else None


def _distance(first: Frame, second: Frame) -> Frame:
    """|first − second| without the wrap-around of uint8."""
    if first.shape != second.shape or first.dtype != np.uint8 or second.dtype != np.uint8:
        raise ValueError(
            f"Expected uint8 frames of one shape, found {first.dtype} {first.shape} and "
            f"{second.dtype} {second.shape}; decode both to RGB of one size."
        )
    distance: Frame = np.maximum(first, second) - np.minimum(first, second)
    return distance
