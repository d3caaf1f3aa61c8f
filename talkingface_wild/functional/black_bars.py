"""Finds the black bars of a clip (letterbox, pillarbox, both) in its pictures, one by one.
Says where they end; cuts nothing. Shape legend: H height, W width, L lines from the picture's edge
inwards, X pixels along a line.
"""

import math

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

Bars = tuple[int, int, int, int]
"""Widths in pixels of the bars at the left, top, right and bottom; 0: none."""

DARK = 24
"""Grey levels up to this one are black: 0 to 255, with room for noise and for untagged ranges."""
LIT, LEAST_LIT = 48, 0.01
"""A picture with less than this part of its pixels above this level is a fade: it says nothing."""
OUTSIDE_DARK, LAST_DARK = 0.85, 0.9
"""Least part of a bar's pixels, over all pictures, that is black, and of its innermost line: a
logo may stay and subtitles may come and go."""
FLAT, FLAT_PART = 4, 0.7
"""Most of a bar stays within so many levels of its own median, on average over time: night is
shaded, a bar is not."""
STEP, STEP_PART, STEP_LINES = 16, 0.6, 3
"""A bar ends in a straight edge: along this part of its length the picture is brighter by so many
levels on average, within so many lines."""
FULL_PART = 0.9
"""A first line of the picture darker than this part of the next one holds some of the bar."""
LARGEST_PART, LEAST_CONTENT = 0.45, 0.25
"""A bar takes at most this part of the picture; what is left has at least this part each way."""
LEAST_CONTENT_LIT = 0.5
"""Part of what is left that is not black: before a black backdrop no edge is that of a bar."""
_ROUNDS = 3
"""Letterbox and pillarbox hide each other's edges: what one finds is left out for the other."""


class BarSearch:
    """Looks at pictures of one size, then says where the bars end. Memory is that of two."""

    def __init__(self) -> None:
        self._pictures = 0
        self._dark_HW: Floats | None = None
        self._sum_HW: Floats | None = None

    def look(self, rgb_HWC: npt.NDArray[np.uint8]) -> None:
        """Take in one picture, (H, W, 3) uint8 RGB; one of another size than the first is left."""
        import cv2  # Costs a third of a second: only where it is used.

        grey_HW = cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2GRAY)
        if self._dark_HW is None or self._sum_HW is None:
            self._dark_HW = np.zeros(grey_HW.shape)
            self._sum_HW = np.zeros(grey_HW.shape)
        if grey_HW.shape != self._sum_HW.shape or (grey_HW > LIT).mean() < LEAST_LIT:
            return
        self._pictures += 1
        self._dark_HW += grey_HW <= DARK
        self._sum_HW += grey_HW

    def bars(self) -> Bars:
        """The bars in the pixels of the pictures; none where every picture was black."""
        if self._dark_HW is None or self._sum_HW is None or not self._pictures:
            return (0, 0, 0, 0)
        dark_HW, mean_HW = self._dark_HW / self._pictures, self._sum_HW / self._pictures
        height, width = dark_HW.shape
        rows, columns = _lit_span(dark_HW, 1), _lit_span(dark_HW, 0)
        left = top = right = bottom = 0
        for _ in range(_ROUNDS):
            inner = dark_HW[:, columns[0] : columns[1]], mean_HW[:, columns[0] : columns[1]]
            top, bottom = _edge(*inner), _edge(inner[0][::-1], inner[1][::-1])
            rows = (max(rows[0], top), min(rows[1], height - bottom))
            turned = dark_HW[rows[0] : rows[1]].T, mean_HW[rows[0] : rows[1]].T
            left, right = _edge(*turned), _edge(turned[0][::-1], turned[1][::-1])
            columns = (max(columns[0], left), min(columns[1], width - right))
        wide, tall = width - left - right, height - top - bottom
        content = dark_HW[top : height - bottom, left : width - right]
        small = wide < LEAST_CONTENT * width or tall < LEAST_CONTENT * height
        if small or content.mean() > 1 - LEAST_CONTENT_LIT:
            return (0, 0, 0, 0)
        return (left, top, right, bottom)


def scaled_bars(bars: Bars, small: tuple[int, int], full: tuple[int, int]) -> Bars:
    """``bars`` of a ``small`` picture (width, height) in pixels of the ``full`` one, rounded up so
    that no black line stays.
    """
    factors = (full[0] / small[0], full[1] / small[1]) * 2
    left, top, right, bottom = (
        math.ceil(bar * factor - 1e-6) for bar, factor in zip(bars, factors, strict=True)
    )
    return left, top, right, bottom


def _lit_span(dark_HW: Floats, axis: int) -> tuple[int, int]:
    """First and last line, the last excluded, of those with light in half of the pictures."""
    lines = np.flatnonzero((dark_HW < 0.5).mean(axis=axis) >= LEAST_LIT)
    return (int(lines[0]), int(lines[-1]) + 1) if len(lines) else (0, dark_HW.shape[1 - axis])


def _edge(dark_LX: Floats, mean_LX: Floats) -> int:
    """How many lines from the first one on are a bar: up to the innermost edge that is one."""
    count = int(LARGEST_PART * len(dark_LX))
    if count < 1 or dark_LX.shape[1] < 1:
        return 0
    line_dark_L = dark_LX.mean(axis=1)
    outside_L = np.cumsum(line_dark_L) / np.arange(1, len(line_dark_L) + 1)
    dark_L = (line_dark_L >= LAST_DARK) & (outside_L >= OUTSIDE_DARK)
    for last in np.flatnonzero(dark_L[:count])[::-1]:
        nearby = mean_LX[last + 1 : last + 1 + STEP_LINES]
        steps = ((nearby - mean_LX[last]) >= STEP).mean(axis=1) >= STEP_PART
        if steps.any() and _flat(mean_LX[: last + 1]):
            first = int(last) + 1 + int(np.argmax(steps))
            full = _full(mean_LX, first, float(np.median(mean_LX[: last + 1])))
            return first if full else first + 1
    return 0


def _flat(bar_LX: Floats) -> bool:
    """Whether most of a bar has one level, and that is black."""
    level = float(np.median(bar_LX))
    return level <= DARK and float((np.abs(bar_LX - level) <= FLAT).mean()) >= FLAT_PART


def _full(mean_LX: Floats, line: int, level: float) -> bool:
    """Whether a line is as bright above ``level`` as the next one: it holds nothing of the bar."""
    following = np.maximum(mean_LX[min(line + 1, len(mean_LX) - 1)] - level, 1.0)
    return float(np.median((mean_LX[line] - level) / following)) >= FULL_PART
