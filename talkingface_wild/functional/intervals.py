"""Intervals of scores whose clips are not independent: whole identities are left out or redrawn.
Pure numbers. Shape legend: G groups or folds, B resamples.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from talkingface_wild.core.arrays import Floats

FOLDS = 20
CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True)
class Interval:
    """A value with its bounds; both bounds are None where they cannot be had, ``note`` says why."""

    value: float
    low: float | None
    high: float | None
    standard_error: float | None = None
    two_sided_p: float | None = None
    """Of the hypothesis that the value is 0; given by the paired forms alone."""
    note: str | None = None


def assign_folds(groups: Sequence[str], folds: int = FOLDS) -> dict[str, int]:
    """The fold, from 0, of each group, given the group of every clip.

    Large groups first (equal ones by name), each into the fold with the fewest clips so far: the
    same for every order of the clips. There are min(``folds``, groups) folds and none is empty.
    Raises ValueError for fewer than one fold.
    """
    if folds < 1:
        raise ValueError(f"Expected at least one fold, found {folds}; use 20.")
    counts = Counter(groups)
    sizes = [0] * min(folds, len(counts))
    assigned: dict[str, int] = {}
    for group in sorted(counts, key=lambda name: (-counts[name], name)):
        fold = sizes.index(min(sizes))
        assigned[group] = fold
        sizes[fold] += counts[group]
    return assigned


def grouped_jackknife(
    full: float, leave_out: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    """The interval of a statistic from its values without each of G folds.

    Variance (G − 1)/G Σ(θ₍ᵢ₎ − mean)², bounds of Student's t with G − 1 degrees of freedom around
    ``full`` (Efron and Tibshirani 1993, chapter 11). For Fréchet distances, which are biased
    upwards and more so in a resample, so that a bootstrap's percentiles lie above the value.
    Raises ValueError for values that are not finite.
    """
    values = _finite([full, *leave_out])[1:]
    groups = len(values)
    if groups < 2:
        return Interval(full, None, None, note=_too_few(groups))
    error = float(np.sqrt((groups - 1) / groups * np.square(values - values.mean()).sum()))
    reach = float(stdtrit(groups - 1, (1 + confidence) / 2)) * error
    return Interval(full, full - reach, full + reach, standard_error=error)


def paired_jackknife(
    full_a: float,
    leave_out_a: Sequence[float],
    full_b: float,
    leave_out_b: Sequence[float],
    confidence: float = CONFIDENCE,
) -> Interval:
    """The interval of a − b, both without the same folds in the same order, and its p.

    Raises ValueError when the folds differ in number, or a value is not finite.
    """
    if len(leave_out_a) != len(leave_out_b):
        raise ValueError(
            f"Expected the same folds of both, found {len(leave_out_a)} and {len(leave_out_b)}; "
            "score both on the same clips."
        )
    differences = [a - b for a, b in zip(leave_out_a, leave_out_b, strict=True)]
    interval = grouped_jackknife(full_a - full_b, differences, confidence)
    if interval.standard_error is None:
        return interval
    if interval.standard_error > 0:
        distance = abs(interval.value) / interval.standard_error
        p = 2.0 * float(stdtr(len(differences) - 1, -distance))
    else:
        p = 0.0 if interval.value else 1.0
    return replace(interval, two_sided_p=p)


def cluster_bootstrap(
    values: Sequence[float],
    groups: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Interval:
    """The interval of a mean over clips whose groups (identities) are redrawn whole: BCa.

    Bias-corrected and accelerated (Efron 1987), the acceleration by leaving each group out. The
    mean weights clips alike, so a group with more clips weighs more. The same for every order of
    the clips. One group gives no bounds; groups of one mean give that mean as both bounds.
    Raises ValueError for no values, other numbers of groups, and values that are not finite.
    """
    return _bootstrap(values, groups, resamples, seed, confidence)[0]


def paired_bootstrap(
    values_a: Sequence[float],
    values_b: Sequence[float],
    groups: Sequence[str],
    resamples: int = RESAMPLES,
    seed: int = 0,
    confidence: float = CONFIDENCE,
) -> Interval:
    """``cluster_bootstrap`` of the differences a − b of the same clips, and its p.

    p is where the interval's bound would reach 0. It is never under 2/(B + 1), which is as far as
    B resamples see, nor under 2^(1 − G), the least that G signs could give.
    """
    if len(values_a) != len(values_b):
        raise ValueError(
            f"Expected two values of each clip, found {len(values_a)} and {len(values_b)}; score "
            "both on the same clips."
        )
    differences = [a - b for a, b in zip(values_a, values_b, strict=True)]
    interval, p = _bootstrap(differences, groups, resamples, seed, confidence)
    return replace(interval, two_sided_p=p)


def exact_interval(successes: int, trials: int) -> tuple[float, float]:
    """The two-sided Clopper-Pearson interval of a binomial proportion; it covers at least 95 %.

    Raises ValueError unless 0 ≤ successes ≤ trials and
    trials ≥ 1.
    """
    from scipy.stats import beta  # Slow to import: only where it is used.

    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"{successes} of {trials} is no proportion")
    tail = (1 - 0.95) / 2
    low = float(beta.ppf(tail, successes, trials - successes + 1)) if successes else 0.0
    high = float(beta.isf(tail, successes + 1, trials - successes)) if successes < trials else 1.0
    return low, high


def holm(p_values: Sequence[float | None], alpha: float = 0.05) -> list[bool]:
    """Which hypotheses Holm's (1979) step-down rule rejects, errors of the family ≤ ``alpha``.

    One without a p (None) is not rejected and counts as one of the family.
    """
    counted = [1.0 if p is None else p for p in p_values]
    rejected = [False] * len(counted)
    for step, place in enumerate(sorted(range(len(counted)), key=lambda index: counted[index])):
        if p_values[place] is None or counted[place] > alpha / (len(counted) - step):
            break
        rejected[place] = True
    return rejected


def _bootstrap(
    values: Sequence[float], groups: Sequence[str], resamples: int, seed: int, confidence: float
) -> tuple[Interval, float | None]:
    """The BCa interval of the mean and the two-sided p of 0."""
    sums_G, counts_G = _sums_by_group(values, groups)
    total = len(sums_G)
    value = float(sums_G.sum() / counts_G.sum())
    if total < 2:
        return Interval(value, None, None, note=_too_few(total)), None
    left_out = (sums_G.sum() - sums_G) / (counts_G.sum() - counts_G)
    influence = left_out.mean() - left_out
    if np.ptp(sums_G / counts_G) <= 1e-12 * np.abs(sums_G / counts_G).max():
        p = _least_p(resamples, total) if value else 1.0
        return Interval(value, value, value, standard_error=0.0), p
    drawn = np.random.default_rng(seed).integers(0, total, (resamples, total))
    means_B = sums_G[drawn].sum(axis=1) / counts_G[drawn].sum(axis=1)
    error = float(means_B.std(ddof=1))
    below = _share_below(means_B, value)
    if not 0 < below < 1:
        note = f"all {resamples} resamples lie on one side of the value; score more identities"
        return Interval(value, None, None, standard_error=error, note=note), None
    bias = float(ndtri(below))
    acceleration = float((influence**3).sum() / (6.0 * np.square(influence).sum() ** 1.5))
    reach = bias + np.array([1.0, -1.0]) * ndtri((1 - confidence) / 2)
    low, high = np.quantile(means_B, ndtr(bias + reach / (1 - acceleration * reach)))
    shift = float(ndtri(_share_below(means_B, 0.0))) - bias
    tail = _tail(shift, acceleration, bias)
    p = min(1.0, max(2.0 * min(tail, 1.0 - tail), _least_p(resamples, total)))
    return Interval(value, float(low), float(high), standard_error=error), p


def _tail(shift: float, acceleration: float, bias: float) -> float:
    """The nominal tail whose BCa bound is 0, from how far 0 lies from the bias in deviations."""
    if not np.isfinite(shift) or 1 + acceleration * shift <= 0:
        return 0.0
    return float(ndtr(shift / (1 + acceleration * shift) - bias))


def _share_below(values: Floats, bound: float) -> float:
    """Share under ``bound``, one that equals it counting half."""
    return float(((values < bound).sum() + (values <= bound).sum()) / (2 * len(values)))


def _least_p(resamples: int, groups: int) -> float:
    return max(2.0 / (resamples + 1), 2.0 ** (1 - groups))


def _sums_by_group(values: Sequence[float], groups: Sequence[str]) -> tuple[Floats, Floats]:
    """Sum and number of each group's values, groups by name; the order of clips plays no part."""
    if len(values) != len(groups) or not len(values):
        raise ValueError(
            f"Expected the group of each of at least one value, found {len(values)} values and "
            f"{len(groups)} groups; name every clip's identity."
        )
    numbers = _finite(values)
    order = np.argsort(numbers, kind="stable")
    names, places = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(places[order], weights=numbers[order], minlength=len(names))
    counts = np.bincount(places, minlength=len(names))
    return sums.astype(np.float64), counts.astype(np.float64)


def _finite(values: Sequence[float]) -> Floats:
    numbers = np.asarray(values, dtype=np.float64)
    broken = int((~np.isfinite(numbers)).sum())
    if broken:
        raise ValueError(
            f"Expected finite values, found {broken} of {len(numbers)} NaN or infinite; leave "
            "unmeasured clips out and count them."
        )
    return numbers


def _too_few(groups: int) -> str:
    return f"{groups} identity group{'' if groups == 1 else 's'}; an interval needs at least two"
