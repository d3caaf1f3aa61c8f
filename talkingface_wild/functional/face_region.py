"""Turned squares of a picture that networks of one face or one eye look at, after MediaPipe's rules
(face_landmark and iris_landmark graphs, Apache-2.0). Geometry alone: no picture, no network.
A point is x, y in pixels, where a picture's first pixel reaches from 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats

FACE_SCALE = 1.5
"""Side of a face's square, in longer sides of its box."""
EYE_SCALE = 2.3
"""Side of an eye's square, in distances between its corners."""
EYES_IN_FACE = 2.8
HEIGHTS_IN_FACE = 2.55
"""Longer side of a mesh's box in distances between eyes, and from the eyes to the mouth: medians
over 20 real clips."""
OUTER_CORNERS = (33, 263)
"""The eyes' outer corners in the mesh, the picture's left first."""
LEFT_EYE = (33, 133)
"""Outer and inner corner, in the mesh, of the eye at the picture's left."""
RIGHT_EYE = (263, 362)


@dataclass(frozen=True)
class Region:
    """A square of ``side`` pixels around (``x``, ``y``), turned clockwise by ``turn`` radians.

    ``mirrored`` squares are seen with left and right exchanged.
    """

    x: float
    y: float
    side: float
    turn: float = 0.0
    mirrored: bool = False

    def axes(self) -> Floats:
        """(2, 2): a step of one side to the square's right, and one down, in the picture."""
        cosine, sine = math.cos(self.turn), math.sin(self.turn)
        axes = self.side * np.array([[cosine, sine], [-sine, cosine]])
        return axes * np.array([[-1.0], [1.0]]) if self.mirrored else axes

    def to_picture(self, shares_ND: npt.NDArray[Any]) -> Floats:
        """Points given in sides of the square, (N, 2 or 3), in pixels of the picture.

        A third column is a depth, and becomes pixels as well.
        """
        points = np.asarray(shares_ND, dtype=np.float64)
        flat = (points[:, :2] - 0.5) @ self.axes() + [self.x, self.y]
        return np.column_stack([flat, points[:, 2:] * self.side])

    def sampling(self, size: int) -> Floats:
        """(2, 3): from a pixel of the square at ``size`` × ``size`` to the picture's pixel.

        Both count from the middle of their first pixel, as OpenCV's warpAffine does.
        """
        axes = self.axes()
        first = np.array([self.x, self.y]) + (0.5 / size - 0.5) * axes.sum(axis=0) - 0.5
        return np.column_stack([axes.T / size, first])


def region_of_box(box_4: npt.NDArray[Any], points_52: npt.NDArray[Any] | None = None) -> Region:
    """The square of a detector's box (x0, y0, x1, y1), level, or as level as the eyes are.

    ``points_52`` are the detector's five points, eyes first, the picture's left before its right.
    MediaPipe's rule. Raises ValueError for a box without area.
    """
    x0, y0, x1, y1 = (float(edge) for edge in np.asarray(box_4)[:4])
    side = max(x1 - x0, y1 - y0)
    if not side > 0 or not math.isfinite(side):
        raise ValueError(f"expected a box x0, y0, x1, y1 with an area, found {x0, y0, x1, y1}")
    turn = 0.0 if points_52 is None else _turn(points_52[0], points_52[1])
    return Region((x0 + x1) / 2, (y0 + y1) / 2, FACE_SCALE * side, turn)


def region_of_points(points_52: npt.NDArray[Any]) -> Region:
    """The square of a face that is known by its eyes, nose and corners of the mouth alone.

    A mesh is some 2.8 distances between the eyes long, and 2.55 between eyes and mouth; a face
    turned away shortens the one, a face bent down the other, so the longer counts. Raises
    ValueError when all points coincide.
    """
    eyes_22, mouth_22 = np.asarray(points_52, dtype=np.float64)[[[0, 1], [3, 4]]]
    down_2 = mouth_22.mean(axis=0) - eyes_22.mean(axis=0)
    across = float(np.linalg.norm(eyes_22[1] - eyes_22[0]))
    reach = max(EYES_IN_FACE * across, HEIGHTS_IN_FACE * float(np.linalg.norm(down_2))) / 2
    middle = np.mean(points_52, axis=0) - 0.08 * down_2
    return region_of_box(np.concatenate([middle - reach, middle + reach]), eyes_22)


def region_of_mesh(points_ND: npt.NDArray[Any]) -> Region:
    """The square in which the next frame's mesh is looked for: around this mesh, its eyes level.

    ``points_ND`` is a mesh of 468 points, (468, 2 or 3).
    """
    low, high = points_ND[:, :2].min(axis=0), points_ND[:, :2].max(axis=0)
    corners = points_ND[list(OUTER_CORNERS), :2]
    return region_of_box(np.concatenate([low, high]), corners)


def regions_of_eyes(points_ND: npt.NDArray[Any]) -> tuple[Region, Region]:
    """The squares of the eyes of a mesh, the picture's left first, the right one mirrored.

    Mirrored, both look like the eye that the iris network was trained on.
    """
    squares = []
    for outer, inner in (LEFT_EYE, RIGHT_EYE):
        ends = points_ND[[outer, inner], :2].astype(np.float64)
        first, last = ends if outer == LEFT_EYE[0] else ends[::-1]
        middle = ends.mean(axis=0)
        side = EYE_SCALE * float(np.linalg.norm(last - first))
        squares.append(
            Region(
                float(middle[0]),
                float(middle[1]),
                side,
                _turn(first, last),
                mirrored=outer == RIGHT_EYE[0],
            )
        )
    return squares[0], squares[1]


def _turn(left_2: npt.NDArray[Any], right_2: npt.NDArray[Any]) -> float:
    """By how many radians a line leans clockwise in the picture."""
    return math.atan2(float(right_2[1] - left_2[1]), float(right_2[0] - left_2[0]))
