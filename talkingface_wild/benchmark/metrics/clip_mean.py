"""Metrics whose value is a mean over clips: the interval resamples identities, never clips."""

from typing import ClassVar, Literal, Self

import numpy as np

from talkingface_wild.benchmark.base import NOT_FINITE, Metric, Sample, Score, joined
from talkingface_wild.core.counting import counted
from talkingface_wild.functional.intervals import cluster_bootstrap

LEAST_CLIPS = 10


class ClipMean(Metric):
    """A value per clip, averaged. A clip without a value is left out and counted in the note."""

    features: ClassVar[tuple[Literal["generated", "pair"], str, str]]
    """Side, extractor and array whose mean is the clip's value, unless ``value`` is overridden."""

    def reset(self) -> None:
        """Forget every clip."""
        super().reset()
        self.values: dict[str, float] = {}
        self.groups: dict[str, str] = {}

    def value(self, sample: Sample) -> float | str:
        """The clip's value, or the reason why it has none."""
        side, extractor, array = self.features
        features = getattr(sample, side).get(extractor)
        if features is None:
            return sample.refusal(side, extractor)
        return float(np.mean(features[array]))

    def update(self, sample: Sample) -> None:
        """Measure one clip."""
        value = "the video was re-framed" if self.name in sample.barred else self.value(sample)
        if isinstance(value, float) and not np.isfinite(value):
            value = NOT_FINITE
        if isinstance(value, str):
            self.reasons[value] += 1
        else:
            self.values[sample.clip] = float(value)
            self.groups[sample.clip] = sample.group

    def merge(self, other: Self) -> None:
        """Take in another's clips."""
        super().merge(other)
        self.values |= other.values
        self.groups |= other.groups

    def compute(self) -> Score:
        """The mean with its interval."""
        names = sorted(self.values)
        if not names:
            return self.no_value(0, self.omissions() or "no clip was measured")
        values = [self.values[name] for name in names]
        interval = cluster_bootstrap(values, [self.groups[name] for name in names])
        few = f"{self.name}: only {counted(len(names), 'clip')}"
        return Score(
            self.name,
            float(np.mean(values)),
            interval.low,
            interval.high,
            len(names),
            self.unit,
            better=self.better,
            note=joined(self.omissions(), interval.note),
            warnings=() if len(names) >= LEAST_CLIPS else (few,),
            raw=float(np.mean(values)),
            clips=dict(zip(names, values, strict=True)),
        )
