"""Distances between two sets of feature rows: sums per fold, intervals by leaving folds out.

``FrechetMetric`` keeps a count, a sum and a sum of outer products per fold;
``KernelMetric`` keeps a bounded sample of rows. Neither grows with the number of videos.
"""

from __future__ import annotations

import abc
import functools
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.base import NOT_FINITE, Metric, Sample, Score, finite, joined
from talkingface_wild.functional.frechet import frechet_of_moments
from talkingface_wild.functional.intervals import grouped_jackknife
from talkingface_wild.functional.kernel_distance import FoldedKernel
from talkingface_wild.functional.moments import Moments

Rows = npt.NDArray[Any]
SIDES = ("generated", "reference")
PORTION = 1000
"""Rows of a fold that are summed at a time."""
_SMALL = {"frames": "f", "windows": "w", "clips": "c"}
_TOO_FEW = "fewer than two rows on one side"


class SetDistance(Metric):
    """What both have in common: rows of the two sides, of the same clips on both."""

    unit = "frames"
    extractor: ClassVar[str]
    array: ClassVar[str]

    def update(self, sample: Sample) -> None:
        """Add a clip's rows to its identity's fold; both sides, or neither where one has none.

        A side that the sample never had (split halves) is no loss.
        """
        rows_by_side: dict[int, Rows] = {}
        for side, features in enumerate((sample.generated, sample.reference)):
            reason = sample.refused.get(f"{SIDES[side]}/{self.extractor}")
            if reason is None and self.extractor in features:
                rows_by_side[side] = np.asarray(features[self.extractor][self.array])
                reason = None if finite(rows_by_side[side]) else NOT_FINITE
            if reason is not None:
                self.reasons[reason] += 1
                return
        for side, rows in rows_by_side.items():
            if len(rows):
                self.take(side, self.folds[sample.group], f"{sample.clip}/{sample.seed}", rows)

    @abc.abstractmethod
    def take(self, side: int, fold: int, clip: str, rows: Rows) -> None:
        """Add one video's rows (N, D)."""

    def count(self, n: int) -> str:
        """How many rows of the generated side."""
        return f"{n}{_SMALL[self.unit]}"

    def no_value(self, n: int, note: str) -> Score:
        """The score without a value."""
        return super().no_value(n, joined(note, self.omissions()))

    def score(
        self,
        value: float,
        n: int,
        replicates: Mapping[str, float],
        least: float = -math.inf,
        note: str = "",
        warnings: tuple[str, ...] = (),
    ) -> Score:
        """The distance with its grouped jackknife interval; nothing is shown below ``least``."""
        interval = grouped_jackknife(value, list(replicates.values()))
        low, high = (b if b is None else max(least, b) for b in (interval.low, interval.high))
        why = interval.note if replicates else "one identity; an interval needs at least two"
        return Score(
            self.name,
            max(least, value),
            low,
            high,
            n,
            self.unit,
            better=self.better,
            note=joined(note, self.omissions(), why if self.jackknife else None),
            warnings=warnings,
            raw=value,
            replicates=replicates,
        )


class FrechetMetric(SetDistance):
    """A Fréchet distance between all rows of the generated and all rows of the reference side."""

    least: ClassVar[int] = 2
    """Rows below which the estimate is dominated by its bias, which is then warned of."""
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
        if fold in self.sides[side]:
            self.sides[side][fold].add(rows)
        else:
            self.sides[side][fold] = Moments.of(rows)

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

    def n_of(self, rows: int) -> int:
        """What ``n`` counts: the generated side's rows."""
        return rows

    def compute(self) -> Score:
        """The distance over all folds, and its grouped jackknife interval."""
        rows = [sum(moments.n for moments in side.values()) for side in self.summed()]
        n = self.n_of(rows[0]) if rows[0] else 0
        if min(rows) < 2 or self.refusal():
            return self.no_value(n, self.refusal() or _TOO_FEW)
        generated, reference = (
            functools.reduce(operator.add, side.values()) for side in self.sides
        )
        value = frechet_of_moments(generated, reference, self.ddof)
        biased = (
            f"{self.name}: {generated.n} rows, fewer than {self.least}; "
            "the distance is biased upwards and compares only at equal n"
        )
        return self.score(
            value,
            n,
            self._replicates(generated, reference),
            least=0.0,
            warnings=(biased,) if generated.n < self.least else (),
        )

    def _replicates(self, generated: Moments, reference: Moments) -> dict[str, float]:
        """The distance without each fold in turn, where enough is left without it."""
        folds = sorted(self.sides[0].keys() | self.sides[1].keys())
        if len(folds) < 2 or not self.jackknife:
            return {}
        distances = {}
        for fold in folds:
            rest = [
                total - side[fold] if fold in side else total
                for total, side in zip((generated, reference), self.sides, strict=True)
            ]
            if all(moments.n >= 2 for moments in rest):
                distances[str(fold)] = frechet_of_moments(rest[0], rest[1], self.ddof)
        return distances


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
        self.videos: tuple[list[_VideoRows], list[_VideoRows]] = ([], [])
        self.row_counts = [0, 0]

    def take(self, side: int, fold: int, clip: str, rows: Rows) -> None:
        """Keep a video's rows for now; the highest ranks go when twice as many are kept as may."""
        random = np.random.default_rng(np.frombuffer(f"{clip}/{side}".encode(), np.uint8))
        ranks = random.random(len(rows))
        self.videos[side].append(_VideoRows(fold, ranks, rows.astype(np.float32)))
        self.row_counts[side] += len(rows)
        if sum(len(video.ranks) for video in self.videos[side]) > 2 * self.most_rows:
            self._thin(side)

    def _thin(self, side: int) -> None:
        """Keep the ``most_rows`` lowest ranks of a side."""
        videos = self.videos[side]
        ranks = np.concatenate([np.zeros(0), *(video.ranks for video in videos)])
        if len(ranks) > self.most_rows:
            bound = np.partition(ranks, self.most_rows - 1)[self.most_rows - 1]
            videos[:] = [rest for video in videos if len((rest := video.below(bound)).ranks)]

    def merge(self, other: Self) -> None:
        """Take in another's rows."""
        super().merge(other)
        for side in (0, 1):
            self.videos[side].extend(other.videos[side])
            self.row_counts[side] += other.row_counts[side]
            self._thin(side)

    def compute(self) -> Score:
        """The distance and its jackknife interval."""
        for side in (0, 1):
            self._thin(side)
        n = self.row_counts[0]
        if min(self.row_counts) < 2:
            return self.no_value(n, _TOO_FEW)
        folds = sorted({video.fold for side in self.videos for video in side})
        sets = [[_fold_rows(side, fold) for fold in folds] for side in self.videos]
        kernel = FoldedKernel.of(sets[0], sets[1])
        drawn = f"of {self.most_rows} rows a side, drawn evenly"
        return self.score(
            kernel.mmd2() * self.factor,
            n,
            self._replicates(kernel, folds),
            note=drawn if max(self.row_counts) > self.most_rows else "",
        )

    def _replicates(self, kernel: FoldedKernel, folds: list[int]) -> dict[str, float]:
        """The distance without each fold, where enough rows are left without it."""
        if len(folds) < 2 or not self.jackknife:
            return {}
        try:
            values = kernel.leave_out()
        except ValueError:
            return {}
        return {str(f): v * self.factor for f, v in zip(folds, values, strict=True)}


@dataclass(frozen=True, slots=True)
class _VideoRows:
    """Some rows of one video: their fold, ranks (K,) and values (K, D)."""

    fold: int
    ranks: Rows
    rows: Rows

    def below(self, bound: float) -> _VideoRows:
        """The rows whose rank is at most ``bound``."""
        low = self.ranks <= bound
        return _VideoRows(self.fold, self.ranks[low], self.rows[low])


def _fold_rows(side: list[_VideoRows], fold: int) -> Rows:
    """A fold's rows (K, D), in the order of their ranks; none is (0, D)."""
    videos = [video for video in side if video.fold == fold]
    if not videos:
        return np.zeros((0, side[0].rows.shape[1]), dtype=np.float32)
    order = np.argsort(np.concatenate([video.ranks for video in videos]), kind="stable")
    return np.asarray(np.concatenate([video.rows for video in videos])[order])
