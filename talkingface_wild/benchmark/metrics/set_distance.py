"""Distances between two sets of feature rows: sums per fold, intervals by leaving folds out.

Never a row is kept: a fold holds a count, a sum and a sum of outer products.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Metric, Sample, Score, finite, joined
from talkingface_wild.functional.frechet import frechet_of_moments
from talkingface_wild.functional.intervals import grouped_jackknife
from talkingface_wild.functional.kernel_distance import FoldedKernel
from talkingface_wild.functional.moments import Moments

Rows = npt.NDArray[Any]


class FrechetMetric(Metric):
    """A Fréchet distance between all rows of the generated and all rows of the reference side."""

    unit: ClassVar[str] = "frames"
    extractor: ClassVar[str]
    array: ClassVar[str]
    least: ClassVar[int] = 2
    """Rows below which the estimate is dominated by its bias, which is then said."""
    ddof: int = 1

    def reset(self) -> None:
        """Forget every row."""
        self.sides: tuple[dict[int, Moments], dict[int, Moments]] = ({}, {})
        self.reasons: dict[str, int] = {}
        self.asked = 0
        self.missing = 0

    @abc.abstractmethod
    def rows(self, features: Mapping[str, Rows]) -> Rows:
        """The rows (N, D) of one video's features."""

    def update(self, sample: Sample) -> None:
        """Add a clip's rows to its identity's fold, on each side that has them."""
        fold = self.folds[sample.group]
        for side, features in ((0, sample.generated), (1, sample.reference)):
            if self.extractor not in features:
                self._without(sample, side)
                continue
            found = self.rows(features[self.extractor])
            if not finite(found):
                self._skip("features hold NaN or infinity")
                continue
            moments = Moments.of(found)
            known = self.sides[side].get(fold)
            self.sides[side][fold] = moments if known is None else known + moments

    def _without(self, sample: Sample, side: int) -> None:
        name = f"{('generated', 'reference')[side]}/{self.extractor}"
        if name in sample.refused:
            self._skip(sample.refused[name])

    def _skip(self, reason: str) -> None:
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def merge(self, other: Self) -> None:
        """Add another's sums fold by fold."""
        for mine, theirs in zip(self.sides, other.sides, strict=True):
            for fold, moments in theirs.items():
                mine[fold] = mine[fold] + moments if fold in mine else moments
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count
        self.asked += other.asked
        self.missing += other.missing

    def refusal(self) -> str:
        """Why there is no value even though there are rows; empty when there is one."""
        return ""

    def compute(self) -> Score:
        """The distance over all folds, and its grouped jackknife interval."""
        note = "; ".join(f"{count} clips: {reason}" for reason, count in self.reasons.items())
        totals = [_total(side.values()) for side in self.sides]
        n = totals[0].n if totals[0] is not None else 0
        short = any(total is None or total.n < 2 for total in totals)
        why = self.refusal() or ("fewer than two rows on one side" if short else "")
        if why or totals[0] is None or totals[1] is None:
            said = joined(why, note)
            return Score(self.name, None, None, None, n, self.unit, better=self.better, note=said)
        value = frechet_of_moments(totals[0], totals[1], self.ddof)
        replicates = self._replicates(totals[0], totals[1])
        interval = grouped_jackknife(value, list(replicates.values()))
        warnings = []
        if n < self.least:
            warnings.append(
                f"{self.name}: {n} {self.unit}, fewer than {self.least}; "
                "the distance is biased upwards and compares only at equal n"
            )
        return Score(
            self.name,
            max(0.0, value),
            None if interval.low is None else max(0.0, interval.low),
            None if interval.high is None else max(0.0, interval.high),
            n,
            self.unit,
            better=self.better,
            note=joined(note, interval.note if self.jackknife else ""),
            warnings=tuple(warnings),
            raw=value,
            replicates=replicates,
        )

    def _replicates(self, generated: Moments, reference: Moments) -> dict[str, float]:
        """The distance without each fold in turn, where enough is left without it."""
        folds = sorted(self.sides[0].keys() | self.sides[1].keys())
        if len(folds) < 2 or not self.jackknife:
            return {}
        found = {}
        for fold in folds:
            left = [
                total - side[fold] if fold in side else total
                for total, side in zip((generated, reference), self.sides, strict=True)
            ]
            if all(moments.n >= 2 for moments in left):
                found[str(fold)] = frechet_of_moments(left[0], left[1], self.ddof)
        return found


def _total(parts: Any) -> Moments | None:
    """All folds together, or None without any."""
    total: Moments | None = None
    for part in parts:
        total = part if total is None else total + part
    return total


class KernelMetric(Metric):
    """An unbiased squared MMD under the cubic polynomial kernel (KID, KVD), times 1,000.

    Rows are kept in float32, since the kernel needs them all: 8 kB a frame at 2,048 dimensions, up
    to ``most_rows`` a side, chosen evenly within each fold.
    """

    unit: ClassVar[str] = "frames"
    extractor: ClassVar[str]
    array: ClassVar[str]
    most_rows: ClassVar[int] = 10_000
    factor: ClassVar[float] = 1000.0

    def reset(self) -> None:
        """Forget every row."""
        self.sides: tuple[dict[int, list[Rows]], dict[int, list[Rows]]] = ({}, {})
        self.reasons: dict[str, int] = {}

    def update(self, sample: Sample) -> None:
        """Add a clip's rows to its identity's fold."""
        fold = self.folds[sample.group]
        for side, features in ((0, sample.generated), (1, sample.reference)):
            if self.extractor not in features:
                reason = sample.refused.get(f"{('generated', 'reference')[side]}/{self.extractor}")
                if reason:
                    self.reasons[reason] = self.reasons.get(reason, 0) + 1
                continue
            found = np.asarray(features[self.extractor][self.array])
            if finite(found):
                self.sides[side].setdefault(fold, []).append(found)

    def merge(self, other: Self) -> None:
        """Take in another's rows."""
        for mine, theirs in zip(self.sides, other.sides, strict=True):
            for fold, rows in theirs.items():
                mine.setdefault(fold, []).extend(rows)
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count

    def compute(self) -> Score:
        """The distance and its jackknife interval."""
        note = "; ".join(f"{count} clips: {reason}" for reason, count in self.reasons.items())
        generated, reference = (self._thinned(side) for side in self.sides)
        n = sum(map(len, generated.values()))
        if n < 2 or sum(map(len, reference.values())) < 2:
            said = joined("fewer than two rows on one side", note)
            return Score(self.name, None, None, None, n, self.unit, better=self.better, note=said)
        folds = sorted(generated.keys() | reference.keys())
        none = np.zeros((0, next(iter(generated.values())).shape[1]), dtype=np.float32)
        kernel = FoldedKernel.of(
            *([side.get(f, none) for f in folds] for side in (generated, reference))
        )
        value = kernel.mmd2() * self.factor
        left_out = self._left_out(kernel, folds)
        interval = grouped_jackknife(value, list(left_out.values()))
        return Score(
            self.name,
            value,
            interval.low,
            interval.high,
            n,
            self.unit,
            better=self.better,
            note=joined(note, interval.note if self.jackknife else ""),
            raw=value,
            replicates=left_out,
        )

    def _left_out(self, kernel: FoldedKernel, folds: list[int]) -> dict[str, float]:
        """The distance without each fold, where enough rows are left without it."""
        if len(folds) < 2 or not self.jackknife:
            return {}
        try:
            values = kernel.leave_out()
        except ValueError:
            return {}
        return {str(f): v * self.factor for f, v in zip(folds, values, strict=True)}

    def _thinned(self, side: dict[int, list[Rows]]) -> dict[int, Rows]:
        """All rows of a side by fold, evenly thinned where there are more than ``most_rows``."""
        joined = {fold: np.concatenate(rows) for fold, rows in sorted(side.items())}
        total = sum(map(len, joined.values()))
        step = max(1, -(-total // self.most_rows))
        return {fold: rows[::step].astype(np.float32) for fold, rows in joined.items()}
