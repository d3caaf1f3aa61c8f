"""Whose face it is: five points to an aligned crop, crops to ArcFace embeddings. No clusters here.
Shape legend: N crops, H height, W width, C channels (RGB), D dimensions.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception.onnx_network import import_cv2, load_onnx

Picture = NDArray[np.uint8]

WEIGHT = "arcface_w600k_r50"
"""The weight: ``w600k_r50.onnx`` of InsightFace's pack buffalo_l (iResNet-50 on WebFace600K)."""
SIZE = 112
"""Side of an aligned crop, in pixels."""
DIMENSIONS = 512
TEMPLATE_52 = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)
"""Where eyes, nose and corners of the mouth lie in an aligned crop (InsightFace's template)."""
_BATCH = 32


def similarity(points_52: NDArray[Any], target_52: NDArray[Any]) -> NDArray[np.float64]:
    """The 2 × 3 similarity that brings ``points_52`` nearest to ``target_52`` (least squares).

    In the plane, Umeyama's solution (1991) without reflection is a complex regression. Raises
    ValueError when all points coincide.
    """
    source = np.asarray(points_52, dtype=np.float64) @ np.array([1, 1j])
    target = np.asarray(target_52, dtype=np.float64) @ np.array([1, 1j])
    centred = source - source.mean()
    spread = float(np.vdot(centred, centred).real)
    if not spread > 0:
        raise ValueError("expected five different points of a face, found them in one place")
    turn = np.vdot(centred, target - target.mean()) / spread
    shift = target.mean() - turn * source.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def align(rgb_HWC: Picture, points_52: NDArray[Any]) -> Picture:
    """The face as (112, 112, 3): its points brought to ``TEMPLATE_52``, black beyond the picture.

    ``points_52`` are pixels of ``rgb_HWC`` in the order eyes, nose, corners of the mouth, the
    picture's left before its right.
    """
    cv2 = import_cv2()
    matrix = similarity(points_52, TEMPLATE_52)
    return cv2.warpAffine(rgb_HWC, matrix, (SIZE, SIZE), borderValue=0.0)


def embed_batches(
    run: Callable[[Picture], NDArray[np.float32]],
    crops_NHWC: Sequence[Picture] | Picture,
    batch: int,
) -> NDArray[np.float32]:
    """Embeddings (N, 512) of unit length, by a network ``run`` on ``batch`` crops at a time.

    Raises ValueError for crops that are not (N, 112, 112, 3).
    """
    crops = np.asarray(crops_NHWC)
    if not len(crops):
        return np.zeros((0, DIMENSIONS), dtype=np.float32)
    if crops.shape[1:] != (SIZE, SIZE, 3):
        raise ValueError(f"expected aligned crops of 112 x 112 x 3, found {crops.shape[1:]}")
    raw = np.concatenate([run(crops[i : i + batch]) for i in range(0, len(crops), batch)])
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    return raw / np.maximum(lengths, np.float32(1e-12))


class ArcFacePerceiver:
    """ArcFace (Deng et al., CVPR 2019) through insightface's ONNX: aligned crops to embeddings."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        self.threads = threads
        self._model: Any = None
        self._batch = _BATCH

    def open(self, device: str = "cpu") -> Self:
        """Load the network and try it once.

        Raises WeightMissing when the file is absent, damaged, or does not turn 112 × 112 pictures
        into 512 numbers.
        """
        model = load_onnx(self.path, device, self.threads, "ArcFaceONNX")
        if device == "cpu":
            model.prepare(ctx_id=-1)
        self._batch = 1 if model.input_shape[0] == 1 else _BATCH
        shapes = tuple(model.input_size), self._run(model, np.zeros((1, SIZE, SIZE, 3))).shape
        if shapes != ((SIZE, SIZE), (1, DIMENSIONS)):
            raise WeightMissing(
                f"Expected a network from 112 x 112 pictures to 512 numbers in {self.path}, found "
                f"{shapes[0]} to {shapes[1][1:]}; get {WEIGHT} with 'tfw weights import DIR'."
            )
        self._model = model
        return self

    def embed(self, crops_NHWC: Sequence[Picture] | Picture) -> NDArray[np.float32]:
        """Embeddings (N, 512) of unit length, of aligned RGB crops (N, 112, 112, 3) uint8.

        Raises ValueError for crops of another size.
        """
        if self._model is None:
            self.open()
        return embed_batches(lambda crops: self._run(self._model, crops), crops_NHWC, self._batch)

    @staticmethod
    def _run(model: Any, crops_NHWC: NDArray[Any]) -> NDArray[np.float32]:
        """The network's own output; insightface takes off mean and scale (127.5 both)."""
        planes = np.ascontiguousarray(np.moveaxis(crops_NHWC, -1, 1), dtype=np.float32)
        return np.asarray(model.forward(planes), dtype=np.float32)
