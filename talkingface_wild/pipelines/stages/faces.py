"""Whose face is seen, how well, how long; and the fixed crop window. Looks at the proxy alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from talkingface_wild import weights
from talkingface_wild.core.clip import make_clip
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Child, Done, Outcome, Rejected, Value
from talkingface_wild.engine.stage import Item, Resources, Stage
from talkingface_wild.functional.face_measures import measures, split_at, violations, window
from talkingface_wild.functional.face_samples import Observation, observe
from talkingface_wild.perception.faces import PADDING, WEIGHTS, Detection, make_detector
from talkingface_wild.pipelines.analysis import PROXY_RATE, span_frames
from talkingface_wild.pipelines.items import clip_child, clip_of, number, source_of


@dataclass(frozen=True)
class FacesConfig:
    """Which detector looks, and what becomes of a clip with a violation somewhere."""

    detector: Literal["haar", "scrfd_10g", "scrfd_2.5g", "scrfd_500m"] = "haar"
    """haar needs no weights and gives no points; the others are InsightFace's SCRFD."""
    size: int = 640
    """Side of the square that SCRFD looks at."""
    confidence: float = 0.5
    """Least score of a face."""
    padding: float = PADDING
    """Black border on each side, in longer sides of the picture, so that close-ups are found."""
    second_area: float = 0.15
    """A second face counts from this part of the first one's area."""
    crop_factor: float = 1.6
    """Side of the crop window, in longer sides of the union of the face's boxes."""
    cut_at_violations: bool = False
    """Cut the clip where the face is gone, or a second one there, for long; else it is lost."""
    longest_gap_seconds: float = 0.6
    """A longer absence, or second face, is a violation."""
    least_seconds: float = 3.0
    """Pieces shorter than this are not made."""


class Faces(Stage):
    """Five samples a second. With ``cut_at_violations`` a Split, else a Measure."""

    name = "faces"
    needs = ("start_seconds", "end_seconds", "width", "height", "usable_start_seconds")
    columns = (
        Column(
            "start_seconds", "float", "start of the clip on the source's clock", "s", 0, None, 3
        ),
        Column("end_seconds", "float", "end of the clip on the source's clock", "s", 0, None, 3),
        Column("clip_seconds", "float", "length of the clip", "s", 0, None, 3),
        Column("face_detector", "string", "detector that looked"),
        Column(
            "face_presence_ratio", "float", "share of the samples that show the face", "", 0, 1, 4
        ),
        Column(
            "single_face_ratio",
            "float",
            "share of the samples that show it and no second one",
            "",
            0,
            1,
            4,
        ),
        Column(
            "second_face_ratio",
            "float",
            "share of the samples with a second face that counts",
            "",
            0,
            1,
            4,
        ),
        Column(
            "second_face_area_ratio",
            "float",
            "largest area of another face over the first one's",
            "",
            0,
            None,
            4,
        ),
        Column("face_gap_seconds", "float", "longest stretch without the face", "s", 0, None, 2),
        Column("face_confidence", "float", "median score of the face", "", 0, 1, 3),
        Column(
            "face_side_px",
            "float",
            "median longer side of the face box, in source pixels",
            "px",
            0,
            None,
            1,
        ),
        Column(
            "crop_left",
            "int",
            "left edge of the crop window, in source pixels; may be negative",
            "px",
        ),
        Column("crop_top", "int", "top edge of the crop window", "px"),
        Column("crop_side", "int", "side of the square crop window", "px", 2),
        Column(
            "face_complete_samples_missing", "int", "samples whose face leaves the picture", "", 0
        ),
        Column(
            "yaw_p90",
            "float",
            "90th percentile of the head's turn; null without points",
            "degrees",
            0,
            180,
            1,
        ),
        Column("yaw_max", "float", "largest turn of the head", "degrees", 0, 180, 1),
        Column("pitch_p90", "float", "90th percentile of the head's nod", "degrees", 0, 180, 1),
        Column(
            "face_motion_union_ratio",
            "float",
            "area of the boxes' union over their median area",
            "",
            1,
            None,
            3,
        ),
        Column(
            "face_speed",
            "float",
            "95th percentile of the centre's movement within a second",
            "face widths/s",
            0,
            None,
            3,
        ),
        Column(
            "face_times", "list<float>", "times of the samples that show the face", "s", decimals=3
        ),
        Column(
            "face_boxes",
            "list<float>",
            "its boxes at those times: x0, y0, x1, y1 each",
            "px",
            decimals=1,
        ),
        Column(
            "face_points",
            "list<float>",
            "its five points at those times: ten numbers each",
            "px",
            decimals=1,
        ),
    )
    Config = FacesConfig
    resources = Resources(gpus=0.1)

    @classmethod
    def weights(cls, config: FacesConfig) -> tuple[str, ...]:
        """The detector's file, for all but Haar."""
        name = WEIGHTS[config.detector]
        return (name,) if name else ()

    def open(self) -> None:
        """Load the detector."""
        settings: FacesConfig = self.config
        name = WEIGHTS[settings.detector]
        self._detector = make_detector(
            settings.detector,
            weights.path(name) if name else None,
            settings.size,
            settings.confidence,
            settings.padding,
            self.place.threads,
        ).open(self.place.device)

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One answer per clip; pieces as children where violations were cut out."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        settings: FacesConfig = self.config
        times, found = self._detections(item)
        if not any(len(faces.boxes_N5) for faces in found):
            return Rejected(
                "no_face", f"no face in {len(found)} samples", {"face_presence_ratio": 0.0}
            )
        start, end = number(item, "start_seconds"), number(item, "end_seconds")
        whole = self._observe(times, found)
        if settings.cut_at_violations:
            bad = violations(
                whole,
                start,
                end,
                settings.longest_gap_seconds,
                settings.longest_gap_seconds,
                settings.second_area,
            )
            if bad:
                return self._cut(
                    item, times, found, split_at(bad, start, end, settings.least_seconds)
                )
        return Done(self._values(item, whole))

    def _detections(self, item: Item) -> tuple[list[float], list[Detection]]:
        """Faces of each sample, in source pixels; those outside the given region are left out."""
        crop = source_of(item).crop
        width = number(item, "width")
        times: list[float] = []
        found: list[Detection] = []
        for seconds, rgb in span_frames(item, self.place):
            scale = width / rgb.shape[1]
            faces = self._detector.detect(rgb)
            boxes = faces.boxes_N5 * np.array([scale, scale, scale, scale, 1.0], dtype=np.float32)
            points = None if faces.points_N52 is None else faces.points_N52 * np.float32(scale)
            if crop is not None and len(boxes):
                inside = _inside(boxes, crop)
                boxes, points = boxes[inside], None if points is None else points[inside]
            times.append(seconds)
            found.append(Detection(boxes, points))
        return times, found

    def _observe(self, times: Sequence[float], found: Sequence[Detection]) -> Observation:
        return observe(found, PROXY_RATE, times[0], 1.0, self.config.second_area)

    def _cut(
        self,
        item: Item,
        times: list[float],
        found: list[Detection],
        pieces: list[tuple[float, float]],
    ) -> Outcome:
        clip = clip_of(item)
        children: list[Child] = []
        for start, end in pieces:
            inside = [index for index, time in enumerate(times) if start <= time <= end]
            if not inside or not any(len(found[index].boxes_N5) for index in inside):
                continue
            piece = make_clip(clip.source_id, start, end, parent=clip.id)
            observation = self._observe([times[i] for i in inside], [found[i] for i in inside])
            children.append(clip_child(piece, self._values(item, observation)))
        if not children:
            values = self._values(item, self._observe(times, found))
            second = values["second_face_ratio"]
            crowded = isinstance(second, float) and second > 0.02
            reason = "multiple_faces" if crowded else "no_face"
            return Rejected(reason, "no piece between the violations is long enough", values)
        return Done({}, tuple(children))

    def _values(self, item: Item, observation: Observation) -> dict[str, Value]:
        settings: FacesConfig = self.config
        track = observation.track
        values: dict[str, Value] = dict(
            measures(
                observation,
                int(number(item, "width")),
                int(number(item, "height")),
                settings.second_area,
                settings.crop_factor,
            )
        )
        values.pop("crop_side_px", None)
        values["face_detector"] = settings.detector
        present = track.present_T
        if present.any():
            boxes = track.boxes_T4[present]
            values["crop_left"], values["crop_top"], values["crop_side"] = window(
                boxes, settings.crop_factor
            )
            values["face_times"] = track.times_T[present].tolist()
            values["face_boxes"] = boxes.ravel().tolist()
            if track.points_T52 is not None:
                values["face_points"] = track.points_T52[present].ravel().tolist()
        return values


def _inside(boxes: np.ndarray, crop: tuple[int, int, int, int]) -> np.ndarray:
    left, top, width, height = crop
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    return np.asarray((x >= left) & (x <= left + width) & (y >= top) & (y <= top + height))
