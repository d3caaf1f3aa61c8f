"""FID and KID: frames as Inception sees them (Heusel et al. 2017; Bińkowski et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.extractors.base import Extractor
from talkingface_wild.benchmark.extractors.inception import InceptionFeatures
from talkingface_wild.benchmark.metrics.set_distance import FrechetMetric, KernelMetric
from talkingface_wild.benchmark.protocol import Protocol


class Fid(FrechetMetric):
    """‖μ₁ − μ₂‖² + Tr(Σ₁ + Σ₂ − 2 (Σ₁ Σ₂)^½) of 2,048 pool features."""

    name, title, better, part = "fid", "FID", "lower", "fid"
    extractor, array, least = "inception", "pool", 10_000
    cites = ("heusel2017ttur", "szegedy2016inception", "parmar2022cleanfid")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Inception of each frame."""
        return (InceptionFeatures(protocol.fid, protocol.autocast),)

    def rows(self, features: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """One row a frame."""
        return np.asarray(features["pool"], dtype=np.float64)


class Kid(KernelMetric):
    """The unbiased companion of FID for small sets, times 1,000."""

    name, title, better, part = "kid", "KID×10³", "lower", "fid"
    extractor, array = "inception", "pool"
    cites = ("binkowski2018kid", "szegedy2016inception")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Inception of each frame."""
        return Fid.extractors(protocol)
