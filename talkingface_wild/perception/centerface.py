"""CenterFace: a small detector of faces under the MIT licence, run by onnxruntime at any size.
One picture in, boxes and five points out. Shape legend: H, W picture; h, w maps of a quarter of its
sides; C channels; N faces.
"""

import math
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.face_samples import Detection
from talkingface_wild.perception.onnx_network import import_cv2
from talkingface_wild.perception.onnx_session import session_settings

Picture = NDArray[np.uint8]

SIDE = 320
"""The longer side of picture and border, in pixels, when they are searched."""
BORDER = 0.1
"""Black border on each side, in longer sides of the picture: a face that the picture cuts is missed
without it (of 79 cut to four fifths of their boxes 66 are found, all with it). The wider border
that SCRFD needs finds no more, and costs small faces."""
_INPUT = "input.1"
_OUTPUTS = ("537", "538", "539", "540")
"""Of a face at each place: its score, log sides, offset and five points."""
_STRIDE = 4
_MULTIPLE = 32
"""The network halves its input five times, so sides are multiples of this."""
_LEAST_OVERLAP = 0.3
"""Boxes whose intersection over union is this or more are one face, as published."""


class CenterFaceDetector:
    """CenterFace (Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point",
    Scientific Programming 2020), with five points.

    ``path`` is the published ONNX file; ``size`` see ``SIDE``; ``confidence`` the least score;
    ``padding`` see ``BORDER``; ``threads`` how many threads one picture may take.
    """

    def __init__(
        self,
        path: Path,
        size: int = SIDE,
        confidence: float = 0.5,
        padding: float = BORDER,
        threads: int = 1,
    ) -> None:
        self.path = path
        self.size = size
        self.confidence = confidence
        self.padding = padding
        self.threads = threads
        self._session: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the network; WeightMissing when the file is absent, damaged or another network."""
        import onnxruntime

        settings = session_settings(self.path, device, self.threads)
        try:
            self._session = onnxruntime.InferenceSession(_any_size(self.path), **settings)
        except Exception as error:
            # Neither onnxruntime's nor protobuf's errors share a base below Exception.
            raise WeightMissing(
                f"Expected CenterFace's network in {self.path}, found a damaged or foreign file; "
                "get the published one with 'tfw weights fetch centerface'."
            ) from error
        return self

    def detect(self, rgb_HWC: Picture) -> Detection:
        """The faces with at least ``confidence``, surest first, with their five points.

        Boxes reach beyond the picture where the face does.
        """
        if self._session is None:
            self.open()
        height, width = rgb_HWC.shape[:2]
        margin = self.padding * max(height, width)
        scale = self.size / (max(height, width) + 2 * margin)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        border = round(margin * scale)
        canvas = [math.ceil((side + 2 * border) / _MULTIPLE) * _MULTIPLE for side in inner]
        cv2 = import_cv2()
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        canvas_HWC = np.zeros((canvas[1], canvas[0], 3), dtype=np.float32)
        canvas_HWC[border : border + inner[1], border : border + inner[0]] = cv2.resize(
            rgb_HWC, inner, interpolation=how
        )
        heat, sides, offsets, points = (
            maps[0]
            for maps in self._session.run(_OUTPUTS, {_INPUT: canvas_HWC.transpose(2, 0, 1)[None]})
        )
        scores_N, boxes_N4, points_N52 = _faces(heat, sides, offsets, points, self.confidence)
        kept = _apart(boxes_N4, scores_N)
        per_pixel = np.array([width / inner[0], height / inner[1]], dtype=np.float32)
        boxes_N4 = (boxes_N4[kept] - border) * np.tile(per_pixel, 2)
        boxes_N5 = np.column_stack([boxes_N4, scores_N[kept]]).astype(np.float32)
        return Detection(boxes_N5, ((points_N52[kept] - border) * per_pixel).astype(np.float32))


def _any_size(path: Path) -> bytes:
    """The network of the file, for one picture of any size; ValueError when it is another one.

    The published file declares ten pictures of 32 x 32, and its weights as inputs, which keeps
    onnxruntime from folding them.
    """
    import onnx

    model = onnx.load(str(path))
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    pictures = [value for value in graph.input if value.name not in weights]
    if [value.name for value in pictures] != [_INPUT] or (
        tuple(value.name for value in graph.output) != _OUTPUTS
    ):
        raise ValueError("expected the inputs and outputs of CenterFace")
    del graph.input[:]
    graph.input.extend(pictures)
    for value in (*graph.input, *graph.output):
        for axis in (0, 2, 3):
            value.type.tensor_type.shape.dim[axis].dim_param = f"{value.name}_{axis}"
    model_bytes: bytes = model.SerializeToString()
    return model_bytes


def _faces(
    heat_1hw: NDArray[np.float32],
    log_sides_2hw: NDArray[np.float32],
    offsets_2hw: NDArray[np.float32],
    points_10hw: NDArray[np.float32],
    confidence: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Scores (N,), boxes (N, 4) and points (N, 5, 2) at every place of at least ``confidence``.

    Every pair of maps holds y before x. Sides are 4 exp(s) pixels, the middle lies at 4 (place +
    offset + 0.5), points count from the box's corner in its sides, as in the published code.
    """
    rows, columns = np.nonzero(heat_1hw[0] >= confidence)
    sides_N2 = _STRIDE * np.exp(log_sides_2hw[::-1, rows, columns].T)
    places_N2 = np.column_stack([columns, rows]) + offsets_2hw[::-1, rows, columns].T + 0.5
    low_N2 = _STRIDE * places_N2 - sides_N2 / 2
    shares_N52 = points_10hw[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]
    points_N52 = low_N2[:, None] + shares_N52 * sides_N2[:, None]
    return heat_1hw[0, rows, columns], np.hstack([low_N2, low_N2 + sides_N2]), points_N52


def _apart(boxes_N4: NDArray[np.float32], scores_N: NDArray[np.float32]) -> NDArray[np.intp]:
    """Which boxes stay, by falling score: those that overlap no surer one that stays."""
    order = np.argsort(-scores_N, kind="stable")
    low, high = np.split(boxes_N4[order], 2, axis=1)
    shared = np.prod(
        np.maximum(np.minimum(high[:, None], high) - np.maximum(low[:, None], low), 0), axis=2
    )
    areas = np.prod(high - low, axis=1)
    same = shared >= _LEAST_OVERLAP * (areas[:, None] + areas - shared)
    stays = np.ones(len(order), dtype=np.bool_)
    for index in range(len(order)):
        stays[index + 1 :] &= ~(stays[index] & same[index, index + 1 :])
    return order[stays]
