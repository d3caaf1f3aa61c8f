"""White regions on black from points of a face: polygons, boxes, and boxes with soft edges.

Masks are (H, W) uint8, 0 or 255. Points count in pixels, the first of which reaches from 0 to 1;
NaN stands for a frame without a face. T frames, K points, 2 axes.
"""

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

Mask = npt.NDArray[np.uint8]
_SUBPIXEL_BITS = 4
SOFT_SIDE = 64


def polygon_mask(corners_K2: Floats, side: int) -> Mask:
    """The polygon with these corners, white in a square of ``side`` pixels; black for NaN."""
    mask = np.zeros((side, side), np.uint8)
    if np.isfinite(corners_K2).all():
        fine = np.round((corners_K2 - 0.5) * 2**_SUBPIXEL_BITS).astype(np.int32)
        cv2.fillPoly(mask, [fine], 255, shift=_SUBPIXEL_BITS)
    return mask


def bounding_box(points_K2: Floats, side: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom in whole pixels around all finite points, within the picture.

    ``points_K2`` may have more axes in front. Raises ValueError where no point is finite.
    """
    flat = points_K2.reshape(-1, 2)
    flat = flat[np.isfinite(flat).all(axis=1)]
    if not len(flat):
        raise ValueError("expected a finite point for a bounding box, found none")
    left, top = np.clip(np.round(flat.min(axis=0)), 0, side - 1).astype(int)
    right, bottom = np.clip(np.round(flat.max(axis=0)), 1, side).astype(int)
    return int(left), int(top), int(right), int(bottom)


def box_mask(box: tuple[int, int, int, int], side: int) -> Mask:
    """The box (left, top, right, bottom), white in a square of ``side`` pixels."""
    left, top, right, bottom = box
    mask = np.zeros((side, side), np.uint8)
    mask[top:bottom, left:right] = 255
    return mask


def soft_mask(mask: Mask, kernel: int) -> Mask:
    """The mask at 64 x 64, blurred by a Gaussian of ``kernel`` pixels (odd, sigma as OpenCV takes
    it from the kernel), stretched to 0–255.
    """
    small = cv2.resize(mask, (SOFT_SIDE, SOFT_SIDE))
    blurred = cv2.GaussianBlur(small, (kernel, kernel), 0)
    stretched: Mask = np.empty_like(blurred)
    cv2.normalize(blurred, stretched, 0, 255, cv2.NORM_MINMAX)
    return stretched
