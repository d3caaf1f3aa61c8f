"""Whose face is seen, how well, how long; black bars; the crop window. Looks at the proxy alone."""

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
from talkingface_wild.functional.black_bars import Bars, BarSearch, scaled_bars
from talkingface_wild.functional.crop_window import crop_window, padding_share
from talkingface_wild.functional.face_measures import measures, split_at, violations
from talkingface_wild.functional.face_samples import Observation, observe
from talkingface_wild.perception.faces import PADDING, WEIGHTS, Detection, make_detector
from talkingface_wild.pipelines.analysis import PROXY_RATE, SPAN_SOUND, span_frames
from talkingface_wild.pipelines.clip_crops import BARS
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
    crop_pad: Literal["never", "needed", "always"] = "needed"
    """Black beyond the picture: only where the face's way is longer than the picture's shorter side
    (needed), in no case (never), wherever the centred window reaches beyond (always)."""
    crop_bars: bool = True
    """Look for the source's black bars and leave them out of the picture."""
    cut_at_violations: bool = False
    """Cut the clip where the face is gone, or a second one there, for long; else it is lost."""
    longest_gap_seconds: float = 0.6
    """A longer absence, or second face, is a violation."""
    least_seconds: float = 3.0
    """Pieces shorter than this are not made."""


class Faces(Stage):
    """Five samples a second. With ``cut_at_violations`` a Split, else a Measure."""

    name = "faces"
    version = 2
    needs = (*SPAN_SOUND, "width", "height")
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
            "left edge of the crop window, in source pixels; beyond the picture where padded",
            "px",
        ),
        Column("crop_top", "int", "top edge of the crop window", "px"),
        Column("crop_side", "int", "side of the square crop window", "px", 2),
        Column(
            "padding_share",
            "float",
            "share of the crop window that lies outside the picture less its black bars",
            "",
            0,
            1,
            4,
        ),
        Column(
            "bar_left",
            "int",
            "width of the source's black bar at the left; 0: none, null: not looked for",
            "px",
            0,
        ),
        Column("bar_top", "int", "height of its black bar at the top", "px", 0),
        Column("bar_right", "int", "width of its black bar at the right", "px", 0),
        Column("bar_bottom", "int", "height of its black bar at the bottom", "px", 0),
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
        times, found, bars = self._detections(item)
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
                pieces = split_at(bad, start, end, settings.least_seconds)
                return self._cut(item, times, found, pieces, bars)
        return Done(self._values(item, whole, bars))

    def _detections(self, item: Item) -> tuple[list[float], list[Detection], Bars | None]:
        """Faces of each sample and the clip's black bars, in source pixels.

        Faces outside the given region are left out; the bars are None where none are looked for.
        """
        crop = source_of(item).crop
        width = number(item, "width")
        times: list[float] = []
        found: list[Detection] = []
        search, small = BarSearch(), (1, 1)
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
            if self.config.crop_bars:
                search.look(rgb)
                small = (rgb.shape[1], rgb.shape[0])
        full = (int(width), int(number(item, "height")))
        bars = scaled_bars(search.bars(), small, full) if self.config.crop_bars else None
        return times, found, bars

    def _observe(self, times: Sequence[float], found: Sequence[Detection]) -> Observation:
        return observe(found, PROXY_RATE, times[0], 1.0, self.config.second_area)

    def _cut(
        self,
        item: Item,
        times: list[float],
        found: list[Detection],
        pieces: list[tuple[float, float]],
        bars: Bars | None,
    ) -> Outcome:
        clip = clip_of(item)
        children: list[Child] = []
        for start, end in pieces:
            inside = [index for index, time in enumerate(times) if start <= time <= end]
            if not inside or not any(len(found[index].boxes_N5) for index in inside):
                continue
            piece = make_clip(clip.source_id, start, end, parent=clip.id)
            observation = self._observe([times[i] for i in inside], [found[i] for i in inside])
            children.append(clip_child(piece, self._values(item, observation, bars)))
        if not children:
            values = self._values(item, self._observe(times, found), bars)
            second = values["second_face_ratio"]
            crowded = isinstance(second, float) and second > 0.02
            reason = "multiple_faces" if crowded else "no_face"
            return Rejected(reason, "no piece between the violations is long enough", values)
        return Done({}, tuple(children))

    def _values(self, item: Item, observation: Observation, bars: Bars | None) -> dict[str, Value]:
        settings: FacesConfig = self.config
        track = observation.track
        width, height = int(number(item, "width")), int(number(item, "height"))
        values: dict[str, Value] = {
            **measures(observation, width, height, settings.second_area),
            "face_detector": settings.detector,
            **dict(zip(BARS, bars or (None,) * 4, strict=True)),
        }
        present = track.present_T
        if present.any():
            boxes = track.boxes_T4[present]
            left, top, right, bottom = bars or (0, 0, 0, 0)
            picture = (left, top, width - right, height - bottom)
            window = crop_window(boxes, picture, settings.crop_factor, settings.crop_pad)
            values |= dict(zip(("crop_left", "crop_top", "crop_side"), window, strict=True))
            values["padding_share"] = padding_share(window, picture)
            values["face_times"] = track.times_T[present].tolist()
            values["face_boxes"] = boxes.ravel().tolist()
            if track.points_T52 is not None:
                values["face_points"] = track.points_T52[present].ravel().tolist()
        return values


def _inside(boxes: np.ndarray, crop: tuple[int, int, int, int]) -> np.ndarray:
    left, top, width, height = crop
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    return np.asarray((x >= left) & (x <= left + width) & (y >= top) & (y <= top + height))
