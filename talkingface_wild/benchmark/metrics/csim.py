"""CSIM: cosine between ArcFace embeddings, to the reference picture and to the reference's frame.

A still picture has 1 to the reference picture, so the two are given side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Sample, Score
from talkingface_wild.benchmark.extractors.base import Extractor
from talkingface_wild.benchmark.extractors.faces import IdentityFeatures
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol


class Csim(ClipMean):
    """The mean cosine to the reference picture; ``extra`` has that to the reference's frames."""

    name, title, better, part = "csim", "CSIM", "higher", "csim"
    cites = ("deng2019arcface", "guo2021scrfd")

    def reset(self) -> None:
        """Forget every clip."""
        super().reset()
        self.to_frames: dict[str, float] = {}

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Identities of each chosen frame."""
        return (IdentityFeatures(protocol.identity),)

    def value(self, sample: Sample) -> float | str:
        """The clip's mean cosine to the portrait."""
        mine, theirs = sample.generated.get("identity"), sample.reference.get("identity")
        if mine is None:
            return sample.refused.get("generated/identity", "there is no video")
        if theirs is None:
            return sample.refused.get("reference/identity", "there is no reference")
        if not len(theirs["portrait"]):
            return "no_face: the reference picture shows no face"
        if not len(mine["identity"]):
            return "no_face: no frame shows a face"
        common = to_reference_frames(mine, theirs)
        if common is not None:
            self.to_frames[sample.clip] = float(common.mean())
        return float((mine["identity"] @ theirs["portrait"][0]).mean())

    def merge(self, other: Any) -> None:
        """Take in another's clips."""
        super().merge(other)
        self.to_frames |= other.to_frames

    def compute(self) -> Score:
        """The mean, and the mean to the reference's own frames beside it."""
        frames = list(self.to_frames.values())
        extra = {"to_frames": float(np.mean(frames)) if frames else None}
        return replace(super().compute(), extra=extra)


def to_reference_frames(
    mine: Mapping[str, npt.NDArray[Any]], theirs: Mapping[str, npt.NDArray[Any]]
) -> npt.NDArray[Any] | None:
    """Cosines of the frames that both videos have a face in, or None without any."""
    _, ours, others = np.intersect1d(mine["frame"], theirs["frame"], return_indices=True)
    if not len(ours):
        return None
    return np.asarray((mine["identity"][ours] * theirs["identity"][others]).sum(axis=1))
