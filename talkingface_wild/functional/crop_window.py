"""Where a clip's square crop window lies: inside the picture wherever that holds the face.
Pure arithmetic. Shape legend: T boxes; a box is x0, y0, x1, y1 in source pixels.
"""

import math
from typing import Literal

import numpy as np

from talkingface_wild.core.arrays import Floats

Area = tuple[int, int, int, int]
"""Left, top, right and bottom edge in source pixels, right and bottom excluded."""
Pad = Literal["never", "needed", "always"]

WINDOW_FACTOR = 1.6
"""Side of the crop window in longer sides of the boxes' union (TalkVid's factor)."""
NEEDED_FACTOR = 1.2
"""What the window has to hold: the union this many times, as far as the picture reaches."""


def crop_window(
    boxes_T4: Floats, picture: Area, factor: float = WINDOW_FACTOR, pad: Pad = "needed"
) -> tuple[int, int, int]:
    """Left, top and side of the fixed square crop window, in whole source pixels.

    Wished for is a square of ``factor`` times the longer side of the boxes' union, centred on it.
    It is moved, then shrunk, into ``picture`` as long as it holds what is needed: the union
    ``NEEDED_FACTOR`` times about its centre, cut off at the picture's edges. Where the needed part
    is longer than the picture's shorter side, ``pad`` decides: ``needed`` gives the smallest square
    that holds it, ``never`` the largest square of the picture. ``always`` gives the centred square
    for every clip, padded wherever it reaches beyond, with 2 pixels of the picture at least. Sides
    are even, corners where they can be. Whole pixels may cost the needed part half a pixel at an
    edge, an odd shorter side a whole one. Raises ValueError without boxes.
    """
    if not len(boxes_T4):
        raise ValueError("expected at least one box for a crop window, found none")
    low, high = boxes_T4[:, :2].min(axis=0), boxes_T4[:, 2:].max(axis=0)
    centre, longer = (low + high) / 2, float((high - low).max())
    desired = _even_above(longer * factor)
    if pad == "always":
        left, top = (
            _touching(2 * round(float(centre[axis] - desired / 2) / 2), picture[axis::2], desired)
            for axis in (0, 1)
        )
        return left, top, desired
    reach = (high - low) * min(NEEDED_FACTOR, factor) / 2
    first, last = np.array(picture[:2]), np.array(picture[2:])
    needed = np.clip(centre - reach, first, last), np.clip(centre + reach, first, last)
    longest, shorter = float((needed[1] - needed[0]).max()), int((last - first).min())
    largest = max(2, shorter - shorter % 2)
    if longest <= shorter:
        side = min(max(desired, _even_above(longest)), largest)
    elif pad == "needed":
        side = _even_above(longest)
    else:
        side, needed = largest, (last, first)
    left, top = (
        _corner(
            float(centre[axis]) - side / 2,
            (int(first[axis]), int(last[axis])),
            (float(needed[0][axis]), float(needed[1][axis])),
            side,
        )
        for axis in (0, 1)
    )
    return left, top, side


def padding_share(window: tuple[int, int, int], picture: Area) -> float:
    """The part of the window's area that lies outside ``picture``, 0–1."""
    left, top, side = window
    width = min(left + side, picture[2]) - max(left, picture[0])
    height = min(top + side, picture[3]) - max(top, picture[1])
    return 1.0 - max(0, width) * max(0, height) / side**2


def _even_above(length: float) -> int:
    """The least even number of at least ``length``, and 2 at least."""
    return max(2, 2 * math.ceil(length / 2 - 1e-9))


def _touching(corner: int, edges: tuple[int, ...], side: int) -> int:
    """The even corner nearest to ``corner`` from which 2 pixels between ``edges`` are held."""
    lowest, highest = math.ceil((edges[0] + 2 - side) / 2), math.floor((edges[1] - 2) / 2)
    return min(max(corner, 2 * lowest), 2 * highest)


def _corner(wished: float, edges: tuple[int, int], needed: tuple[float, float], side: int) -> int:
    """Where the window begins along one axis: the even number nearest to ``wished``, else the
    nearest whole one, at which it lies between ``edges`` (or covers them) and holds ``needed``.
    """
    lowest, highest = sorted((edges[0], edges[1] - side))
    least, most = max(float(lowest), needed[1] - side), min(float(highest), needed[0])
    for step in (2, 1):
        first, last = step * math.ceil(least / step), step * math.floor(most / step)
        if first <= last:
            return min(max(step * round(wished / step), first), last)
    return min(max(round((least + most) / 2), lowest), highest)
