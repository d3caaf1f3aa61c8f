"""Flicker: mean |frame t+1 − frame t| in grey levels. Motion counts too, so it is never ranked."""

import numpy as np

from talkingface_wild.benchmark.base import Sample
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.motion import FrameChanges
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol


class ClipFlicker(ClipMean):
    """The mean over the clip's frames, as VBench's temporal flickering takes it before scaling."""

    name, title, better = "flicker", "Flicker", "none"

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Each frame against the next."""
        return (FrameChanges(),)

    def value(self, sample: Sample) -> float | str:
        """The clip's mean change."""
        if "changes" not in sample.generated:
            return sample.refused.get("generated/changes", "there is no video")
        return float(np.mean(sample.generated["changes"]["change"]))
