"""Sync-C, Sync-D, offset, Sync-C0 and nSync, all from SyncNet's mean distances over shifts."""

import abc
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Sample, Score, clip_count, finite, joined
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.extractors.lipsync import LipSync
from talkingface_wild.benchmark.metrics.clip_mean import ClipMean
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.functional import sync_distances
from talkingface_wild.functional.intervals import grouped_jackknife

EDGE = sync_distances.SHIFT
FEW_WINDOWS = 60
"""Below so many windows the zero-padded outer shifts bias the curve."""

Means = npt.NDArray[np.float64]


class _Sync(ClipMean):
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

    @abc.abstractmethod
    def of(self, means_S: Means) -> float:
        """The value of one track's mean distances over shifts."""

    def value(self, sample: Sample) -> float | str:
        """The mean over the clip's tracks (one, where the protocol takes the longest)."""
        found = sample.generated.get("lipsync")
        if found is None:
            return sample.refused.get("generated/lipsync", "there is no video")
        if not finite(found["means"]):
            return "features hold NaN or infinity"
        self.few += int(found["windows"][0]) < FEW_WINDOWS
        self.edge += sync_distances.score_distances(found["means"][:1]).at_edge
        return float(np.mean([self.of(means) for means in found["means"]]))

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
            warnings.append(f"{self.name}: {clip_count(self.few)} of under {FEW_WINDOWS} windows")
        if self.edge:
            warnings.append(
                f"{self.name}: {clip_count(self.edge)} without sync (offset at ±{EDGE})"
            )
        extra = {**score.extra, "no_sync_clips": self.edge}
        return replace(score, warnings=tuple(warnings), extra=extra)


class SyncC(_Sync):
    """Confidence: the median over ±15 shifts of the mean distance, minus its least (LSE-C)."""

    name, title, better = "sync_c", "Sync-C", "higher"

    def of(self, means_S: Means) -> float:
        """Median minus least."""
        return sync_distances.score_distances(means_S[None]).confidence


class SyncD(_Sync):
    """Distance: the least mean distance over ±15 shifts (LSE-D)."""

    name, title, better = "sync_d", "Sync-D", "lower"

    def of(self, means_S: Means) -> float:
        """The least."""
        return sync_distances.score_distances(means_S[None]).distance


class SyncOffset(_Sync):
    """The offset in frames of 40 ms; positive: the matching sound lies earlier."""

    name, title, better = "sync_offset", "AV offset", "none"

    def of(self, means_S: Means) -> float:
        """15 − argmin, the first least value on ties."""
        return float(sync_distances.score_distances(means_S[None]).offset)

    def compute(self) -> Score:
        """The mean, and the share of clips within one frame."""
        score = super().compute()
        near = [abs(value) <= 1 for value in score.clips.values()]
        share = float(np.mean(near)) if near else None
        return replace(score, extra={**score.extra, "within_one_frame": share})


class SyncC0(_Sync):
    """Confidence at offset 0: a constant lag does not count as sync."""

    name, title, better = "sync_c0", "Sync-C0", "higher"

    def of(self, means_S: Means) -> float:
        """Median minus the value at offset 0."""
        return sync_distances.sync_c0(means_S[None])


class NSync(_Sync):
    """(C − C_null) / (C_gt − C_null) per language, averaged over clips; 1 is the real video's.

    C_null is the confidence of the real frames against their own sound moved by two seconds or
    more; it and C_gt are means over the language, since a single clip's are too noisy.
    """

    name, title, better = "nsync", "nSync", "one"

    def reset(self) -> None:
        """Forget every clip."""
        super().reset()
        self.parts: dict[str, tuple[str, float, float, float]] = {}

    def of(self, means_S: Means) -> float:
        """The confidence, which ``compute`` puts on the language's scale."""
        return sync_distances.score_distances(means_S[None]).confidence

    def value(self, sample: Sample) -> float | str:
        """The clip's confidence, kept beside the real video's and the null's."""
        found = super().value(sample)
        real = sample.reference.get("lipsync")
        if isinstance(found, str):
            return found
        if real is None:
            return sample.refused.get("reference/lipsync", "there is no reference")
        if not len(real["nulls"]):
            return "too short for its sound to be moved by two seconds"
        true = float(np.mean([self.of(means) for means in real["means"]]))
        null = float(np.mean(real["nulls"]))
        if not np.isfinite([true, null]).all():
            return "features hold NaN or infinity"
        self.parts[sample.clip] = (sample.language, found, true, null)
        return found

    def merge(self, other: Any) -> None:
        """Take in another's clips."""
        super().merge(other)
        self.parts |= other.parts

    def compute(self) -> Score:
        """Each clip on its language's scale, then the mean.

        The scales are estimated from the same clips, so the interval leaves identities out of both.
        """
        kept, original = _on_scale(self.parts), self.values
        if lost := len(self.parts) - len(kept):
            reason = "the real video's confidence is not above its null"
            self.reasons = {**self.reasons, reason: lost}
        self.values = kept
        try:
            score = super().compute()
        finally:
            self.values = original
        if score.value is None:
            return score
        left_out = self._left_out()
        interval = grouped_jackknife(score.value, list(left_out.values()))
        note = joined(score.note, interval.note)
        bounds = {"low": interval.low, "high": interval.high}
        return replace(score, note=note, replicates=left_out, **bounds)  # type: ignore[arg-type]

    def _left_out(self) -> dict[str, float]:
        """The value without each fold of identities, scales and all."""
        folds = sorted({self.folds[self.groups[clip]] for clip in self.parts})
        found = {}
        for fold in folds if len(folds) > 1 and self.jackknife else ():
            rest = {c: p for c, p in self.parts.items() if self.folds[self.groups[c]] != fold}
            if values := list(_on_scale(rest).values()):
                found[str(fold)] = float(np.mean(values))
        return found


def _on_scale(parts: Mapping[str, tuple[str, float, float, float]]) -> dict[str, float]:
    """The value of each clip, from (language, C, C_gt, C_null), where its scale is one."""
    kept: dict[str, float] = {}
    for language in {part[0] for part in parts.values()}:
        mine = {clip: part for clip, part in parts.items() if part[0] == language}
        true, null = (float(np.mean([part[i] for part in mine.values()])) for i in (2, 3))
        for clip, (_, confidence, _, _) in mine.items():
            scaled = sync_distances.nsync(confidence, null, true)
            if scaled is not None:
                kept[clip] = scaled
    return kept
