"""FID and KID: frames as Inception sees them (Heusel et al. 2017; Bińkowski et al. 2018)."""

from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.set_features import InceptionFeatures
from talkingface_wild.benchmark.metrics.set_distance import FrechetMetric, KernelMetric, SetDistance
from talkingface_wild.benchmark.protocol import Protocol


class _InceptionRows(SetDistance):
    extractor, array = "inception", "pool"

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Inception of each frame."""
        return (InceptionFeatures(protocol.fid, protocol.autocast),)

    def label(self) -> str:
        """The resize, by which alone FID changes, and the type of numbers if not float32."""
        return self.protocol.fid.resize + (":bf16" if self.protocol.autocast else "")


class Fid(_InceptionRows, FrechetMetric):
    """‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) of 2,048 pool features."""

    name, title, better, least = "fid", "FID", "lower", 10_000
    cites = ("heusel2017ttur", "szegedy2016inception", "parmar2022cleanfid")


class Kid(_InceptionRows, KernelMetric):
    """The unbiased companion of FID for small sets, times 1,000."""

    name, title, better = "kid", "KID×10³", "lower"
    cites = ("binkowski2018kid", "szegedy2016inception")
