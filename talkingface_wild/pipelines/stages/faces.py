"""Whose face is seen, how well, how long; black bars; the crop window. Looks at the proxy alone."""

from dataclasses import dataclass
from typing import Any, Literal

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome, Rejected, Value
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.black_bars import Bars, BarSearch, scaled_bars
from talkingface_wild.functional.crop_window import crop_window, padding_share
from talkingface_wild.functional.face_measures import measures
from talkingface_wild.functional.face_samples import Observation, observe
from talkingface_wild.pipelines.clip_crops import BARS
from talkingface_wild.pipelines.column_kinds import count, measure, share, text
from talkingface_wild.pipelines.face_search import FaceSearchConfig, FaceStage
from talkingface_wild.pipelines.source_items import number
from talkingface_wild.pipelines.source_proxy import PROXY_RATE


@dataclass(frozen=True)
class FacesConfig(FaceSearchConfig):
    """Which detector looks, and how the crop window is laid."""

    crop_factor: float = 1.6
    """Side of the crop window, in longer sides of the union of the face's boxes."""
    crop_pad: Literal["never", "needed", "always"] = "needed"
    """Black beyond the picture: only where the face's way is longer than the picture's shorter side
    (needed), in no case (never), wherever the centred window reaches beyond (always)."""
    crop_bars: bool = True
    """Look for the source's black bars and leave them out of the picture."""


FORMER = {"cut_at_violations": False, "longest_gap_seconds": 0.6, "least_seconds": 3.0}
"""Settings that went to ``face_cuts``: in the fingerprint, so that results of before stay valid."""


class Faces(FaceStage):
    """Five samples a second, of which ``face_cuts`` may have left the faces."""

    name = "faces"
    version = 2
    covers = ("start_seconds", "end_seconds", "clip_seconds")
    columns = (
        text("face_detector", "detector that looked"),
        share("face_presence_ratio", "share of the samples that show the face"),
        share("single_face_ratio", "share of the samples that show it and no second one"),
        share("second_face_ratio", "share of the samples with a second face that counts"),
        measure(
            "second_face_area_ratio",
            "largest area of another face over the first one's",
            decimals=4,
        ),
        measure("face_gap_seconds", "longest stretch without the face", "s", decimals=2),
        share("face_confidence", "median score of the face", 3),
        measure(
            "face_side_px", "median longer side of the face box, in source pixels", "px", decimals=1
        ),
        count(
            "crop_left",
            "left edge of the crop window, in source pixels; beyond the picture where padded",
            "px",
            None,
        ),
        count("crop_top", "top edge of the crop window", "px", None),
        count("crop_side", "side of the square crop window", "px", 2),
        share(
            "padding_share",
            "share of the crop window that lies outside the picture less its black bars",
        ),
        count(
            "bar_left",
            "width of the source's black bar at the left; 0: none, null: not looked for",
            "px",
        ),
        count("bar_top", "height of its black bar at the top", "px"),
        count("bar_right", "width of its black bar at the right", "px"),
        count("bar_bottom", "height of its black bar at the bottom", "px"),
        count("face_complete_samples_missing", "samples whose face leaves the picture"),
        measure(
            "yaw_p90",
            "90th percentile of the head's turn; null without points",
            "degrees",
            high=180,
            decimals=1,
        ),
        measure("yaw_max", "largest turn of the head", "degrees", high=180, decimals=1),
        measure("pitch_p90", "90th percentile of the head's nod", "degrees", high=180, decimals=1),
        measure(
            "face_motion_union_ratio", "area of the boxes' union over their median area", low=1
        ),
        measure(
            "face_speed",
            "95th percentile of the centre's movement within a second",
            "face widths/s",
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

    @classmethod
    def identity(cls, config: FacesConfig) -> dict[str, Any]:
        """Its settings and those that it had."""
        return super().identity(config) | FORMER

    def answer(self, item: Item) -> Outcome:
        """One answer per clip."""
        settings: FacesConfig = self.config
        search, shape = BarSearch(), (1, 1)

        def look(rgb: Pictures) -> None:
            nonlocal shape
            search.look(rgb)
            shape = (rgb.shape[1], rgb.shape[0])

        times, samples = self._search.samples(item, look if settings.crop_bars else None)
        if not any(len(sample.boxes_N5) for sample in samples):
            return Rejected(
                "no_face", f"no face in {len(samples)} samples", {"face_presence_ratio": 0.0}
            )
        size = (int(number(item, "width")), int(number(item, "height")))
        bars = scaled_bars(search.bars(), shape, size) if settings.crop_bars else None
        observation = observe(samples, PROXY_RATE, times[0], 1.0, settings.second_area)
        return Done(self._values(item, observation, bars))

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
