"""FVD and KVD: windows of frames as I3D sees them (Unterthiner et al. 2018)."""

from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.set_features import I3DFeatures
from talkingface_wild.benchmark.metrics.set_distance import FrechetMetric, KernelMetric, SetDistance
from talkingface_wild.benchmark.protocol import Protocol


class _I3DRows(SetDistance):
    unit, extractor, array = "windows", "i3d", "logits"

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """I3D of each window."""
        return (I3DFeatures(protocol.fvd, protocol.autocast),)

    def label(self) -> str:
        """The geometry and the window's length, and the type of numbers if not float32."""
        fvd = self.protocol.fvd
        return f"i3d-{fvd.geometry}x{fvd.window}" + (":bf16" if self.protocol.autocast else "")


class Fvd(_I3DRows, FrechetMetric):
    """The Fréchet distance of 400 Kinetics logits a window."""

    name, title, better, least = "fvd", "FVD", "lower", 2048
    cites = ("unterthiner2018fvd", "carreira2017i3d")

    def reset(self) -> None:
        """Forget every window; the covariance is the protocol's."""
        super().reset()
        self.ddof = self.protocol.fvd.ddof

    def choices(self) -> int:
        """The covariance's ddof."""
        return self.ddof


class Kvd(_I3DRows, KernelMetric):
    """The unbiased companion of FVD, times 1,000."""

    name, title, better = "kvd", "KVD×10³", "lower"
    cites = ("binkowski2018kid", "carreira2017i3d")
