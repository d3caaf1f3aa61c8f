"""SSIM of each clip's worst frame, averaged over the clips."""

from talkingface_wild.benchmark.extractors.frame_similarity import FrameSimilarity
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean


class SsimLeast(ClipMean):
    """What a moment of failure costs, which a mean over the frames hides."""

    name, title, better = "ssim_least", "SSIM least", "higher"

    @classmethod
    def extractors(cls, protocol):
        """Each frame against the reference's."""
        return (FrameSimilarity(protocol.similarity),)

    def value(self, sample):
        """The worst frame's, or the reason why there is none."""
        if "similarity" not in sample.pair:
            return sample.refused.get("pair/similarity", "there is no reference")
        return float(sample.pair["similarity"]["ssim"].min())
