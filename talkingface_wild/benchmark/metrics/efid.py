"""E-FID: the Fréchet distance of expression coefficients (EMO's definition, Tian et al. 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Sample
from talkingface_wild.benchmark.extractors.base import Extractor
from talkingface_wild.benchmark.extractors.faces import AlignedInception, ExpressionFeatures
from talkingface_wild.benchmark.metrics.set_distance import FrechetMetric
from talkingface_wild.benchmark.protocol import Protocol


class Efid(FrechetMetric):
    """64 expression coefficients of Deep3DFaceRecon a frame, raw; never compared across sources."""

    name, title, better, part = "efid", "E-FID", "lower", "efid"
    extractor, array, least = "expression", "expression", 1000
    cites = ("tian2024emo", "deng2019recon", "guo2021scrfd")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Expressions of each chosen frame."""
        return (ExpressionFeatures(protocol.expression),)

    def update(self, sample: Sample) -> None:
        """Count the frames without a face as well."""
        found = sample.generated.get(self.extractor)
        if found is not None:
            self.asked += int(found["asked"][0])
            self.missing += int(found["asked"][0]) - len(found["expression"])
        super().update(sample)

    def refusal(self) -> str:
        """Too many frames showed no face."""
        most = self.protocol.expression.most_unmeasured
        if self.asked and self.missing / self.asked > most:
            return f"{self.missing} of {self.asked} frames show no face, over {most:.0%}"
        return ""

    def rows(self, features: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """One row a frame with a face."""
        return np.asarray(features["expression"], dtype=np.float64)


class EfidInception(FrechetMetric):
    """The paper's sentence taken literally: Inception features of aligned faces. Not E-FID."""

    name, title, better, part = "efid_inception", "E-FID (Inception, literal)", "lower", "efid"
    extractor, array, least = "aligned_inception", "pool", 10_000
    default = False
    cites = ("mcdm", "szegedy2016inception")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Inception of each aligned face."""
        return (AlignedInception(protocol.expression),)

    def rows(self, features: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """One row a frame with a face."""
        return np.asarray(features["pool"], dtype=np.float64)
