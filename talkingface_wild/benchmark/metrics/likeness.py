"""SSIM, PSNR and the temporal jitter error: agreement with the reference, frame to frame.

Audio-driven outputs need not follow the reference's head: these mostly measure agreement of pose.
"""

from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.frame_similarity import FrameJitter, FrameSimilarity
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol


class _Similarity(ClipMean):
    better = "higher"

    def label(self) -> str:
        """Colour and window, and that the canvas's padding is left out."""
        return f"{self.protocol.similarity.channels}-{self.protocol.similarity.window}-unpadded"

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Each frame against the reference's."""
        return (FrameSimilarity(protocol.similarity),)


class Ssim(_Similarity):
    """Structural similarity (Wang et al. 2004), Gaussian 11 × 11, mean over R, G, B."""

    name, title, cites = "ssim", "SSIM", ("wang2004ssim",)
    features = ("pair", "similarity", "ssim")


class Psnr(_Similarity):
    """Peak signal-to-noise ratio in dB; 100 for equal frames; the mean of the frames' values."""

    name, title = "psnr", "PSNR"
    features = ("pair", "similarity", "psnr")


class Tje(ClipMean):
    """TalkingPose's temporal jitter error: how differently two videos change, in grey levels."""

    name, title, better = "tje", "TJE", "none"
    features = ("pair", "jitter", "error")
    cites = ("talkingpose",)

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """The error of each frame."""
        return (FrameJitter(),)
