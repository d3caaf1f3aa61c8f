"""Laying a face onto a template by three points: LatentSync's alignment of brows and nose.

The loader of LatentSync hides a fixed region of the picture, which is the mouth only in faces that
were laid onto its template (``latentsync/utils/affine_transform.py``; the shape goes back to
StyleSync). Points count in pixels, the first of which reaches from 0 to 1.
"""

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats, Pictures

TEMPLATE_32: Floats = np.array([[17.0, 20.0], [58.0, 20.0], [37.5, 40.0]])
"""Middle of the brow at the picture's left, of the other one, and of the nose."""
TEMPLATE_SIZE = (75.0, 100.0)
"""Width and height of the field that the template lies in; it is then stretched to a square."""
OUTSIDE = (127, 127, 127)
"""What stands beyond the picture."""


def similarity_onto(points_K2: npt.ArrayLike, targets_K2: npt.ArrayLike) -> Floats:
    """The matrix (2, 3) that turns, scales and moves points onto targets.

    The rotation is the best one by least squares (Kabsch), the scale the ratio of their standard
    deviations, never a reflection. Raises ValueError for points without extent or NaN.
    """
    points, targets = (np.asarray(each, dtype=np.float64) for each in (points_K2, targets_K2))
    middle, centre = points.mean(axis=0), targets.mean(axis=0)
    spread = np.sqrt(np.square(points - middle).sum())
    if not np.isfinite(spread) or spread == 0:
        raise ValueError(f"expected points with an extent, found {points.tolist()}")
    scale = np.sqrt(np.square(targets - centre).sum()) / spread
    left, _, right = np.linalg.svd((targets - centre).T @ (points - middle))
    left[:, -1] *= np.sign(np.linalg.det(left @ right))
    turn = scale * (left @ right)
    return np.column_stack([turn, centre - turn @ middle])


def template_matrix(anchors_32: npt.ArrayLike, side: int) -> Floats:
    """The matrix (2, 3) from a picture with these anchors to a square of ``side`` pixels."""
    width, height = TEMPLATE_SIZE
    stretch = np.diag([side / width, side / height])
    return np.asarray(stretch @ similarity_onto(anchors_32, TEMPLATE_32), dtype=np.float64)


def aligned_picture(rgb: Pictures, anchors_32: npt.ArrayLike, side: int) -> Pictures:
    """The face (side, side, 3) laid onto the template; ``rgb`` is (H, W, 3)."""
    matrix = template_matrix(anchors_32, side)
    # OpenCV counts from the middle of the first pixel.
    matrix[:, 2] += matrix[:, :2] @ np.array([0.5, 0.5]) - 0.5
    warped = cv2.warpAffine(
        rgb,
        matrix,
        (side, side),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=OUTSIDE,
    )
    return np.asarray(warped)
