"""Yaw, pitch and roll of a head from five points of its face, in closed form; nothing of tracks.
Shape legend: T samples, five points in the order eyes, nose, corners of the mouth.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

FACE_53: Floats = np.array(
    [
        [-0.50, 0.00, 0.00],
        [0.50, 0.00, 0.00],
        [0.00, 0.56, 0.50],
        [-0.40, 1.08, 0.05],
        [0.40, 1.08, 0.05],
    ]
)
"""A face in distances between its pupils: x to the picture's right, y down, z towards the camera.
Round proportions of an adult: with pupils 63 mm apart, the mouth is 68 mm below them and 50 mm
wide, the tip of the nose 35 mm below and 31 mm in front."""


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
    turned_T23 = left @ right
    # Of a head that turns, then nods, then leans, the middle column holds the lean alone.
    roll = np.arctan2(-turned_T23[:, 0, 1], turned_T23[:, 1, 1])
    cosine, sine = np.cos(roll)[:, None], np.sin(roll)[:, None]
    across = cosine * turned_T23[:, 0] + sine * turned_T23[:, 1]
    down = cosine * turned_T23[:, 1] - sine * turned_T23[:, 0]
    yaw = np.arctan2(across[:, 2], across[:, 0])
    nodded = down[:, 2] * np.cos(yaw) - down[:, 0] * np.sin(yaw)
    pitch = np.arctan2(nodded, down[:, 1])
    angles = np.degrees(np.stack([yaw, pitch, roll], axis=1))
    angles[np.abs(centred).max(axis=(1, 2), initial=0) == 0] = 0.0
    return np.asarray(angles, dtype=np.float64)
