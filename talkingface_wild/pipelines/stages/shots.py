"""Cuts a source into takes at scene cuts, long takes into strides. An uncut take is one clip."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from talkingface_wild import weights
from talkingface_wild.core.clip import make_clip
from talkingface_wild.core.outcome import Done, Outcome, Rejected, Value
from talkingface_wild.engine.stage import Item, config_data
from talkingface_wild.media.shot_boundaries import ShotDetector, Span, spans
from talkingface_wild.pipelines.column_kinds import count, flag
from talkingface_wild.pipelines.source_changes import ChangeWatch, NetworkWatch, SourceChanges
from talkingface_wild.pipelines.source_items import SPAN, ItemByItem, clip_child, number, source_of
from talkingface_wild.pipelines.source_proxy import SOURCE_SPAN, analyse_source


@dataclass(frozen=True)
class ShotsConfig:
    """Scene cuts by PySceneDetect, strides, and what becomes of the rest."""

    detector: Literal["adaptive", "content"] = "adaptive"
    """PySceneDetect's detector."""
    threshold: float = 3.0
    """Its threshold; 3 for adaptive, 27 for content."""
    min_frames: int = 15
    """Least frames between two cuts."""
    second_look: bool = False
    """Also count cuts that the content detector at 27 sees inside each clip (column inner_cuts)."""
    transitions: Literal["none", "auto", "transnetv2"] = "none"
    """transnetv2: dissolves and fades too, by TransNet V2, which no clip then holds a part of, and
    no cut at a camera's flash; auto: where its weight is; none: the detector alone."""
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
            "places inside the clip that look like a transition and were not cut at; null without "
            "TransNet V2",
        ),
    )
    Config = ShotsConfig

    @classmethod
    def on_this_machine(cls, config: ShotsConfig) -> ShotsConfig:
        """With the network where it is."""
        if config.transitions != "auto":
            return config
        return replace(config, transitions="transnetv2" if weights.find("transnetv2") else "none")

    @classmethod
    def weights(cls, config: ShotsConfig) -> tuple[str, ...]:
        """TransNet V2, where it looks."""
        return ("transnetv2",) if cls.on_this_machine(config).transitions == "transnetv2" else ()

    @classmethod
    def identity(cls, config: ShotsConfig) -> dict[str, Any]:
        """Results of before there was a choice of transitions stay valid."""
        settings = config_data(config)
        if settings["transitions"] == "none":
            del settings["transitions"]
        return settings

    def open(self) -> None:
        """Load the network, where it looks."""
        self._perceiver: Any = None
        if self.weights(self.config):
            from talkingface_wild.perception.transnetv2 import TransNetV2

            network = TransNetV2(weights.path("transnetv2"))
            self._perceiver = network.open(self.place.device)

    def answer(self, item: Item) -> Outcome:
        """One answer per source, with its clips as children."""
        settings: ShotsConfig = self.config
        fps = float(number(item, "source_fps")) or 25.0
        watch = self._watch(fps)
        analysis = analyse_source(item, self.place, watch)
        start, end = number(item, "usable_start_seconds"), number(item, "usable_end_seconds")
        if analysis.frames_decoded == 0:
            return Rejected("undecodable", "no picture decodes in the usable span")
        changes = watch.changes(settings.min_frames / fps)
        values: dict[str, Value] = {
            "source_cuts": len(changes.cuts) + len(changes.slow),
            "decode_errors": analysis.decode_errors,
        }
        takes = spans(
            changes.cuts,
            start,
            end,
            trim=settings.trim_seconds,
            stride=settings.stride_seconds,
            least=settings.least_seconds,
            tail=settings.tail,
            tail_seconds=settings.tail_seconds,
            slow=changes.slow,
        )
        children = []
        for span in takes:
            clip = make_clip(source_of(item).id, span.start, span.end)
            children.append(clip_child(clip, {**_inside(changes, span), "dropped_tail": span.tail}))
        if not children:
            return Rejected(
                "too_short", f"{end - start:.2f} s leave no take after trimming", values
            )
        return Done(values, tuple(children))

    def _watch(self, fps: float) -> ChangeWatch:
        settings: ShotsConfig = self.config
        return ChangeWatch(
            ShotDetector(settings.detector, settings.threshold, settings.min_frames, fps),
            ShotDetector("content", 27.0, settings.min_frames, fps)
            if settings.second_look
            else None,
            None if self._perceiver is None else NetworkWatch(self._perceiver, fps),
        )


def _inside(changes: SourceChanges, span: Span) -> dict[str, Value]:
    """How many doubtful changes a span holds; null of what did not look."""
    cuts, doubtful = changes.second_look, changes.doubtful
    return {
        "inner_cuts": None if cuts is None else sum(span.start < cut < span.end for cut in cuts),
        "inner_transitions": None
        if doubtful is None
        else sum(begin < span.end and span.start < end for begin, end in doubtful),
    }
