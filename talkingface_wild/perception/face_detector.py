"""Face detectors: one picture in, boxes and five points out. Nothing of tracks, clips or gates.
Shape legend: H height, W width, C channels (RGB), N faces.
"""

from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from talkingface_wild.core.errors import ExtraMissing, UsageError, WeightMissing, nearest
from talkingface_wild.functional.face_samples import Detection
from talkingface_wild.perception.centerface import CenterFaceDetector
from talkingface_wild.perception.onnx_network import import_cv2, load_onnx

__all__ = [
    "PADDING",
    "WEIGHTS",
    "CenterFaceDetector",
    "Detection",
    "Detector",
    "HaarDetector",
    "ScrfdDetector",
    "make_detector",
]

Picture = NDArray[np.uint8]

WEIGHTS: dict[str, str | None] = {
    "haar": None,
    "scrfd_10g": "scrfd_10g",
    "scrfd_2.5g": "scrfd_2.5g",
    "scrfd_500m": "scrfd_500m",
    "centerface": "centerface",
}
"""Every detector's name, and the weight of the manifest that it loads."""

PADDING = 0.25
"""Black border on each side, in longer sides of the picture: close-ups are missed without it."""


class Detector(Protocol):
    """What finds faces: opened once per worker, then asked picture by picture."""

    def open(self, device: str = "cpu") -> Self:
        """Load what ``detect`` needs onto ``device``."""
        ...

    def detect(self, rgb_HWC: Picture) -> Detection:
        """The faces of one RGB picture, (H, W, 3) uint8."""
        ...


class ScrfdDetector:
    """SCRFD (Guo et al., ICLR 2022) through insightface, with five points.

    ``path`` is an ONNX file as InsightFace publishes it; ``size`` the side of the square that the
    padded picture is fitted into; ``confidence`` the least score; ``padding`` see ``PADDING``;
    ``threads`` how many threads one picture may take.
    """

    def __init__(
        self,
        path: Path,
        size: int = 640,
        confidence: float = 0.5,
        padding: float = PADDING,
        threads: int = 1,
    ) -> None:
        self.path = path
        self.size = size
        self.confidence = confidence
        self.padding = padding
        self.threads = threads
        self._model: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the network; WeightMissing when the file is absent or no SCRFD with points."""
        model = load_onnx(self.path, device, self.threads, "SCRFD")
        if not model.use_kps:
            raise WeightMissing(
                f"Expected an SCRFD detector with five points in {self.path}, found one without; "
                "get a published file (*_kps.onnx, det_10g.onnx) with 'tfw weights import DIR'."
            )
        model.prepare(
            ctx_id=-1 if device == "cpu" else 0,
            input_size=(self.size, self.size),
            det_thresh=self.confidence,
        )
        self._model = model
        return self

    def detect(self, rgb_HWC: Picture) -> Detection:
        """The faces with at least ``confidence``, surest first, with their five points."""
        if self._model is None:
            self.open()
        margin = round(max(rgb_HWC.shape[:2]) * self.padding)
        bgr = np.pad(rgb_HWC[:, :, ::-1], ((margin, margin), (margin, margin), (0, 0)))
        boxes, points = self._model.detect(np.ascontiguousarray(bgr))
        shift = np.array([margin, margin, margin, margin, 0], dtype=np.float32)
        return Detection(
            np.asarray(boxes, dtype=np.float32) - shift,
            np.asarray(points, dtype=np.float32) - np.float32(margin),
        )


class HaarDetector:
    """OpenCV's frontal Haar cascade (Viola and Jones, CVPR 2001): no weights, no points.

    A detection's score is 0.5 + 0.5 m / (1 + m), where m is the margin by which its sum passes the
    threshold of the cascade's last stage. Of boxes that overlap, the surest stays. When several
    faces remain, each but the surest must be found by a second cascade as well: a lone false
    alarm costs no clip. Boxes are squares from the brow to the chin.
    """

    SIDE = 320
    """The padded picture's longer side, in pixels, when it is searched."""
    LEAST = 24
    """Side of the smallest face that is searched for, in pixels of that size."""
    STEP = 1.1
    NEIGHBOURS = 3
    LAST_STAGE_THRESHOLD = 105.76110
    """``stageThreshold`` of the last stage in ``haarcascade_frontalface_alt.xml``."""
    SHARED = 0.3
    """Boxes that share this part of the smaller one's area are the same face."""

    def __init__(self, confidence: float = 0.5, padding: float = PADDING) -> None:
        self.confidence = confidence
        self.padding = padding
        self._first: Any = None
        self._second: Any = None

    def open(self, device: str = "cpu") -> Self:
        """Load the two cascades that OpenCV ships; ``device`` makes no difference."""
        self._first = _cascade("haarcascade_frontalface_alt.xml")
        self._second = _cascade("haarcascade_frontalface_alt2.xml")
        return self

    def detect(self, rgb_HWC: Picture) -> Detection:
        """The frontal faces, surest first; ``points_N52`` is None."""
        if self._first is None:
            self.open()
        cv2 = import_cv2()
        height, width = rgb_HWC.shape[:2]
        margin = round(max(height, width) * self.padding)
        scale = self.SIDE / (max(height, width) + 2 * margin)
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        grey = cv2.resize(cv2.cvtColor(rgb_HWC, cv2.COLOR_RGB2GRAY), inner, interpolation=how)
        grey = np.pad(grey, round(margin * scale))
        boxes_N5 = _surest(self._search(self._first, grey), self.SHARED)
        if len(boxes_N5) > 1:
            witnesses = self._search(self._second, grey)
            seen = [_shared(box, witnesses).max(initial=0) > self.SHARED for box in boxes_N5]
            boxes_N5 = boxes_N5[np.array([True, *seen[1:]])]
        boxes_N5[:, :4] = (boxes_N5[:, :4] - round(margin * scale)) / scale
        return Detection(boxes_N5[boxes_N5[:, 4] >= self.confidence].astype(np.float32), None)

    def _search(self, cascade: Any, grey: Picture) -> NDArray[np.float64]:
        """Every raw detection of one cascade, (N, 5), in pixels of the searched picture."""
        squares, _, sums = cascade.detectMultiScale3(
            grey,
            scaleFactor=self.STEP,
            minNeighbors=self.NEIGHBOURS,
            minSize=(self.LEAST, self.LEAST),
            outputRejectLevels=True,
        )
        boxes = np.asarray(squares, dtype=np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        margins = np.maximum(np.asarray(sums, dtype=np.float64) - self.LAST_STAGE_THRESHOLD, 0)
        return np.column_stack([boxes, 0.5 + 0.5 * (margins / (1 + margins)).reshape(-1)])


def make_detector(
    name: str,
    path: Path | None = None,
    size: int | None = None,
    confidence: float = 0.5,
    padding: float | None = None,
    threads: int = 1,
) -> Detector:
    """The detector called ``name``; ``path`` is its weight's file, for all but ``haar``.

    ``size`` and ``padding`` are the detector's own where they are None.

    Raises UsageError for an unknown name, WeightMissing when ``path`` is needed and None.
    """
    if name not in WEIGHTS:
        raise UsageError(
            f"Expected a face detector of {', '.join(WEIGHTS)}, found {name!r}"
            f"{nearest(name, WEIGHTS)}; set faces.detector to one of them."
        )
    padding_words = {} if padding is None else {"padding": padding}
    if name == "haar":
        return HaarDetector(confidence, **padding_words)
    open_weight = name == "centerface"
    if path is None:
        remedy = "tfw weights fetch centerface" if open_weight else "tfw weights import DIR"
        raise WeightMissing(
            f"Expected the file of the weight {WEIGHTS[name]} for the detector {name}, found none "
            f"given; get it with '{remedy}', or set faces.detector=haar."
        )
    words: dict[str, Any] = {"confidence": confidence, "threads": threads, **padding_words}
    if size is not None:
        words["size"] = size
    return CenterFaceDetector(path, **words) if open_weight else ScrfdDetector(path, **words)


def _cascade(name: str) -> Any:
    """One of the cascades inside OpenCV's wheel."""
    cv2 = import_cv2()
    classifier = getattr(cv2, "CascadeClassifier", None)
    if classifier is None:
        raise ExtraMissing(
            f"Expected OpenCV 4 with its Haar cascades, found OpenCV {cv2.__version__} without "
            "them; run: pip install 'opencv-python>=4.12,<5'"
        )
    cascade = classifier(str(Path(cv2.data.haarcascades) / name))
    if cascade.empty():
        raise ExtraMissing(
            f"Expected {name} inside OpenCV's wheel, found none; "
            "run: pip install --force-reinstall 'opencv-python>=4.12,<5'"
        )
    return cascade


def _shared(box: NDArray[np.float64], others_N5: NDArray[np.float64]) -> NDArray[np.float64]:
    """For each other box, the area shared with ``box`` ÷ the smaller one's area, (N,)."""
    low = np.maximum(box[:2], others_N5[:, :2])
    high = np.minimum(box[2:4], others_N5[:, 2:4])
    overlap = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(others_N5[:, 2:4] - others_N5[:, :2], axis=1)
    smaller = np.minimum(np.prod(box[2:4] - box[:2]), areas)
    return overlap / np.maximum(smaller, 1e-9)


def _surest(boxes_N5: NDArray[np.float64], shared: float) -> NDArray[np.float64]:
    """``boxes_N5`` by falling score, without those that overlap a surer one."""
    kept: list[NDArray[np.float64]] = []
    for box in boxes_N5[np.argsort(-boxes_N5[:, 4], kind="stable")]:
        if not kept or _shared(box, np.array(kept)).max() <= shared:
            kept.append(box)
    return np.array(kept, dtype=np.float64).reshape(-1, 5)
