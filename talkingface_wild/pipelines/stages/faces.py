"""Whose face is seen, how well, how long; black bars; the crop window. Looks at the proxy alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, Outcome, Rejected, Value
from talkingface_wild.engine.stage import Item, Resources, Stage
from talkingface_wild.functional.black_bars import Bars, BarSearch, scaled_bars
from talkingface_wild.functional.crop_window import crop_window, padding_share
from talkingface_wild.functional.face_measures import measures
from talkingface_wild.functional.face_samples import Observation, observe
from talkingface_wild.pipelines.clip_crops import BARS
from talkingface_wild.pipelines.face_search import FACE_SAMPLES, FaceSearch, FaceSearchConfig
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


class Faces(Stage):
    """Five samples a second, of which ``face_cuts`` may have left the faces."""

    name = "faces"
    version = 2
    reads = (FACE_SAMPLES,)
    covers = ("start_seconds", "end_seconds", "clip_seconds")
    columns = (
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
        """The detector's file."""
        return config.weights()

    @classmethod
    def identity(cls, config: FacesConfig) -> dict[str, Any]:
        """Its settings and those that it had."""
        return super().identity(config) | FORMER

    def open(self) -> None:
        """Load the detector."""
        self._search = FaceSearch(self.config, self.place)

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One answer per clip."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
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
