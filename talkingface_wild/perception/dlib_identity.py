"""Whose face it is, by dlib's face descriptor (King, 2017): weights that commercial use may have.
Embeds faces and nothing else: it says neither sex, nor age, nor origin, and names nobody.
Shape legend: N faces, H height, W width, C channels (RGB), D dimensions, 5 points (eyes, nose,
corners of the mouth, the picture's left before its right).
"""

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.errors import ExtraMissing, WeightMissing
from talkingface_wild.perception.arcface import SIZE, TEMPLATE_52

Picture = NDArray[np.uint8]

WEIGHT = "dlib_identity"
"""The weight: ``dlib_face_recognition_resnet_model_v1.dat``, a ResNet of 29 layers."""
POINTS_WEIGHT = "dlib_points"
"""The weight that finds the points dlib aligns by: ``shape_predictor_5_face_landmarks.dat``."""
DIMENSIONS = 128
SAME_DISTANCE = 0.45
"""Euclidean distance of descriptors below which two faces are held to be one person's. The usual
.60 lets too much pass: among 16 clips different people come as near as .451, and the nearest are
of East Asia, on whose faces the network is weak. So it is never to be raised."""
SAME_COSINE = 0.954
"""The same bound for embeddings of unit length: 1 − .45² ÷ (2 × 1.48²), 1.48 being the mean length
of a descriptor."""
POINTS_TO_SIDE = 1.6
"""Side of the square that dlib's own detector draws, in lengths of the diagonal whose legs are the
distance of the eyes and that from them to the mouth: the median over 36 faces of 18 clips, as the
two below. The square's middle is the mean of the five points."""
BOX_TO_SIDE = 0.79
"""The same side in heights of a box from the brow to the chin, as SCRFD's."""
BOX_SHIFT = 0.06
"""How far the square's middle lies below the box's, in its heights."""
_BATCH = 16


class DlibIdentity:
    """dlib's descriptor of faces, by its own five points, on the CPU.

    ``path`` is the file of ``dlib_identity``, ``points_path`` that of ``dlib_points``.
    """

    def __init__(self, path: Path, points_path: Path) -> None:
        self.path = path
        self.points_path = points_path
        self._dlib: Any = None
        self._points: Any = None
        self._network: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load both files; ``device`` makes no difference.

        Raises ExtraMissing without the package dlib, WeightMissing when a file is absent, damaged
        or another one.
        """
        dlib = import_dlib()
        self._points = _load(dlib.shape_predictor, self.points_path, POINTS_WEIGHT)
        self._network = _load(dlib.face_recognition_model_v1, self.path, WEIGHT)
        self._dlib = dlib
        return self

    def embed(self, crops_NHWC: Sequence[Picture] | Picture) -> NDArray[np.float32]:
        """Embeddings (N, 128) of unit length, of crops (N, 112, 112, 3) as ``arcface.align`` gives.

        What ``ArcFacePerceiver.embed`` is to its network. Compare by ``SAME_COSINE``. Raises
        ValueError for crops of another size.
        """
        crops = np.asarray(crops_NHWC)
        if not len(crops):
            return np.zeros((0, DIMENSIONS), dtype=np.float32)
        if crops.shape[1:] != (SIZE, SIZE, 3):
            raise ValueError(f"expected aligned crops of 112 x 112 x 3, found {crops.shape[1:]}")
        square = square_of_points(TEMPLATE_52)
        descriptors_ND = self._describe([(crop, square) for crop in crops])
        return descriptors_ND / np.linalg.norm(descriptors_ND, axis=1, keepdims=True)

    def of_points(
        self, rgb_HWC: Picture, points_N52: Sequence[NDArray[Any]] | NDArray[Any]
    ) -> NDArray[np.float32]:
        """The descriptors (N, 128), as dlib gives them, of a picture's faces by their five points.

        Lengths are about 1.5; compare by ``SAME_DISTANCE``. Raises ValueError for a face whose
        points coincide or are no numbers, and for a picture that is not (H, W, 3) uint8.
        """
        return self._describe([(rgb_HWC, square_of_points(points)) for points in points_N52])

    def of_boxes(
        self, rgb_HWC: Picture, boxes_N4: Sequence[NDArray[Any]] | NDArray[Any]
    ) -> NDArray[np.float32]:
        """``of_points`` where boxes alone are known: x0, y0, x1, y1 from the brow to the chin."""
        return self._describe([(rgb_HWC, square_of_box(box)) for box in boxes_N4])

    def _describe(self, faces: list[tuple[Picture, NDArray[np.float64]]]) -> NDArray[np.float32]:
        """Descriptors of the faces in squares of pictures, some at a time."""
        if self._dlib is None:
            self.open()
        rows = [np.zeros((0, DIMENSIONS), dtype=np.float32)]
        for start in range(0, len(faces), _BATCH):
            chips = [self._chip(*face) for face in faces[start : start + _BATCH]]
            vectors = self._network.compute_face_descriptor(chips)
            rows.append(np.array([list(vector) for vector in vectors], dtype=np.float32))
        return np.concatenate(rows)

    def _chip(self, rgb_HWC: Picture, square_4: NDArray[np.float64]) -> Picture:
        """The face as dlib's network sees it, (150, 150, 3), turned upright by its five points."""
        if rgb_HWC.ndim != 3 or rgb_HWC.shape[2] != 3 or rgb_HWC.dtype != np.uint8:
            raise ValueError(
                f"expected a picture of shape (H, W, 3) and type uint8, found {rgb_HWC.shape} "
                f"{rgb_HWC.dtype}"
            )
        picture = np.ascontiguousarray(rgb_HWC)
        place = self._dlib.rectangle(*(round(float(edge)) for edge in square_4))
        chip: Picture = self._dlib.get_face_chip(picture, self._points(picture, place))
        return chip


def square_of_points(points_52: NDArray[Any]) -> NDArray[np.float64]:
    """The square x0, y0, x1, y1 in which dlib looks for its points, from five others.

    Raises ValueError for points that coincide or are no numbers.
    """
    points = np.asarray(points_52, dtype=np.float64)
    across = np.linalg.norm(points[1] - points[0])
    down = np.linalg.norm((points[3] + points[4] - points[0] - points[1]) / 2)
    side = POINTS_TO_SIDE * float(np.hypot(across, down))
    if not (np.isfinite(points).all() and side > 0):
        raise ValueError("expected five different points of a face, found them in one place")
    return _square(points.mean(axis=0), side)


def square_of_box(box_4: NDArray[Any]) -> NDArray[np.float64]:
    """The same square from a box x0, y0, x1, y1; ValueError when the box has no area."""
    box = np.asarray(box_4, dtype=np.float64)
    width, height = box[2:4] - box[:2]
    if not (np.isfinite(box).all() and width > 0 and height > 0):
        raise ValueError(f"expected the box of a face, found one of {width:g} x {height:g} pixels")
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2 + BOX_SHIFT * height])
    return _square(middle, BOX_TO_SIDE * float(height))


def import_dlib() -> ModuleType:
    """The module dlib, or ExtraMissing with the line that installs it."""
    try:
        import dlib
    except ImportError as error:
        raise ExtraMissing(
            "Expected the package dlib for embeddings of faces, found none installed; "
            "run: pip install 'talkingface-wild[identity]'"
        ) from error
    return dlib


def _square(middle_2: NDArray[np.float64], side: float) -> NDArray[np.float64]:
    return np.concatenate([middle_2 - side / 2, middle_2 + side / 2])


def _load(kind: Any, path: Path, weight: str) -> Any:
    """What dlib makes of a file: ``kind`` is one of its classes."""
    remedy = f"get {weight} with 'tfw weights fetch' or 'tfw weights import DIR'."
    if not path.is_file():
        raise WeightMissing(f"Expected dlib's file at {path}, found no file; {remedy}")
    try:
        return kind(str(path))
    except RuntimeError as error:
        raise WeightMissing(
            f"Expected the weight {weight} in {path}, found a damaged or foreign file; {remedy}"
        ) from error
