"""Distances between two sets of feature rows: sums per fold, intervals by leaving folds out.

``FrechetMetric`` keeps a count, a sum and a sum of outer products per fold;
``KernelMetric`` keeps a bounded sample of rows. Neither grows with the number of videos.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import Metric, Sample, Score, clip_count, finite, joined
from talkingface_wild.functional.frechet import frechet_of_moments
from talkingface_wild.functional.intervals import Interval, grouped_jackknife
from talkingface_wild.functional.kernel_distance import FoldedKernel
from talkingface_wild.functional.moments import Moments

Rows = npt.NDArray[Any]
SIDES = ("generated", "reference")
PORTION = 1000
"""Rows of a fold that are summed at a time."""
_SMALL = {"frames": "f", "windows": "w", "clips": "c"}


class SetDistance(Metric):
    """What both have in common: rows of the two sides, of the same clips on both."""

    unit: ClassVar[str] = "frames"
    extractor: ClassVar[str]
    array: ClassVar[str]

    def reset(self) -> None:
        """Forget every row."""
        self.reasons: dict[str, int] = {}

    def rows(self, features: Mapping[str, Rows]) -> Rows:
        """The rows (N, D) of one video's features."""
        return np.asarray(features[self.array])

    def update(self, sample: Sample) -> None:
        """Add a clip's rows to its identity's fold; both sides, or neither where one has none.

        A side that the sample never had (split halves) is no loss.
        """
        found: list[tuple[int, Rows]] = []
        for side, features in enumerate((sample.generated, sample.reference)):
            refusal = sample.refused.get(f"{SIDES[side]}/{self.extractor}")
            if refusal is not None:
                return self._skip(refusal)
            if self.extractor in features:
                rows = self.rows(features[self.extractor])
                if not finite(rows):
                    return self._skip("features hold NaN or infinity")
                found.append((side, rows))
        for side, rows in found:
            if len(rows):
                self.take(side, self.folds[sample.group], f"{sample.clip}/{sample.seed}", rows)
        return None

    @abc.abstractmethod
    def take(self, side: int, fold: int, clip: str, rows: Rows) -> None:
        """Add one video's rows."""

    def _skip(self, reason: str) -> None:
        self.reasons[reason] = self.reasons.get(reason, 0) + 1

    def merge(self, other: Self) -> None:
        """Take in another's count of what was left out."""
        for reason, count in other.reasons.items():
            self.reasons[reason] = self.reasons.get(reason, 0) + count

    def count(self, n: int) -> str:
        """How many rows of the generated side."""
        return f"{n}{_SMALL[self.unit]}"

    def lost(self) -> str:
        """What was left out, for the note."""
        return "; ".join(f"{clip_count(n)}: {reason}" for reason, n in self.reasons.items())

    def unsure(self, replicates: Mapping[str, float], interval: Interval) -> str | None:
        """Why there is no interval, where one was asked for."""
        if replicates or not self.jackknife:
            return interval.note if self.jackknife else None
        return "one identity; an interval needs at least two"

    def nothing(self, n: int, why: str) -> Score:
        """The score without a value."""
        note = joined(why, self.lost())
        return Score(self.name, None, None, None, n, self.unit, better=self.better, note=note)


class FrechetMetric(SetDistance):
    """A Fréchet distance between all rows of the generated and all rows of the reference side."""

    least: ClassVar[int] = 2
    """Rows below which the estimate is dominated by its bias, which is then said."""
    ddof: int = 1

    def reset(self) -> None:
        """Forget every row."""
        super().reset()
        self.sides: tuple[dict[int, Moments], dict[int, Moments]] = ({}, {})
        self._waiting: dict[tuple[int, int], list[Rows]] = {}

    def take(self, side: int, fold: int, clip: str, rows: Rows) -> None:
        """Let rows wait for others: one large product is faster than many small ones."""
        waiting = self._waiting.setdefault((side, fold), [])
        waiting.append(rows)
        if sum(map(len, waiting)) >= PORTION:
            self._sum(side, fold)

    def _sum(self, side: int, fold: int) -> None:
        """Add what waits to the fold's sums."""
        rows = np.concatenate(self._waiting.pop((side, fold))).astype(np.float64)
        known = self.sides[side].get(fold)
        if known is None:
            self.sides[side][fold] = Moments.of(rows)
        else:
            known.add(rows)

    def summed(self) -> tuple[dict[int, Moments], dict[int, Moments]]:
        """The sums by fold of both sides, with nothing left waiting."""
        for side, fold in list(self._waiting):
            self._sum(side, fold)
        return self.sides

    def merge(self, other: Self) -> None:
        """Add another's sums fold by fold."""
        super().merge(other)
        for mine, theirs in zip(self.summed(), other.summed(), strict=True):
            for fold, moments in theirs.items():
                mine[fold] = mine[fold] + moments if fold in mine else moments

    def refusal(self) -> str:
        """Why there is no value even though there are rows; empty when there is one."""
        return ""

    def counted(self, rows: int) -> int:
        """What ``n`` counts: the generated side's rows."""
        return rows

    def compute(self) -> Score:
        """The distance over all folds, and its grouped jackknife interval."""
        generated, reference = (_total(side.values()) for side in self.summed())
        n = self.counted(generated.n) if generated is not None else 0
        if why := self.refusal():
            return self.nothing(n, why)
        if generated is None or reference is None or min(generated.n, reference.n) < 2:
            return self.nothing(n, "fewer than two rows on one side")
        value = frechet_of_moments(generated, reference, self.ddof)
        replicates = self._replicates(generated, reference)
        interval = grouped_jackknife(value, list(replicates.values()))
        warnings = []
        if generated.n < self.least:
            warnings.append(
                f"{self.name}: {generated.n} rows, fewer than {self.least}; "
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
            note=joined(self.lost(), self.unsure(replicates, interval)),
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


def _total(parts: Iterable[Moments]) -> Moments | None:
    """All folds together, or None without any."""
    total: Moments | None = None
    for part in parts:
        total = part if total is None else total + part
    return total


class KernelMetric(SetDistance):
    """An unbiased squared MMD under the cubic polynomial kernel (KID, KVD), times 1,000.

    Over all rows, or over ``most_rows`` of a side: each row has a rank drawn from its clip's name
    and its place, and the lowest ranks stay. So the sample depends on no order, and memory is
    bounded (8 kB a row at 2,048 dimensions).
    """

    most_rows: ClassVar[int] = 10_000
    factor: ClassVar[float] = 1000.0

    def reset(self) -> None:
        """Forget every row."""
        super().reset()
        self.kept: tuple[list[_Kept], list[_Kept]] = ([], [])
        self.seen = [0, 0]

    def take(self, side: int, fold: int, clip: str, rows: Rows) -> None:
        """Keep a video's rows for now; the highest ranks go when twice as many are kept as may."""
        random = np.random.default_rng(np.frombuffer(f"{clip}/{side}".encode(), np.uint8))
        self.kept[side].append(_Kept(fold, random.random(len(rows)), rows.astype(np.float32)))
        self.seen[side] += len(rows)
        if sum(len(part.ranks) for part in self.kept[side]) > 2 * self.most_rows:
            self._thin(side)

    def _thin(self, side: int) -> None:
        """Keep the ``most_rows`` lowest ranks of a side."""
        parts = self.kept[side]
        if not parts:
            return
        ranks = np.concatenate([part.ranks for part in parts])
        if len(ranks) > self.most_rows:
            bound = np.partition(ranks, self.most_rows - 1)[self.most_rows - 1]
            parts[:] = [smaller for part in parts if (smaller := part.below(bound)) is not None]

    def merge(self, other: Self) -> None:
        """Take in another's rows."""
        super().merge(other)
        for side in (0, 1):
            self.kept[side].extend(other.kept[side])
            self.seen[side] += other.seen[side]
            self._thin(side)

    def compute(self) -> Score:
        """The distance and its jackknife interval."""
        for side in (0, 1):
            self._thin(side)
        n = self.seen[0]
        if min(self.seen) < 2:
            return self.nothing(n, "fewer than two rows on one side")
        folds = sorted({part.fold for side in self.kept for part in side})
        sets = [[_joined(side, fold) for fold in folds] for side in self.kept]
        kernel = FoldedKernel.of(sets[0], sets[1])
        value = kernel.mmd2() * self.factor
        left_out = self._left_out(kernel, folds)
        interval = grouped_jackknife(value, list(left_out.values()))
        sampled = max(self.seen) > self.most_rows
        said = f"of {self.most_rows} rows a side, drawn evenly" if sampled else ""
        return Score(
            self.name,
            value,
            interval.low,
            interval.high,
            n,
            self.unit,
            better=self.better,
            note=joined(said, self.lost(), self.unsure(left_out, interval)),
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


class _Kept:
    """Some rows of one video: their fold, ranks (K,) and values (K, D)."""

    __slots__ = ("fold", "ranks", "rows")

    def __init__(self, fold: int, ranks: Rows, rows: Rows) -> None:
        self.fold, self.ranks, self.rows = fold, ranks, rows

    def below(self, bound: float) -> _Kept | None:
        """The rows whose rank is at most ``bound``, or None without any."""
        low = self.ranks <= bound
        return _Kept(self.fold, self.ranks[low], self.rows[low]) if low.any() else None


def _joined(side: list[_Kept], fold: int) -> Rows:
    """A fold's rows (K, D), in the order of their ranks; none is (0, D)."""
    parts = [part for part in side if part.fold == fold]
    if not parts:
        return np.zeros((0, side[0].rows.shape[1]), dtype=np.float32)
    order = np.argsort(np.concatenate([part.ranks for part in parts]), kind="stable")
    return np.asarray(np.concatenate([part.rows for part in parts])[order])
