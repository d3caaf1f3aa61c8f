"""Crops the slow way: whole pictures bordered, medians of sorted lists."""

import cv2
import numpy as np


def running_median(values, kernel, zeros):
    """Median of each value's neighbourhood; beyond the ends zeros, or the end's value."""
    reach, out = kernel // 2, []
    for i in range(len(values)):
        near = []
        for j in range(i - reach, i + reach + 1):
            if 0 <= j < len(values):
                near.append(values[j])
            else:
                near.append(0.0 if zeros else values[0 if j < 0 else -1])
        out.append(sorted(near)[reach])
    return out


def crop(frame, x, y, half, scale=0.4):
    """Border the whole picture with grey, cut, resize."""
    border = int(half * (1 + 2 * scale))
    wide = np.pad(frame, ((border, border), (border, border), (0, 0)), constant_values=110)
    x, y = x + border, y + border
    rows = slice(int(y - half), int(y + half * (1 + 2 * scale)))
    columns = slice(int(x - half * (1 + scale)), int(x + half * (1 + scale)))
    return cv2.resize(wide[rows, columns], (224, 224))
