"""PP-OCRv6's detector: where a picture shows text, burnt in or of the scene; it reads none of it.
Shape legend: H, W picture; N boxes.
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.functional.text_boxes import Boxes, text_boxes
from talkingface_wild.perception.onnx_network import import_cv2
from talkingface_wild.perception.onnx_session import open_session

Picture = NDArray[np.uint8]

WEIGHT = "ppocr_det"
"""The weight: ``PP-OCRv6_det_small.onnx`` of PaddleOCR, as rapidocr's wheel holds it."""
SIDE = 512
"""The longer side of what is searched, in pixels; a smaller picture is searched as it is."""
_INPUT = "x"
_MULTIPLE = 32
"""The network halves its input five times, so sides are multiples of this."""


class TextDetector:
    """Boxes around lines of text.

    ``size`` see ``SIDE``; ``threads`` how many threads one picture may take.
    """

    def __init__(self, path: Path, size: int = SIDE, threads: int = 1) -> None:
        self.path = path
        self.size = size
        self.threads = threads
        self._session: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the network; WeightMissing when the file is absent, damaged or another network."""
        self._session = open_session(self.path, device, self.threads, [_INPUT])
        return self

    def boxes(self, rgb_HWC: Picture) -> Boxes:
        """Corners (N, 4, 2), x before y, of the lines of text in a picture (H, W, 3) uint8."""
        height, width = rgb_HWC.shape[:2]
        return text_boxes(self.probabilities(rgb_HWC), height, width)

    def probabilities(self, rgb_HWC: Picture) -> NDArray[np.float32]:
        """That a pixel belongs to a line of text, 0–1, at the size that is searched."""
        if self._session is None:
            self.open()
        height, width = rgb_HWC.shape[:2]
        scale = min(1.0, self.size / max(height, width))
        tall, wide = (
            max(1, round(side * scale / _MULTIPLE)) * _MULTIPLE for side in (height, width)
        )
        picture_HWC = rgb_HWC
        if (tall, wide) != (height, width):
            picture_HWC = import_cv2().resize(rgb_HWC, (wide, tall))
        # It was trained on B, G, R in −1 to 1.
        bgr_1CHW = picture_HWC[:, :, ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1
        (maps,) = self._session.run(None, {_INPUT: bgr_1CHW})
        probabilities: NDArray[np.float32] = maps[0, 0]
        return probabilities
