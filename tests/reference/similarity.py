"""SSIM window by window, PSNR pixel by pixel, and a video's unsteadiness, all as loops."""

import math

import numpy as np


def ssim(a, b, window, masked=None):
    """``window``: "gaussian" (11 × 11, σ 1.5) or "uniform" (7 × 7, N − 1); mean over colours.

    Windows that touch a pixel of ``masked`` (height × width, true: padding) do not count.
    """
    side = 11 if window == "gaussian" else 7
    centre = side // 2
    weights = np.ones((side, side))
    if window == "gaussian":
        for y in range(side):
            for x in range(side):
                weights[y, x] = math.exp(-((y - centre) ** 2 + (x - centre) ** 2) / (2 * 1.5**2))
    weights /= weights.sum()
    factor = 1.0 if window == "gaussian" else side * side / (side * side - 1)
    values = []
    for y in range(a.shape[0] - side + 1):
        for x in range(a.shape[1] - side + 1):
            if masked is not None and masked[y : y + side, x : x + side].any():
                continue
            for channel in range(3):
                one = a[y : y + side, x : x + side, channel].astype(float)
                other = b[y : y + side, x : x + side, channel].astype(float)
                values.append(_window(one, other, weights, factor))
    return sum(values) / len(values)


def _window(one, other, weights, factor):
    mean1, mean2 = (weights * one).sum(), (weights * other).sum()
    variance1 = factor * (weights * (one - mean1) ** 2).sum()
    variance2 = factor * (weights * (other - mean2) ** 2).sum()
    covariance = factor * (weights * (one - mean1) * (other - mean2)).sum()
    c1, c2 = 2.55**2, 7.65**2
    upper = (2 * mean1 * mean2 + c1) * (2 * covariance + c2)
    return upper / ((mean1**2 + mean2**2 + c1) * (variance1 + variance2 + c2))


def psnr(a, b, masked=None):
    """In decibels; the frames differ. Pixels of ``masked`` do not count."""
    if masked is not None:
        a, b = a[~masked], b[~masked]
    errors = [(int(x) - int(y)) ** 2 for x, y in zip(a.ravel(), b.ravel(), strict=True)]
    return 20 * math.log10(1 / math.sqrt(sum(errors) / len(errors) / 255**2))


def jitter_error(reference, generated, step):
    """Mean over t of the mean difference of the two videos' changes over ``step`` frames."""
    r, g = reference.astype(int), generated.astype(int)
    per_frame = [
        np.abs(np.abs(r[t] - r[t - step]) - np.abs(g[t] - g[t - step])).mean()
        for t in range(step, len(r))
    ]
    return sum(per_frame) / len(per_frame)
