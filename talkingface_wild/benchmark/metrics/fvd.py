"""FVD and KVD: windows of frames as I3D sees them (Unterthiner et al. 2018)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.extractors.base import Extractor
from talkingface_wild.benchmark.extractors.i3d import I3DFeatures
from talkingface_wild.benchmark.metrics.set_distance import FrechetMetric, KernelMetric
from talkingface_wild.benchmark.protocol import Protocol


class Fvd(FrechetMetric):
    """The Fréchet distance of 400 Kinetics logits a window."""

    name, title, better, part = "fvd", "FVD", "lower", "fvd"
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

    def rows(self, features: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """One row a window."""
        return np.asarray(features["logits"], dtype=np.float64)


class Kvd(KernelMetric):
    """The unbiased companion of FVD, times 1,000."""

    name, title, better, part = "kvd", "KVD×10³", "lower", "fvd"
    unit, extractor, array = "windows", "i3d", "logits"
    cites = ("binkowski2018kid", "carreira2017i3d")

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """I3D of each window."""
        return Fvd.extractors(protocol)
