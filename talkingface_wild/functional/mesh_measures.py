"""What a mesh of 468 points tells of a face: how far the mouth opens, where the head looks.
Pure arithmetic on points in pixels; no networks, no tracks, no bounds.
Shape legend: N meshes, 468 points, 3 axes: x to the right in the picture, y down, z away from the
camera.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

INNER_LIPS = (13, 14)
"""Middle of the inner edge of the upper lip, and of the lower one."""
LIPS = (61, 291, 0, 17, 13, 14, 78, 308)
"""Corners, outer middles, inner middles and inner corners of the lips."""
EYE_CORNERS = ((33, 133), (263, 362))
"""Outer and inner corner of the eye at the picture's left, and of the other."""

_SIDES: dict[tuple[int, int], tuple[float, float, float]] = {
    (33, 263): (0.72, -0.01, 0.04),
    (133, 362): (0.28, 0.01, -0.04),
    (193, 417): (0.12, -0.06, -0.24),
    (98, 327): (0.27, 0.68, -0.23),
    (64, 294): (0.30, 0.62, -0.30),
    (50, 280): (0.78, 0.50, -0.03),
    (103, 332): (0.79, -0.71, 0.03),
    (54, 284): (0.95, -0.58, 0.24),
    (127, 356): (1.11, -0.01, 0.83),
    (234, 454): (1.09, 0.21, 0.92),
}
"""Pairs of points left and right of the face's middle, and where the right one lies."""
_MIDDLE: dict[int, tuple[float, float]] = {
    10: (-0.84, -0.28),
    151: (-0.59, -0.32),
    9: (-0.33, -0.35),
    168: (-0.07, -0.31),
    6: (0.06, -0.37),
    197: (0.17, -0.45),
    195: (0.28, -0.53),
    4: (0.53, -0.65),
    1: (0.63, -0.61),
    2: (0.71, -0.35),
}
"""Points in the face's middle, and their y and z."""
STABLE_POINTS = tuple(index for pair in _SIDES for index in pair) + tuple(_MIDDLE)
"""Indices of points that lips and lids move little: brow, eyes' corners, nose, temples, cheeks."""
STABLE_FACE_K3: Floats = np.array(
    [[sign * x, y, z] for x, y, z in _SIDES.values() for sign in (-1.0, 1.0)]
    + [[0.0, y, z] for y, z in _MIDDLE.values()]
)
"""Those points of a face that looks straight ahead, in distances between the eyes: the mean of 19
real clips' meshes laid onto one another and made symmetric, upright when the middle of the mouth's
corners lies straight below that of the eyes. A mesh is off it by .025 on average."""


def eye_distances(points_N4683: npt.NDArray[Any]) -> Floats:
    """From the middle of one eye's corners to that of the other, in pixels of space, (N,)."""
    left, right = (points_N4683[:, list(pair)].mean(axis=1) for pair in EYE_CORNERS)
    return np.asarray(np.linalg.norm(right - left, axis=1), dtype=np.float64)


def mouth_openings(points_N4683: npt.NDArray[Any]) -> Floats:
    """Gap between the inner lips in distances between the eyes, (N,); 0 is a mouth that is shut.

    Both are taken in space, so that a head may turn. Meshes without extent give 0.
    """
    upper, lower = (points_N4683[:, index] for index in INNER_LIPS)
    gaps_N = np.linalg.norm(np.asarray(lower - upper, dtype=np.float64), axis=1)
    return np.asarray(gaps_N / np.maximum(eye_distances(points_N4683), 1e-9), dtype=np.float64)


def mesh_angles(points_N4683: npt.NDArray[Any]) -> Floats:
    """Yaw, pitch and roll in degrees, (N, 3), of heads given by meshes.

    The rotation that brings ``STABLE_FACE_K3`` nearest to the mesh, scale and place aside (least
    squares; Kabsch 1976, Umeyama 1991). Signs and order are those of ``head_angles``: yaw is
    positive when the nose points to the picture's right, pitch when it points down, roll when the
    head leans clockwise; a head turns, then nods, then leans. Meshes without extent give zeros,
    meshes of NaN angles of NaN.
    """
    towards = np.array([1.0, 1.0, -1.0])
    seen = np.asarray(points_N4683, dtype=np.float64)[:, list(STABLE_POINTS)] * towards
    absent = ~np.isfinite(seen).all(axis=(1, 2))
    seen[absent] = 0.0
    seen = seen - seen.mean(axis=1, keepdims=True)
    model = (STABLE_FACE_K3 - STABLE_FACE_K3.mean(axis=0)) * towards
    left, _, right = np.linalg.svd(np.swapaxes(seen, 1, 2) @ model)
    # A reflection would fit a face seen inside out: it is turned back on the weakest axis.
    left[:, :, 2] *= np.sign(np.linalg.det(left @ right))[:, None]
    turned = left @ right
    yaw = np.arctan2(-turned[:, 2, 0], turned[:, 2, 2])
    pitch = np.arcsin(np.clip(-turned[:, 2, 1], -1.0, 1.0))
    roll = np.arctan2(-turned[:, 0, 1], turned[:, 1, 1])
    angles = np.degrees(np.stack([yaw, pitch, roll], axis=1))
    angles[np.abs(seen).max(axis=(1, 2), initial=0.0) == 0] = 0.0
    angles[absent] = np.nan
    return np.asarray(angles, dtype=np.float64)


def mouth_confidences(
    points_N4683: npt.NDArray[Any], confidences_N: npt.NDArray[Any], width: int, height: int
) -> Floats:
    """How far a mesh's mouth can be trusted, (N,), 0–1.

    The mesh's own confidence, times the share of eight points of the lips that lie in the picture
    (``width`` × ``height`` pixels), times the cosine of the head's yaw: a mouth in profile is half
    hidden. A mesh of NaN gives 0. A hand before the mouth is not noticed.
    """
    lips = points_N4683[:, list(LIPS), :2]
    inside = ((lips >= 0) & (lips <= [width, height])).all(axis=2).mean(axis=1)
    faced = np.clip(np.cos(np.radians(mesh_angles(points_N4683)[:, 0])), 0.0, 1.0)
    return np.nan_to_num(np.asarray(confidences_N * inside * faced, dtype=np.float64))
