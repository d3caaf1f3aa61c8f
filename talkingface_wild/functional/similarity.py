"""SSIM and PSNR between pairs of 8-bit frames, frame to frame.
Shape legend: N frames, H height, W width, C = 3 channels R, G, B.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

Frame = npt.NDArray[np.uint8]
Window = Literal["gaussian", "uniform"]
Channels = Literal["rgb", "luma"]

EQUAL_PSNR = 100.0
"""Decibels of equal frames, whose PSNR would be infinite."""
_C1, _C2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
"""Wang et al. (2004): K₁ = 0.01 and K₂ = 0.03 of the range 255."""
_SIDES: dict[str, int] = {"gaussian": 11, "uniform": 7}
_SIGMA = 1.5


def ssim(
    a_HWC: Frame, b_HWC: Frame, window: Window = "gaussian", channels: Channels = "rgb"
) -> float:
    """Mean structural similarity of two uint8 frames (Wang et al., 2004, equation 13).

    Default: Gaussian window 11 × 11 with σ 1.5, each colour on its own, then their mean;
    scikit-image's ``gaussian_weights=True, sigma=1.5, use_sample_covariance=False``. ``uniform`` is
    scikit-image's own default: 7 × 7 equal weights, covariances with N − 1. ``luma`` compares
    OpenCV's 8-bit grey pictures. Only windows that lie inside the frame count.

    In float64 on a + b and a − b: their two means and two variances hold all five moments that the
    formula needs, and equal frames give exactly 1.
    Raises ValueError for frames that differ in shape, are not 8-bit RGB, or smaller than a window.
    """
    import cv2  # Costs a third of a second: only where it is used.

    _check(a_HWC, b_HWC, window)
    if channels == "luma":
        a_HWC, b_HWC = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (a_HWC, b_HWC))
    average, unbiased = _averages(window)
    total = cv2.add(a_HWC, b_HWC, dtype=cv2.CV_64F)
    difference = cv2.subtract(a_HWC, b_HWC, dtype=cv2.CV_64F)
    total_mean, difference_mean = average(total), average(difference)
    total_mean *= total_mean
    difference_mean *= difference_mean
    total *= total
    difference *= difference
    total_variance = unbiased * (average(total) - total_mean)
    difference_variance = unbiased * (average(difference) - difference_mean)
    # With s = a + b and d = a − b: s̄² − d̄² = 4 āb̄ and s̄² + d̄² = 2 (ā² + b̄²); variances alike.
    brightness = (total_mean - difference_mean) + 2 * _C1
    contrast = (total_variance - difference_variance) + 2 * _C2
    total_mean += difference_mean
    total_variance += difference_variance
    brightness /= total_mean + 2 * _C1
    contrast /= total_variance + 2 * _C2
    brightness *= contrast
    return float(brightness.mean())


def psnr(a_HWC: Frame, b_HWC: Frame) -> float:
    """Peak signal-to-noise ratio of two uint8 frames in decibels, over all pixels and colours.

    100 for frames that are equal, or whose mean squared error is under 1e-10 of 255². A video's
    value is the mean of its frames' ratios. Raises ValueError as ``ssim``.
    """
    import cv2  # Costs a third of a second: only where it is used.

    _check(a_HWC, b_HWC, None)
    error = float(cv2.norm(a_HWC, b_HWC, cv2.NORM_L2SQR)) / a_HWC.size / 255.0**2
    return EQUAL_PSNR if error < 1e-10 else float(-10.0 * np.log10(error))


def _averages(window: Window) -> tuple[Callable[[Floats], Floats], float]:
    """The window's weighted mean at every place inside the frame, and the factor of variances."""
    import cv2  # Costs a third of a second: only where it is used.

    side = _SIDES[window]
    inner = slice(side // 2, -(side // 2))
    if window == "uniform":
        count = side * side
        return (
            lambda plane: cv2.boxFilter(plane, -1, (side, side))[inner, inner],
            count / (count - 1),
        )
    kernel = cv2.getGaussianKernel(side, _SIGMA)
    return lambda plane: cv2.sepFilter2D(plane, -1, kernel, kernel)[inner, inner], 1.0


def _check(a_HWC: Frame, b_HWC: Frame, window: Window | None) -> None:
    shape = a_HWC.shape
    if a_HWC.dtype != np.uint8 or b_HWC.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
        raise ValueError(
            f"Expected uint8 frames of shape (height, width, 3), found {a_HWC.dtype} {shape} and "
            f"{b_HWC.dtype} {b_HWC.shape}; decode both to RGB."
        )
    if shape != b_HWC.shape:
        raise ValueError(
            f"Expected two frames of one size, found {shape[:2]} and {b_HWC.shape[:2]}; resize the "
            "generated one to its reference."
        )
    least = 1 if window is None else _SIDES[window]
    if min(shape[:2]) < least:
        raise ValueError(
            f"Expected frames of at least {least} × {least} pixels, found {shape[:2]}; compare "
            "larger frames."
        )
