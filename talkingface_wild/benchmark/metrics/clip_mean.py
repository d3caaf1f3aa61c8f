"""Metrics whose value is a mean over clips: the interval resamples identities, never clips."""

import abc
from typing import ClassVar, Self

import numpy as np

from talkingface_wild.benchmark.base import Metric, Sample, Score, clip_count, joined
from talkingface_wild.functional.intervals import cluster_bootstrap

LEAST_CLIPS = 10


class ClipMean(Metric):
    """A value per clip, averaged. A clip without a value is left out and counted in the note."""

    unit: ClassVar[str] = "clips"

    def reset(self) -> None:
        """Forget every clip."""
        self.values: dict[str, float] = {}
        self.groups: dict[str, str] = {}
        self.seen = 0
        self.reasons: dict[str, int] = {}

    @abc.abstractmethod
    def value(self, sample: Sample) -> float | str:
        """The clip's value, or the reason why it has none."""

    def update(self, sample: Sample) -> None:
        """Measure one clip."""
        self.seen += 1
        found = "the video was re-framed" if self.name in sample.barred else self.value(sample)
        if isinstance(found, float) and not np.isfinite(found):
            found = "features hold NaN or infinity"
        if isinstance(found, str):
            self.reasons[found] = self.reasons.get(found, 0) + 1
        else:
            self.values[sample.clip] = float(found)
            self.groups[sample.clip] = sample.group

    def merge(self, other: Self) -> None:
        """Take in another's clips."""
        self.values |= other.values
        self.groups |= other.groups
        self.seen += other.seen
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count

    def compute(self) -> Score:
        """The mean with its interval."""
        missing = "; ".join(f"{clip_count(n)}: {reason}" for reason, n in self.reasons.items())
        names = sorted(self.values)
        if not names:
            note = missing or "no clip was measured"
            return Score(self.name, None, None, None, 0, self.unit, better=self.better, note=note)
        values = [self.values[name] for name in names]
        interval = cluster_bootstrap(values, [self.groups[name] for name in names])
        warnings = (
            [] if len(names) >= LEAST_CLIPS else [f"{self.name}: only {clip_count(len(names))}"]
        )
        return Score(
            self.name,
            float(np.mean(values)),
            interval.low,
            interval.high,
            len(names),
            self.unit,
            better=self.better,
            note=joined(missing, interval.note),
            warnings=tuple(warnings),
            raw=float(np.mean(values)),
            clips=dict(zip(names, values, strict=True)),
        )
