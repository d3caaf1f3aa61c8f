"""FID and KID: frames as Inception sees them (Heusel et al. 2017; Bińkowski et al. 2018)."""

from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.inception_features import InceptionFeatures
from talkingface_wild.benchmark.metrics.set_distance import FrechetMetric, KernelMetric
from talkingface_wild.benchmark.protocol import Protocol


class Fid(FrechetMetric):
    """‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) of 2,048 pool features."""

    name, title, better = "fid", "FID", "lower"
    extractor, array, least = "inception", "pool", 10_000
    cites = ("heusel2017ttur", "szegedy2016inception", "parmar2022cleanfid")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Inception of each frame."""
        return (InceptionFeatures(protocol.fid, protocol.autocast),)

    def label(self) -> str:
        """The resize, by which alone FID changes."""
        return resize_of(self.protocol)


class Kid(KernelMetric):
    """The unbiased companion of FID for small sets, times 1,000."""

    name, title, better = "kid", "KID×10³", "lower"
    extractor, array = "inception", "pool"
    cites = ("binkowski2018kid", "szegedy2016inception")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Inception of each frame."""
        return Fid.extractors(protocol)

    def label(self) -> str:
        """The resize."""
        return resize_of(self.protocol)


def resize_of(protocol: Protocol) -> str:
    """The resize's name, and the type of numbers where it is not float32."""
    return protocol.fid.resize + (":bf16" if protocol.autocast else "")
