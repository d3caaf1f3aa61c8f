"""SSIM, PSNR and the temporal jitter error: agreement with the reference, frame to frame.

Audio-driven outputs need not follow the reference's head: these mostly measure agreement of pose.
"""

from typing import ClassVar

import numpy as np

from talkingface_wild.benchmark.base import Sample
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.frame_similarity import FrameJitter, FrameSimilarity
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol


class _Similarity(ClipMean):
    array: ClassVar[str]

    def label(self) -> str:
        """Colour and window, and that the canvas's padding is left out."""
        return f"{self.protocol.similarity.channels}-{self.protocol.similarity.window}-unpadded"

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Each frame against the reference's."""
        return (FrameSimilarity(protocol.similarity),)

    def value(self, sample: Sample) -> float | str:
        """The mean over the clip's frames."""
        if "similarity" not in sample.pair:
            return sample.refused.get("pair/similarity", "there is no reference")
        return float(np.mean(sample.pair["similarity"][self.array]))


class Ssim(_Similarity):
    """Structural similarity (Wang et al. 2004), Gaussian 11 × 11, mean over R, G, B."""

    name, title, better, array = "ssim", "SSIM", "higher", "ssim"
    cites = ("wang2004ssim",)


class Psnr(_Similarity):
    """Peak signal-to-noise ratio in dB; 100 for equal frames; the mean of the frames' values."""

    name, title, better, array = "psnr", "PSNR", "higher", "psnr"


class Tje(ClipMean):
    """TalkingPose's temporal jitter error: how differently two videos change, in grey levels."""

    name, title, better = "tje", "TJE", "none"
    cites = ("talkingpose",)

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """The error of each frame."""
        return (FrameJitter(),)

    def value(self, sample: Sample) -> float | str:
        """The mean over the clip's frames."""
        if "jitter" not in sample.pair:
            return sample.refused.get("pair/jitter", "there is no reference")
        return float(np.mean(sample.pair["jitter"]["error"]))
