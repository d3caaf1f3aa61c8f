"""E-FID: the Fréchet distance of expression coefficients (EMO's definition, Tian et al. 2024)."""

from typing import Self

from talkingface_wild.benchmark.base import Sample
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.face_features import AlignedInception, ExpressionFeatures
from talkingface_wild.benchmark.metrics.set_distance import SIDES, FrechetMetric, Rows
from talkingface_wild.benchmark.protocol import Protocol


class _Expressions(FrechetMetric):
    """Both forms: no value where too many frames show no face, on either side; n counts clips."""

    unit = "clips"

    def reset(self) -> None:
        """Forget every clip."""
        super().reset()
        self.frames, self.faceless, self.clips = [0, 0], [0, 0], 0

    def update(self, sample: Sample) -> None:
        """Count the frames without a face as well."""
        for side, features in enumerate((sample.generated, sample.reference)):
            if self.extractor in features:
                arrays = features[self.extractor]
                frames = int(arrays["asked"][0])
                self.frames[side] += frames
                self.faceless[side] += frames - len(arrays[self.array])
        super().update(sample)

    def take(self, side: int, fold: int, clip: str, rows: Rows) -> None:
        """Count the clip as well."""
        self.clips += side == 0
        super().take(side, fold, clip, rows)

    def merge(self, other: Self) -> None:
        """Add another's sums and counts."""
        super().merge(other)
        for side in (0, 1):
            self.frames[side] += other.frames[side]
            self.faceless[side] += other.faceless[side]
        self.clips += other.clips

    def n_of(self, rows: int) -> int:
        """Clips: frames of one clip are no evidence of their own."""
        return self.clips

    def refusal(self) -> str:
        """Too many frames showed no face."""
        most = self.choices()
        for side, faceless, frames in zip(SIDES, self.faceless, self.frames, strict=True):
            if frames and faceless / frames > most:
                return f"{faceless} of {frames} {side} frames show no face, over {most:.0%}"
        return ""

    def label(self) -> str:
        """The detector that gives the points."""
        return self.protocol.expression.detector

    def choices(self) -> float:
        """The bound on faceless frames."""
        return self.protocol.expression.most_unmeasured


class Efid(_Expressions):
    """64 expression coefficients of Deep3DFaceRecon a frame, raw; never compared across sources."""

    name, title, better = "efid", "E-FID", "lower"
    extractor, array, least = "expression", "expression", 1000
    cites = ("tian2024emo", "deng2019recon", "guo2021scrfd")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Expressions of each frame."""
        return (ExpressionFeatures(protocol.expression),)


class EfidInception(_Expressions):
    """The paper's sentence taken literally: Inception features of aligned faces. Not E-FID."""

    name, title, better = "efid_inception", "E-FID (Inception, literal)", "lower"
    extractor, array, least = "aligned_inception", "pool", 10_000
    default = False
    cites = ("mcdm", "szegedy2016inception")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Inception of each aligned face."""
        return (AlignedInception(protocol.expression),)
