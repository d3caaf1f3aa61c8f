"""FVD and KVD: windows of frames as I3D sees them (Unterthiner et al. 2018)."""

from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.i3d_features import I3DFeatures
from talkingface_wild.benchmark.metrics.set_distance import FrechetMetric, KernelMetric
from talkingface_wild.benchmark.protocol import Protocol


class Fvd(FrechetMetric):
    """The Fréchet distance of 400 Kinetics logits a window."""

    name, title, better = "fvd", "FVD", "lower"
    unit, extractor, array, least = "windows", "i3d", "logits", 2048
    cites = ("unterthiner2018fvd", "carreira2017i3d")

    def reset(self) -> None:
        """Forget every window; the covariance is the protocol's."""
        super().reset()
        self.ddof = self.protocol.fvd.ddof

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """I3D of each window."""
        return (I3DFeatures(protocol.fvd, protocol.autocast),)

    def label(self) -> str:
        """The geometry and the window's length."""
        return geometry_of(self.protocol)

    def choices(self) -> int:
        """The covariance's ddof."""
        return self.protocol.fvd.ddof


class Kvd(KernelMetric):
    """The unbiased companion of FVD, times 1,000."""

    name, title, better = "kvd", "KVD×10³", "lower"
    unit, extractor, array = "windows", "i3d", "logits"
    cites = ("binkowski2018kid", "carreira2017i3d")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """I3D of each window."""
        return Fvd.extractors(protocol)

    def label(self) -> str:
        """The geometry and the window's length."""
        return geometry_of(self.protocol)


def geometry_of(protocol: Protocol) -> str:
    """What I3D sees, and the type of numbers where it is not float32."""
    fvd = protocol.fvd
    return f"i3d-{fvd.geometry}x{fvd.window}" + (":bf16" if protocol.autocast else "")
