"""Flicker: mean |frame t+1 − frame t| in grey levels. Motion counts too, so it is never ranked."""

from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.frame_similarity import FrameChanges
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol


class ClipFlicker(ClipMean):
    """The mean over the clip's frames, as VBench's temporal flickering takes it before scaling."""

    name, title, better = "flicker", "Flicker", "none"
    features = ("generated", "changes", "change")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Each frame against the next."""
        return (FrameChanges(),)
