"""Which row of a column is best, which second, and whether the best is proven: paired statistics
over the same clips, Holm over the rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from talkingface_wild.benchmark.base import Better, Score
from talkingface_wild.benchmark.tables.common_clips import TableEntry
from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional.intervals import Interval, holm, paired_bootstrap, paired_jackknife


@dataclass(frozen=True)
class Standing:
    """Places of the best and second row among the compared ones; None where there is none."""

    best: int | None = None
    second: int | None = None
    proven: bool = False
    """Whether the best differs from every other row (Holm over rows, 95 %)."""
    untested: str = ""
    """Why some comparison could not be made, or empty."""


def badness(value: float, better: Better) -> float:
    """A number that is smaller for a better value."""
    if better == "one":
        return abs(value - 1.0)
    return -value if better == "higher" else value


def standing(
    metric: str, better: Better, entries: Sequence[TableEntry], able: Sequence[bool]
) -> Standing:
    """Rank the entries that have a value of ``metric`` and are ``able`` to be compared."""
    values = {
        place: score.value
        for place, entry in enumerate(entries)
        if able[place] and (score := entry.scores.get(metric)) and score.value is not None
    }
    if better == "none" or len(values) < 2:
        return Standing()
    order = sorted(values, key=lambda place: badness(values[place], better))
    best, *others = order
    intervals, reasons = [], []
    for place in others:
        interval = paired(metric, better, entries[best], entries[place])
        if isinstance(interval, str):
            reasons.append(interval)
            interval = Interval(0.0, None, None)
        elif interval.two_sided_p is None and interval.note:
            reasons.append(interval.note)
        intervals.append(interval)
    rejected = holm([interval.two_sided_p for interval in intervals])
    proven = all(rejected) and all(map(_excludes_zero, intervals))
    return Standing(best, others[0], proven, "; ".join(dict.fromkeys(reasons)))


def paired(metric: str, better: Better, first: TableEntry, second: TableEntry) -> Interval | str:
    """The interval of first − second in badness over the clips of both, or why there is none.

    Set distances by their leave-one-fold-out values, means by their per-clip values.
    """
    one, other = first.scores[metric], second.scores[metric]
    if one.replicates or other.replicates:
        return _paired_folds(one, other, better)
    columns = [entry.clips.get(metric) for entry in (first, second)]
    if columns[0] is None or columns[1] is None:
        return "no values of clips or folds to pair"
    mine, others = columns[0].dropna(), columns[1].dropna()
    both = mine.index.intersection(others.index)
    if not len(both):
        return "no clip in common"
    groups = first.clips.loc[both, "group"].astype(str).tolist()
    a, b = mine[both].to_numpy(dtype=np.float64), others[both].to_numpy(dtype=np.float64)
    if better == "one":
        return _paired_from_one(a, b, groups)
    sign = -1.0 if better == "higher" else 1.0
    return paired_bootstrap((sign * a).tolist(), (sign * b).tolist(), groups)


def _paired_folds(one: Score, other: Score, better: Better) -> Interval | str:
    if one.value is None or other.value is None or set(one.replicates) != set(other.replicates):
        return "the rows were folded differently"
    folds = sorted(one.replicates)
    left_out = [
        [badness(score.replicates[fold], better) for fold in folds] for score in (one, other)
    ]
    return paired_jackknife(
        badness(one.value, better), left_out[0], badness(other.value, better), left_out[1]
    )


def _paired_from_one(a: Floats, b: Floats, groups: Sequence[str]) -> Interval:
    """Paired jackknife over identities of how far two means lie from 1."""
    names = np.asarray(groups)
    without = [names != group for group in np.unique(names)]
    left_out = [
        [badness(float(values[kept].mean()), "one") for kept in without if kept.any()]
        for values in (a, b)
    ]
    full = [badness(float(values.mean()), "one") for values in (a, b)]
    return paired_jackknife(full[0], left_out[0], full[1], left_out[1])


def _excludes_zero(interval: Interval) -> bool:
    if interval.low is None or interval.high is None:
        return False
    return interval.low > 0 or interval.high < 0
