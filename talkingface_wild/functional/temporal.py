"""How unsteady a video is from frame to frame: flicker, and TalkingPose's temporal jitter error.
Frames are taken one by one, so that one decode feeds every metric.
Shape legend: H height, W width, C channels.
"""

from collections import deque
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Frame = npt.NDArray[np.uint8]

JITTER_STEP = 2
"""Frames between the two that TalkingPose's evaluation compares (δ)."""


class Flicker:
    """Mean |f_t − f_{t+1}| over pixels, channels and pairs of neighbours, in grey levels (0–255).

    VBench's temporal flickering is (255 − value) / 255. Some of it is motion that belongs there.
    """

    def __init__(self) -> None:
        self._last: Frame | None = None
        self._sum, self.pairs = 0.0, 0

    def add(self, frame_HWC: Frame) -> None:
        """The next frame, uint8, held until the one after it.

        Raises ValueError when it differs from the last in shape.
        """
        if self._last is not None:
            self._sum += float(_distance(self._last, frame_HWC).mean())
            self.pairs += 1
        self._last = frame_HWC

    @property
    def value(self) -> float | None:
        """None before the second frame."""
        return self._sum / self.pairs if self.pairs else None


class JitterError:
    """TalkingPose's TJE: mean over t, pixels and channels of ||r_t − r_{t−δ}| − |g_t − g_{t−δ}||.

    r is the reference video, g the generated one, in grey levels (0–255), δ two frames: change
    that should not be there counts as much as change that is missing. ``pairs`` is the number of
    t, the weight of a clip in a mean over frames rather than over clips.
    """

    def __init__(self, step: int = JITTER_STEP) -> None:
        if step < 1:
            raise ValueError(f"Expected a step of at least one frame, found {step}; use 2.")
        self._last: deque[tuple[Frame, Frame]] = deque(maxlen=step)
        self._step, self._sum, self.pairs = step, 0.0, 0

    def add(self, reference_HWC: Frame, generated_HWC: Frame) -> None:
        """The next frame of both, uint8, held until δ more have come.

        Raises ValueError for frames that differ in shape.
        """
        if len(self._last) == self._step:
            reference, generated = self._last[0]
            change = _distance(reference, reference_HWC)
            self._sum += float(_distance(change, _distance(generated, generated_HWC)).mean())
            self.pairs += 1
        self._last.append((reference_HWC, generated_HWC))

    @property
    def value(self) -> float | None:
        """None before frame δ + 1."""
        return self._sum / self.pairs if self.pairs else None


def flicker(frames_NHWC: Iterable[Frame]) -> float | None:
    """``Flicker`` of a whole video, an array or any iterable of frames; None for a single frame."""
    measure = Flicker()
    for frame in frames_NHWC:
        measure.add(frame)
    return measure.value


def temporal_jitter_error(
    reference_NHWC: Iterable[Frame], generated_NHWC: Iterable[Frame], step: int = JITTER_STEP
) -> float | None:
    """``JitterError`` of two whole videos of one length; None when they have ≤ ``step`` frames.

    Raises ValueError when one is longer than the other.
    """
    measure = JitterError(step)
    for reference, generated in zip(reference_NHWC, generated_NHWC, strict=True):
        measure.add(reference, generated)
    return measure.value


def _distance(first: Frame, second: Frame) -> Frame:
    """|first − second| without the wrap-around of uint8."""
    if first.shape != second.shape or first.dtype != np.uint8 or second.dtype != np.uint8:
        raise ValueError(
            f"Expected uint8 frames of one shape, found {first.dtype} {first.shape} and "
            f"{second.dtype} {second.shape}; decode both to RGB of one size."
        )
    distance: Frame = np.maximum(first, second) - np.minimum(first, second)
    return distance
