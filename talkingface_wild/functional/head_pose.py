"""Yaw, pitch and roll of a head from five points of its face, in closed form; nothing of tracks.
Shape legend: T samples, five points in the order eyes, nose, corners of the mouth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FACE_53: Floats = np.array(
    [
        [-0.50, 0.00, 0.00],
        [0.50, 0.00, 0.00],
        [0.00, 0.58, 0.50],
        [-0.40, 1.05, 0.05],
        [0.40, 1.05, 0.05],
    ]
)
"""A face in distances between its pupils: x to the picture's right, y down, z towards the camera.
Round proportions of an adult: with pupils 63 mm apart, the mouth is 66 mm below them and 50 mm
wide, the tip of the nose 36 mm below and 31 mm in front."""


def head_angles(points_T52: npt.NDArray[Any]) -> Floats:
    """Yaw, pitch and roll in degrees, (T, 3), of faces given by five points each.

    An affine camera is fitted to ``FACE_53`` by least squares; the nearest scaled rotation gives
    the angles (scaled orthography, the polar factor of its two rows). Yaw is positive when the
    nose points to the picture's right, pitch when it points down, roll when the head leans
    clockwise. Points in one place give zeros.
    """
    points = np.asarray(points_T52, dtype=np.float64).reshape(-1, 5, 2)
    model = FACE_53 - FACE_53.mean(axis=0)
    centred = points - points.mean(axis=1, keepdims=True)
    camera_T23 = np.swapaxes(centred, 1, 2) @ np.linalg.pinv(model).T
    left, _, right = np.linalg.svd(camera_T23, full_matrices=False)
    rows_T23 = left @ right
    forward_T3 = np.cross(rows_T23[:, 0], rows_T23[:, 1])
    # The third column holds the picture coordinates of the direction that the nose points to.
    yaw = np.arctan2(rows_T23[:, 0, 2], forward_T3[:, 2])
    pitch = np.arcsin(np.clip(rows_T23[:, 1, 2], -1, 1))
    roll = np.arctan2(rows_T23[:, 1, 0], rows_T23[:, 1, 1])
    angles = np.degrees(np.stack([yaw, pitch, roll], axis=1))
    angles[np.abs(centred).max(axis=(1, 2), initial=0) == 0] = 0.0
    return np.asarray(angles, dtype=np.float64)
