"""Cuts a clip where the face is gone, or a second one there, for long; the rest are its clips."""

from dataclasses import dataclass

from talkingface_wild.core.clip import make_clip
from talkingface_wild.core.outcome import Child, Done, Outcome, Rejected
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.face_measures import split_at, violations
from talkingface_wild.functional.face_samples import Detection, observe
from talkingface_wild.pipelines.face_search import FaceSearchConfig, FaceStage
from talkingface_wild.pipelines.source_items import SPAN, clip_child, clip_of, number
from talkingface_wild.pipelines.source_proxy import PROXY_RATE, proxy_range


@dataclass(frozen=True)
class FaceCutsConfig(FaceSearchConfig):
    """What is a violation, and how short a piece may be; the detector is that of ``faces``."""

    longest_gap_seconds: float = 0.6
    """A longer absence, or second face, is a violation."""
    least_seconds: float = 3.0
    """Pieces shorter than this are not made."""


class FaceCuts(FaceStage):
    """Stands before ``faces``, which measures the pieces; a clip without a violation is not cut."""

    name = "face_cuts"
    kind = "split"
    columns = SPAN
    Config = FaceCutsConfig
    settings_from = "faces"

    def answer(self, item: Item) -> Outcome:
        """The pieces of a clip as children where it was cut."""
        settings: FaceCutsConfig = self.config
        times, samples = self._search.samples(item)
        self._search.keep(item.id, item, times, samples)
        if not any(len(sample.boxes_N5) for sample in samples):
            return Done()
        start, end = number(item, "start_seconds"), number(item, "end_seconds")
        whole = observe(samples, PROXY_RATE, times[0], 1.0, settings.second_area)
        longest = settings.longest_gap_seconds
        bad = violations(whole, start, end, longest, longest, settings.second_area)
        if not bad:
            return Done()
        pieces = split_at(bad, start, end, settings.least_seconds)
        children = self._children(item, times, samples, pieces)
        if children:
            return Done({}, tuple(children))
        crowded = violations(whole, start, end, end - start, longest, settings.second_area)
        reason = "multiple_faces" if crowded else "no_face"
        return Rejected(reason, "no piece between the violations is long enough")

    def _children(
        self,
        item: Item,
        times: list[float],
        samples: list[Detection],
        pieces: list[tuple[float, float]],
    ) -> list[Child]:
        """The pieces that show a face, each with the samples that it would have by itself."""
        clip, origin = clip_of(item), number(item, "usable_start_seconds")
        numbers = [round((time - origin) * PROXY_RATE) for time in times]
        children: list[Child] = []
        for start, end in pieces:
            piece = make_clip(clip.source_id, start, end, parent=clip.id)
            first, last = proxy_range(origin, piece.start_seconds, piece.end_seconds)
            inside = [index for index, frame in enumerate(numbers) if first <= frame <= last]
            piece_times = [times[index] for index in inside]
            piece_samples = [samples[index] for index in inside]
            if any(len(sample.boxes_N5) for sample in piece_samples):
                self._search.keep(piece.id, item, piece_times, piece_samples)
                children.append(clip_child(piece, {}))
        return children
