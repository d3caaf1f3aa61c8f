"""Cuts a source into takes at scene cuts, long takes into strides. An uncut take is one clip."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from talkingface_wild import weights
from talkingface_wild.core.clip import make_clip
from talkingface_wild.core.outcome import Done, Outcome, Rejected
from talkingface_wild.engine.stage import Item
from talkingface_wild.media.shot_boundaries import ShotDetector, spans
from talkingface_wild.perception.transnetv2 import WEIGHT, TransNetV2
from talkingface_wild.pipelines.column_kinds import count, flag
from talkingface_wild.pipelines.source_items import SPAN, ItemByItem, clip_child, number, source_of
from talkingface_wild.pipelines.source_proxy import SOURCE_SPAN, analyse_source
from talkingface_wild.pipelines.transition_search import TransitionSearch


@dataclass(frozen=True)
class ShotsConfig:
    """Scene cuts by PySceneDetect, strides, and what becomes of the rest."""

    transitions: Literal["none", "auto", "transnetv2"] = "none"
    """transnetv2: cuts, dissolves and fades by TransNet V2 in the place of PySceneDetect's cuts; no
    clip holds a transition; auto: where its weight is."""
    detector: Literal["adaptive", "content"] = "adaptive"
    """PySceneDetect's detector."""
    threshold: float = 3.0
    """Its threshold; 3 for adaptive, 27 for content."""
    min_frames: int = 15
    """Least frames between two cuts."""
    second_look: bool = False
    """Also count cuts that the content detector at 27 sees inside each clip (column inner_cuts)."""
    trim_seconds: float = 0.2
    """Taken off at each end that is a cut, where transitions linger."""
    stride_seconds: float = 30.0
    """Longer takes are cut every so often: the paper's cap."""
    tail: Literal["drop", "keep", "merge"] = "drop"
    """What becomes of a stride's rest shorter than tail_seconds."""
    tail_seconds: float = 10.0
    """A rest of at least this length is kept in any case."""
    least_seconds: float = 3.0
    """With ``tail: keep``, a rest of at least this length is kept."""


class Shots(ItemByItem):
    """The only stage that decodes whole sources; what it caches feeds faces and speech."""

    name = "shots"
    version = 1
    kind = "split"
    level = "source"
    needs = (*SOURCE_SPAN, "source_fps")
    columns = (
        *SPAN,
        count("source_cuts", "scene cuts found in the source"),
        count("decode_errors", "packets of the source that did not decode"),
        flag("dropped_tail", "whether it is the rest of a long take that the tail policy drops"),
        count("inner_cuts", "cuts inside the clip by the second detector; null without it"),
        count(
            "inner_transitions",
            "stretches inside the clip that look like a slow dissolve; null without TransNet V2",
        ),
    )
    Config = ShotsConfig

    @classmethod
    def on_this_machine(cls, config: ShotsConfig) -> ShotsConfig:
        """With the network where it is."""
        if config.transitions != "auto":
            return config
        return replace(config, transitions="none" if weights.find(WEIGHT) is None else "transnetv2")

    @classmethod
    def weights(cls, config: ShotsConfig) -> tuple[str, ...]:
        """TransNet V2, where it is asked for."""
        return (WEIGHT,) if cls.on_this_machine(config).transitions == "transnetv2" else ()

    @classmethod
    def identity(cls, config: ShotsConfig) -> dict[str, Any]:
        """Nothing of transitions where they are off: results of before stay valid."""
        data = super().identity(config)
        return {k: v for k, v in data.items() if k != "transitions" or v != "none"}

    def open(self) -> None:
        """Load the network where it is asked for."""
        self._network = None
        if self.config.transitions == "transnetv2":
            self._network = TransNetV2(weights.path(WEIGHT)).open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """One answer per source, with its clips as children."""
        settings: ShotsConfig = self.config
        fps = float(number(item, "source_fps")) or 25.0
        first = ShotDetector(settings.detector, settings.threshold, settings.min_frames, fps)
        second = (
            ShotDetector("content", 27.0, settings.min_frames, fps)
            if settings.second_look
            else None
        )
        search = None if self._network is None else TransitionSearch(self._network, fps)
        analysis = analyse_source(item, self.place, _All(first, second, search))
        start, end = number(item, "usable_start_seconds"), number(item, "usable_end_seconds")
        if analysis.frames_decoded == 0:
            return Rejected("undecodable", "no picture decodes in the usable span")
        if search is not None:
            search.finish()
        cuts: list[float | tuple[float, float]] = (
            [*first.cuts()]
            if search is None
            else [(change.start, change.end) for change in search.changes]
        )
        inner = np.array(second.cuts()) if second else None
        values = {"source_cuts": len(cuts), "decode_errors": analysis.decode_errors}
        children = []
        for span in spans(
            cuts,
            start,
            end,
            trim=settings.trim_seconds,
            stride=settings.stride_seconds,
            least=settings.least_seconds,
            tail=settings.tail,
            tail_seconds=settings.tail_seconds,
        ):
            clip = make_clip(source_of(item).id, span.start, span.end)
            inside = (
                None if inner is None else int(((inner > span.start) & (inner < span.end)).sum())
            )
            doubts = (
                None
                if search is None
                else sum(d.start < span.end and span.start < d.end for d in search.doubts)
            )
            own = {"inner_cuts": inside, "inner_transitions": doubts, "dropped_tail": span.tail}
            children.append(clip_child(clip, own))
        if not children:
            return Rejected(
                "too_short", f"{end - start:.2f} s leave no take after trimming", values
            )
        return Done(values, tuple(children))


class _All:
    """Feeds each frame to all that look for changes."""

    def __init__(
        self, first: ShotDetector, second: ShotDetector | None, search: TransitionSearch | None
    ) -> None:
        self._first = first
        self._others = [one for one in (second, search) if one is not None]

    def feed(self, seconds: float, bgr: npt.NDArray[np.uint8]) -> None:
        """Pass one small BGR frame on."""
        self._first.feed(seconds, bgr)
        for detector in self._others:
            detector.feed(seconds, bgr)

    def cuts(self) -> list[float]:
        """PySceneDetect's cuts."""
        return self._first.cuts()
