"""Sync-C, Sync-D, offset, Sync-C0 and nSync, all from SyncNet's mean distances over shifts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from talkingface_wild.benchmark.base import NOT_FINITE, Sample, Score, finite, joined
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.lipsync import LipSync
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.core.arrays import Floats
from talkingface_wild.core.counting import counted
from talkingface_wild.functional import sync_distances
from talkingface_wild.functional.intervals import grouped_jackknife

FEW_WINDOWS = 60
"""Below so many windows the zero-padded outer shifts bias the curve."""


class _Sync(ClipMean):
    field: ClassVar[str] = ""
    """Which field of ``sync_distances.SyncScore`` is a track's value."""
    cites = ("chung2016syncnet", "zhang2017s3fd")

    def reset(self) -> None:
        """Forget every clip."""
        super().reset()
        self.few = 0
        self.edge = 0

    @classmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """Distances of lips to sound."""
        return (LipSync(protocol.sync),)

    def label(self) -> str:
        """The face pipeline; the driving sound is what the lips are held against."""
        settings = self.protocol.sync
        faces = f"s3fd.25-{settings.tracks}" if settings.pipeline == "tracked" else "whole"
        return f"{faces}-{'+'.join(settings.recode) or 'lossless'}-drivewav"

    def of(self, means_S: Floats) -> float:
        """The value of one track's mean distances over shifts."""
        return float(getattr(sync_distances.score_distances(means_S[None]), self.field))

    def value(self, sample: Sample) -> float | str:
        """The mean over the clip's tracks (one, where the protocol takes the longest)."""
        lipsync = sample.generated.get("lipsync")
        if lipsync is None:
            return sample.refusal("generated", "lipsync")
        if not finite(lipsync["means"]):
            return NOT_FINITE
        self.few += int(lipsync["windows"][0]) < FEW_WINDOWS
        self.edge += sync_distances.score_distances(lipsync["means"][:1]).at_edge
        return float(np.mean([self.of(means_S) for means_S in lipsync["means"]]))

    def merge(self, other: Any) -> None:
        """Take in another's clips."""
        super().merge(other)
        self.few += other.few
        self.edge += other.edge

    def compute(self) -> Score:
        """The mean; clips whose offset is at the edge have no sync, and are counted."""
        score = super().compute()
        warnings = list(score.warnings)
        if self.few:
            clips = counted(self.few, "clip")
            warnings.append(f"{self.name}: {clips} of under {FEW_WINDOWS} windows")
        if self.edge:
            clips, edge = counted(self.edge, "clip"), sync_distances.SHIFT
            warnings.append(f"{self.name}: {clips} without sync (offset at ±{edge})")
        extra = {**score.extra, "no_sync_clips": self.edge}
        return replace(score, warnings=tuple(warnings), extra=extra)


class SyncC(_Sync):
    """Confidence: the median over ±15 shifts of the mean distance, minus its least (LSE-C)."""

    name, title, better, field = "sync_c", "Sync-C", "higher", "confidence"


class SyncD(_Sync):
    """Distance: the least mean distance over ±15 shifts (LSE-D)."""

    name, title, better, field = "sync_d", "Sync-D", "lower", "distance"


class SyncOffset(_Sync):
    """The offset in frames of 40 ms: 15 − argmin, the first least value on ties; positive: the
    matching sound lies earlier.
    """

    name, title, better, field = "sync_offset", "AV offset", "none", "offset"

    def compute(self) -> Score:
        """The mean, and the share of clips within one frame."""
        score = super().compute()
        near = [abs(value) <= 1 for value in score.clips.values()]
        share = float(np.mean(near)) if near else None
        return replace(score, extra={**score.extra, "within_one_frame": share})


class SyncC0(_Sync):
    """Confidence at offset 0: a constant lag does not count as sync."""

    name, title, better = "sync_c0", "Sync-C0", "higher"

    def of(self, means_S: Floats) -> float:
        """Median minus the value at offset 0."""
        return sync_distances.sync_c0(means_S[None])


class NSync(_Sync):
    """(C − C_null) / (C_gt − C_null) per language, averaged over clips; 1 is the real video's.

    C_null is the confidence of the real frames against their own sound moved by two seconds or
    more; it and C_gt are means over the language, since a single clip's are too noisy.
    """

    name, title, better, field = "nsync", "nSync", "one", "confidence"

    def reset(self) -> None:
        """Forget every clip."""
        super().reset()
        self.parts: dict[str, tuple[str, float, float, float]] = {}

    def value(self, sample: Sample) -> float | str:
        """The clip's confidence, which ``compute`` puts on the language's scale."""
        confidence = super().value(sample)
        real = sample.reference.get("lipsync")
        if isinstance(confidence, str):
            return confidence
        if real is None:
            return sample.refusal("reference", "lipsync")
        if not len(real["nulls"]):
            return "too short for its sound to be moved by two seconds"
        true = float(np.mean([self.of(means_S) for means_S in real["means"]]))
        null = float(np.mean(real["nulls"]))
        if not np.isfinite([true, null]).all():
            return NOT_FINITE
        self.parts[sample.clip] = (sample.language, confidence, true, null)
        return confidence

    def merge(self, other: Any) -> None:
        """Take in another's clips."""
        super().merge(other)
        self.parts |= other.parts

    def compute(self) -> Score:
        """Each clip on its language's scale, then the mean.

        The scales are estimated from the same clips, so the interval leaves identities out of both.
        """
        confidences, self.values = self.values, _on_scale(self.parts)
        if lost := len(self.parts) - len(self.values):
            self.reasons["the real video's confidence is not above its null"] = lost
        try:
            score = super().compute()
        finally:
            self.values = confidences
        if score.value is None:
            return score
        replicates = self._replicates()
        interval = grouped_jackknife(score.value, list(replicates.values()))
        return replace(
            score,
            low=interval.low,
            high=interval.high,
            note=joined(score.note, interval.note),
            replicates=replicates,
        )

    def _replicates(self) -> dict[str, float]:
        """The value without each fold of identities, scales and all."""
        folds = sorted({self.folds[self.groups[clip]] for clip in self.parts})
        means = {}
        for fold in folds if len(folds) > 1 and self.jackknife else ():
            rest = {c: p for c, p in self.parts.items() if self.folds[self.groups[c]] != fold}
            if values := list(_on_scale(rest).values()):
                means[str(fold)] = float(np.mean(values))
        return means


def _on_scale(parts: Mapping[str, tuple[str, float, float, float]]) -> dict[str, float]:
    """The value of each clip, from (language, C, C_gt, C_null), where its scale is one."""
    values: dict[str, float] = {}
    for language in dict.fromkeys(part[0] for part in parts.values()):
        mine = {clip: part for clip, part in parts.items() if part[0] == language}
        true, null = (float(np.mean([part[i] for part in mine.values()])) for i in (2, 3))
        for clip, (_, confidence, _, _) in mine.items():
            scaled = sync_distances.nsync(confidence, null, true)
            if scaled is not None:
                values[clip] = scaled
    return values
