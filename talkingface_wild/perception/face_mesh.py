"""MediaPipe's mesh of 468 points of a face, with depth: a picture and where its face lies go in.
Nothing of angles, openings or clips. Shape legend: N faces, 468 points, 3 axes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional.face_region import Region, region_of_mesh
from talkingface_wild.perception.tflite_network import TfliteNetwork

Picture = NDArray[np.uint8]

WEIGHT = "face_mesh"
SIZE = 192
"""Side of the square that the network sees, in pixels."""
POINTS = 468
LEAST_CONFIDENCE = 0.5
"""MediaPipe takes a square for a face from this confidence."""
_OUTPUTS = ("conv2d_20", "conv2d_30")
"""The points in pixels of the square, and the logit of a face."""


@dataclass(frozen=True)
class Meshes:
    """``points_N4683`` in pixels of their pictures; ``confidences_N`` that they lie on a face, 0–1.

    Depth counts in pixels as well, from the middle of the head, less is nearer to the camera. The
    picture's first pixel reaches from 0 to 1.
    """

    points_N4683: Floats
    confidences_N: Floats


class FaceMesh:
    """The mesh network (Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video
    on Mobile GPUs", CVPR workshop 2019). ``path`` is ``face_landmark.tflite``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the network; OpenCV runs it on the CPU whatever ``device`` is.

        Raises WeightMissing when the file is absent, damaged or another network.
        """
        self._network = TfliteNetwork(self.path, WEIGHT, SIZE, _OUTPUTS)
        return self

    def look(self, pictures: Sequence[Picture], regions: Sequence[Region]) -> Meshes:
        """The mesh in one region of each RGB picture, (H, W, 3) uint8; a picture may come twice.

        A region is a detector's (``region_of_box``) or the last frame's (``region_of_mesh``). A
        region without a face gives points as well, and a confidence below ``LEAST_CONFIDENCE``.
        Raises ValueError when there are not as many pictures as regions.
        """
        if len(pictures) != len(regions):
            raise ValueError(
                f"expected one region for each picture, found {len(pictures)} pictures and "
                f"{len(regions)} regions"
            )
        if self._network is None:
            self.open()
        points_N4683 = np.zeros((len(regions), POINTS, 3))
        logits_N = np.zeros(len(regions))
        for index, (picture, region) in enumerate(zip(pictures, regions, strict=True)):
            flat, logit = self._network.run(picture, region)
            points_N4683[index] = region.to_picture(flat.reshape(POINTS, 3) / SIZE)
            logits_N[index] = logit[0]
        return Meshes(points_N4683, 1 / (1 + np.exp(-logits_N)))

    def follow(
        self, pictures: Iterable[Picture], find: Callable[[Picture], Region | None]
    ) -> Meshes:
        """One face through consecutive pictures, one row each.

        Each next region comes from the mesh before, as MediaPipe does it. ``find`` (a detector)
        is asked for the first picture, and again where the face is lost: a mesh that the last
        one's region gives below ``LEAST_CONFIDENCE`` is looked for anew in the same picture. Rows
        without a face hold NaN, and a confidence of 0 where nothing was looked at.
        """
        rows = [np.zeros((0, POINTS, 3))]
        confidences = [np.zeros(0)]
        region: Region | None = None
        for picture in pictures:
            mesh = _NOTHING if region is None else self.look([picture], [region])
            if not mesh.confidences_N[0] >= LEAST_CONFIDENCE:
                region = find(picture)
                mesh = mesh if region is None else self.look([picture], [region])
            points_14683, confidence_1 = mesh.points_N4683, mesh.confidences_N
            if confidence_1[0] >= LEAST_CONFIDENCE:
                region = region_of_mesh(points_14683[0])
            else:
                region = None
                points_14683 = np.full((1, POINTS, 3), np.nan)
            rows.append(points_14683)
            confidences.append(confidence_1)
        return Meshes(np.concatenate(rows), np.concatenate(confidences))


_NOTHING = Meshes(np.full((1, POINTS, 3), np.nan), np.zeros(1))
