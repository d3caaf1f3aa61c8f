"""Faces in a clip's samples, five a second, for the stage that cuts and the stage that measures.

What the first of them finds is kept in a cache for the other, who would find the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self, cast

import numpy as np
import numpy.typing as npt

from talkingface_wild import weights
from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.engine.stage import Cache, Item, Resources, Workplace, config_data
from talkingface_wild.functional.face_samples import Detection
from talkingface_wild.perception.centerface import BORDER, SIDE
from talkingface_wild.perception.face_detector import PADDING, WEIGHTS, best_detector, make_detector
from talkingface_wild.pipelines.source_items import ItemByItem, number, source_of
from talkingface_wild.pipelines.source_proxy import SPAN_SOUND, span_frames

NEEDS = (*SPAN_SOUND, "width", "height")
DetectorName = Literal["auto", "haar", "centerface", "scrfd_10g", "scrfd_2.5g", "scrfd_500m"]
FACE_SAMPLES = Cache("face_samples", needs=NEEDS)


@dataclass(frozen=True)
class FaceSearchConfig:
    """Which detector looks."""

    detector: DetectorName = "auto"
    """auto: SCRFD where its weights are, else CenterFace, which is open, else haar, which needs no
    weights and gives no points."""
    size: int | None = None
    """Side of what is looked at, in pixels; null: SCRFD 640, CenterFace 320."""
    confidence: float = 0.5
    """Least score of a face."""
    padding: float | None = None
    """Black border on each side, in longer sides of the picture, so that close-ups are found; null:
    the detector's own."""
    second_area: float = 0.15
    """A second face counts from this part of the first one's area."""

    def here(self) -> Self:
        """With what is left open chosen: the first detector whose weight is here, and its ways."""
        name = best_detector() if self.detector == "auto" else self.detector
        size, padding = (SIDE, BORDER) if name == "centerface" else (640, PADDING)
        return replace(
            self,
            detector=cast(DetectorName, name),
            size=size if self.size is None else self.size,
            padding=padding if self.padding is None else self.padding,
        )

    def weights(self) -> tuple[str, ...]:
        """The detector's file, for all but Haar."""
        name = WEIGHTS[self.here().detector]
        return (name,) if name else ()


class FaceSearch:
    """A detector, opened once per worker."""

    def __init__(self, config: FaceSearchConfig, place: Workplace) -> None:
        self.place = place
        config = config.here()
        names = (field for field in FaceSearchConfig.__dataclass_fields__ if field != "second_area")
        self._print = digest({name: config_data(config)[name] for name in names})
        files = config.weights()
        self._detector = make_detector(
            config.detector,
            weights.path(files[0]) if files else None,
            config.size,
            config.confidence,
            config.padding,
            place.threads,
        ).open(place.device)

    def samples(
        self, item: Item, look: Callable[[Pictures], None] | None = None
    ) -> tuple[list[float], list[Detection]]:
        """Times of the clip's samples and the faces of each, in source pixels.

        Faces outside the region that a list gives are left out. ``look`` is shown every picture.
        """
        path = self._path(item.id, item)
        earlier = _read(path) if path.exists() else None
        if earlier is not None and look is None:
            return earlier
        times: list[float] = []
        samples: list[Detection] = []
        for seconds, rgb in span_frames(item, self.place):
            if look is not None:
                look(rgb)
            if earlier is None:
                times.append(seconds)
                samples.append(self._faces(item, rgb))
        return earlier or (times, samples)

    def keep(
        self, clip_id: str, item: Item, times: Sequence[float], samples: Sequence[Detection]
    ) -> None:
        """Leave the samples of a clip, ``item`` or one cut from it, for who looks at it next."""
        boxes = [sample.boxes_N5 for sample in samples]
        points = [sample.points_N52 for sample in samples if sample.points_N52 is not None]
        arrays: dict[str, Any] = {
            "times": np.array(times),
            "counts": np.array([len(rows) for rows in boxes], dtype=np.int64),
            "boxes": np.concatenate([np.zeros((0, 5), np.float32), *boxes]),
            "pointed": np.array([sample.points_N52 is not None for sample in samples]),
            "points": np.concatenate([np.zeros((0, 5, 2), np.float32), *points]),
        }
        with atomic_path(self._path(clip_id, item)) as temporary, temporary.open("wb") as stream:
            np.savez(stream, **arrays)

    def _path(self, clip_id: str, item: Item) -> Path:
        """Where a clip's samples by this detector under these settings lie."""
        return FACE_SAMPLES.folder(replace(item, id=clip_id), self.place) / f"{self._print}.npz"

    def _faces(self, item: Item, rgb: Pictures) -> Detection:
        crop = source_of(item).crop
        scale = number(item, "width") / rgb.shape[1]
        faces = self._detector.detect(rgb)
        boxes = faces.boxes_N5 * np.array([scale, scale, scale, scale, 1.0], dtype=np.float32)
        points = None if faces.points_N52 is None else faces.points_N52 * np.float32(scale)
        if crop is not None and len(boxes):
            inside = _inside(boxes, crop)
            boxes, points = boxes[inside], None if points is None else points[inside]
        return Detection(boxes, points)


class FaceStage(ItemByItem):
    """A stage that looks for faces: its detector is opened once per worker."""

    reads = (FACE_SAMPLES,)
    resources = Resources(gpus=0.1)

    @classmethod
    def on_this_machine(cls, config: FaceSearchConfig) -> FaceSearchConfig:
        """With the detector that is here."""
        return config.here()

    @classmethod
    def weights(cls, config: FaceSearchConfig) -> tuple[str, ...]:
        """The detector's file, for all but Haar."""
        return config.weights()

    def open(self) -> None:
        """Load the detector."""
        self._search = FaceSearch(self.config, self.place)


def _read(path: Path) -> tuple[list[float], list[Detection]]:
    with np.load(path, allow_pickle=False) as data:
        times, counts, pointed = data["times"], data["counts"], data["pointed"]
        boxes = np.split(data["boxes"], np.cumsum(counts)[:-1])
        points = iter(np.split(data["points"], np.cumsum(counts[pointed])[:-1]))
    samples = [
        Detection(rows, next(points) if has_points else None)
        for rows, has_points in zip(boxes, pointed, strict=True)
    ]
    return times.tolist(), samples


def _inside(
    boxes: npt.NDArray[np.float32], crop: tuple[int, int, int, int]
) -> npt.NDArray[np.bool_]:
    left, top, width, height = crop
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    return np.asarray((x >= left) & (x <= left + width) & (y >= top) & (y <= top + height))
