"""TFLite networks, read by OpenCV, that look at one square of a picture. Knows files and pixels
alone. Shape legend: H height, W width, C channels (RGB).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.face_region import Region
from talkingface_wild.perception.onnx_network import import_cv2

Picture = NDArray[np.uint8]


class TfliteNetwork:
    """One network whose input is a square of ``size`` × ``size`` RGB pixels in 0–1.

    ``weight`` is its name in the manifest, ``outputs`` the names of what it gives. OpenCV runs it
    on the CPU, one square at a time: batches take as long, and a network whose batch has changed
    is one more thing to trust.

    Raises WeightMissing when the file is absent, damaged or another network.
    """

    def __init__(self, path: Path, weight: str, size: int, outputs: Sequence[str]) -> None:
        cv2 = import_cv2()
        self.size = size
        self.outputs = tuple(outputs)
        remedy = f"get the published file with 'tfw weights fetch {weight}'."
        if not path.is_file():
            raise WeightMissing(
                f"Expected a TFLite file (*.tflite) at {path}, found none; {remedy}"
            )
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
        try:
            self._network: Any = cv2.dnn.readNetFromTFLite(str(path))
        except cv2.error as error:
            raise WeightMissing(
                f"Expected a TFLite network in {path}, found a damaged or foreign file; {remedy}"
            ) from error
        finally:
            cv2.utils.logging.setLogLevel(level)
        if set(self._network.getUnconnectedOutLayersNames()) != set(outputs):
            raise WeightMissing(
                f"Expected the network {weight} in {path}, found another one; {remedy}"
            )

    def run(self, rgb_HWC: Picture, region: Region) -> list[NDArray[np.float32]]:
        """Every output, flat, for one region of a picture (H, W, 3) uint8.

        The square is sampled bilinearly, as published, and black beyond the picture.
        """
        cv2 = import_cv2()
        square_HWC = cv2.warpAffine(
            rgb_HWC,
            region.sampling(self.size),
            (self.size, self.size),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        self._network.setInput(square_HWC.transpose(2, 0, 1)[None].astype(np.float32) / 255)
        return [
            np.array(numbers, dtype=np.float32).reshape(-1)
            for numbers in self._network.forward(self.outputs)
        ]
