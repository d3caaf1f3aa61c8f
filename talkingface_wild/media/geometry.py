"""Where pixels go: rotation, square pixels, square crop windows. Reads and writes no files."""

import math
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.errors import UsageError

Picture = NDArray[np.uint8]
"""A picture, height x width x 3, RGB, 0-255."""


@dataclass(frozen=True)
class Orientation:
    """How a coded picture is turned for display: first transposed (or not), then flipped."""

    transposed: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    @property
    def degrees(self) -> int:
        """The clockwise rotation for display: 0, 90, 180 or 270; mirroring is left out."""
        if self.transposed:
            return 90 if self.flip_columns or not self.flip_rows else 270
        return 180 if self.flip_rows and self.flip_columns else 0

    def apply(self, picture: Picture) -> Picture:
        """``picture`` (H, W, 3) as it is displayed."""
        if self.transposed:
            picture = picture.transpose(1, 0, 2)
        if self.flip_rows:
            picture = picture[::-1]
        if self.flip_columns:
            picture = picture[:, ::-1]
        return np.ascontiguousarray(picture)

    def coded(self, width: int, height: int) -> tuple[int, int]:
        """The size before turning of what is ``width`` x ``height`` when displayed."""
        return (height, width) if self.transposed else (width, height)


def orientation_of(display_matrix: bytes | None) -> Orientation:
    """The orientation that a display matrix asks for, to the nearest 90°.

    ``display_matrix`` holds nine native 32-bit integers, or is None. It maps coded (x, y) to
    displayed (a x + c y, b x + d y).
    """
    if display_matrix is None or len(display_matrix) < 36:
        return Orientation()
    a, b, _, c, d, *_ = struct.unpack("=9i", display_matrix[:36])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, flip_rows=b < 0, flip_columns=c < 0)
    return Orientation(False, flip_rows=d < 0, flip_columns=a < 0)


def displayed_size(
    width: int, height: int, sample_aspect: Fraction | None, orientation: Orientation
) -> tuple[int, int]:
    """Width and height with square pixels and turned for display; absurd aspects are taken as 1."""
    aspect = sample_aspect or Fraction(1)
    if not Fraction(1, 8) <= aspect <= 8:
        aspect = Fraction(1)
    square = max(1, math.floor(width * aspect + Fraction(1, 2)))
    return (height, square) if orientation.transposed else (square, height)


def fit_inside(width: int, height: int, max_side: int | None, multiple: int = 1) -> tuple[int, int]:
    """The size shrunk, never enlarged, to a longest side of ``max_side``, in multiples."""
    scale = 1.0 if max_side is None else min(1.0, max_side / max(width, height))
    fitted = (max(multiple, round(side * scale / multiple) * multiple) for side in (width, height))
    return next(fitted), next(fitted)


@dataclass(frozen=True)
class Window:
    """A square of ``side`` x ``side`` displayed source pixels; it may reach beyond the picture."""

    left: int
    top: int
    side: int
    bars: tuple[int, int, int, int] = (0, 0, 0, 0)
    """Lines at the picture's left, top, right and bottom that do not count as picture."""

    def inside(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The part within a ``width`` x ``height`` picture less its bars: left, top, width, height.

        Raises UsageError when nothing of the window lies within the picture.
        """
        before_x, before_y, after_x, after_y = self.bars
        left, top = max(before_x, self.left), max(before_y, self.top)
        right = min(width - after_x, self.left + self.side)
        bottom = min(height - after_y, self.top + self.side)
        if right <= left or bottom <= top:
            raise UsageError(
                f"Expected a crop window that touches the {width}x{height} picture, found {self}; "
                "give the crop in displayed pixels of the source."
            )
        return left, top, right - left, bottom - top


def union_window(boxes: Iterable[tuple[float, float, float, float]], factor: float = 1.6) -> Window:
    """The square around the union of the boxes, enlarged ``factor`` times.

    A box is left, top, right, bottom. The longer side of the union counts; place and side are
    even numbers. Raises UsageError without boxes.
    """
    corners = np.array(list(boxes), dtype=np.float64).reshape(-1, 4)
    if not len(corners):
        raise UsageError("Expected at least one face box for a crop window, found none.")
    left, top = corners[:, :2].min(axis=0)
    right, bottom = corners[:, 2:].max(axis=0)
    side = max(2, 2 * math.ceil(max(right - left, bottom - top) * factor / 2 - 1e-9))
    return Window(
        2 * round(((left + right) - side) / 4), 2 * round(((top + bottom) - side) / 4), side
    )


def crop_padded(
    rgb: Picture, window: Window, size: int, padding: Literal["black", "edge"] = "black"
) -> Picture:
    """The window's content as (size, size, 3); beyond the picture black, or its edge repeated."""
    height, width = rgb.shape[:2]
    left, top, inner_width, inner_height = window.inside(width, height)
    inner = rgb[top : top + inner_height, left : left + inner_width]
    before = (top - window.top, left - window.left)
    after = (window.side - inner_height - before[0], window.side - inner_width - before[1])
    if any(before) or any(after):
        border = cv2.BORDER_REPLICATE if padding == "edge" else cv2.BORDER_CONSTANT
        inner = cv2.copyMakeBorder(inner, before[0], after[0], before[1], after[1], border)
    how = cv2.INTER_AREA if window.side > size else cv2.INTER_CUBIC
    resized: Picture = cv2.resize(inner, (size, size), interpolation=how)
    return resized
