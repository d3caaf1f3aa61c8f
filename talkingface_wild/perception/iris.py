"""MediaPipe's outline of one eye and of its iris: finer than the mesh, and lids that close.
Nothing of blinks or gaze over time. Shape legend: N faces, 2 eyes (the picture's left first),
71 points of an outline, 5 of an iris, 3 axes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional.face_region import regions_of_eyes
from talkingface_wild.perception.tflite_network import TfliteNetwork

Picture = NDArray[np.uint8]

WEIGHT = "iris"
SIZE = 64
"""Side of the square that the network sees, in pixels."""
OUTLINE = 71
IRIS = 5
_OUTPUTS = ("output_eyes_contours_and_brows", "output_iris")


@dataclass(frozen=True)
class Eyes:
    """``outlines_N2_71_3``: the lower lid from the outer corner to the inner one (9 points), the
    upper lid between the corners (7), then the parts around the eye and the brow.
    ``irises_N253``: an iris' middle and four points of its rim. Pixels, depth included.
    """

    outlines_N2_71_3: Floats
    irises_N253: Floats


class IrisNetwork:
    """The iris network (Ablavatski et al., "Real-time Pupil Tracking from Monocular Video for
    Digital Puppetry", CVPR workshop 2020). ``path`` is ``iris_landmark.tflite``.
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

    def look(self, pictures: Sequence[Picture], points_N4683: NDArray[Any]) -> Eyes:
        """Both eyes of one mesh in each RGB picture, (H, W, 3) uint8; a picture may come twice.

        A mesh of NaN, where no face was followed, has eyes of NaN. Raises ValueError when there
        are not as many pictures as meshes.
        """
        if len(pictures) != len(points_N4683):
            raise ValueError(
                f"expected one mesh for each picture, found {len(pictures)} pictures and "
                f"{len(points_N4683)} meshes"
            )
        if self._network is None:
            self.open()
        outlines_N2_71_3 = np.full((len(pictures), 2, OUTLINE, 3), np.nan)
        irises_N253 = np.full((len(pictures), 2, IRIS, 3), np.nan)
        for index, (picture, points) in enumerate(zip(pictures, points_N4683, strict=True)):
            if np.isnan(points).any():
                continue
            for eye, region in enumerate(regions_of_eyes(points)):
                outline, iris = self._network.run(picture, region)
                outlines_N2_71_3[index, eye] = region.to_picture(outline.reshape(-1, 3) / SIZE)
                irises_N253[index, eye] = region.to_picture(iris.reshape(-1, 3) / SIZE)
        return Eyes(outlines_N2_71_3, irises_N253)
