"""Intervals against SciPy, Holm by hand, and coverage in simulations whose truth is known."""

import numpy as np
import pytest
import scipy.stats

from talkingface_wild.functional.frechet import frechet_of_moments
from talkingface_wild.functional.intervals import (
    assign_folds,
    cluster_bootstrap,
    exact_interval,
    grouped_jackknife,
    holm,
    paired_bootstrap,
    paired_jackknife,
)
from talkingface_wild.functional.moments import Moments


def _values(clips=40, identities=40, seed=0):
    random = np.random.default_rng(seed)
    groups = [f"person {index % identities:03d}" for index in range(clips)]
    return random.gamma(2.0, 1.0, clips), groups


def _leave_out(values):
    return [np.delete(values, place).mean() for place in range(len(values))]


def test_folds_are_balanced_whatever_the_order():
    random = np.random.default_rng(0)
    groups = [f"id{index}" for index in range(100) for _ in range(random.integers(1, 9))]
    folds = assign_folds(groups)
    shuffled = list(random.permutation(groups))
    assert assign_folds(shuffled) == folds
    sizes = np.bincount([folds[group] for group in groups])
    assert len(sizes) == 20
    assert sizes.max() - sizes.min() <= 1
    assert set(folds) == set(groups)


def test_folds_are_no_more_than_groups():
    assert assign_folds(["b", "a", "a"]) == {"a": 0, "b": 1}
    assert assign_folds([]) == {}
    assert sorted(assign_folds("abcde", folds=3).values()) == [0, 0, 1, 1, 2]
    with pytest.raises(ValueError, match="at least one fold"):
        assign_folds("abc", folds=0)


def test_the_jackknife_of_a_mean_is_students_interval():
    values, _ = _values()
    found = grouped_jackknife(values.mean(), _leave_out(values))
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert found.standard_error == pytest.approx(scipy.stats.sem(values), rel=1e-12)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    narrow = grouped_jackknife(values.mean(), _leave_out(values), confidence=0.5)
    assert found.low < narrow.low < values.mean() < narrow.high < found.high


def test_the_paired_jackknife_of_means_is_the_paired_t_test():
    a, _ = _values(seed=1)
    b = a + np.random.default_rng(2).normal(0.1, 0.3, len(a))
    found = paired_jackknife(a.mean(), _leave_out(a), b.mean(), _leave_out(b))
    expected = scipy.stats.ttest_rel(a, b)
    interval = expected.confidence_interval()
    assert found.two_sided_p == pytest.approx(expected.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    apart = grouped_jackknife(a.mean(), _leave_out(a))
    assert found.high - found.low < 0.3 * (apart.high - apart.low)


def test_a_single_fold_has_no_interval_and_says_why():
    found = grouped_jackknife(3.0, [2.0])
    assert (found.value, found.low, found.high) == (3.0, None, None)
    assert found.note == "1 identity group; an interval needs at least two"
    assert paired_jackknife(3.0, [2.0], 1.0, [1.0]).two_sided_p is None
    same = paired_jackknife(2.0, [1.0, 3.0], 2.0, [1.0, 3.0])
    assert (same.value, same.low, same.high, same.two_sided_p) == (0.0, 0.0, 0.0, 1.0)
    assert paired_jackknife(3.0, [2.0, 4.0], 2.0, [1.0, 3.0]).two_sided_p == 0.0


@pytest.mark.parametrize("seed", [0, 3])
def test_the_bootstrap_of_single_clips_is_scipys_bca(seed):
    values, groups = _values(30, 30, seed)
    found = cluster_bootstrap(values, groups, seed=seed)
    # SciPy draws in the same order from the same generator.
    expected = scipy.stats.bootstrap(
        (np.array([values[place] for place in np.argsort(groups)]),),
        np.mean,
        n_resamples=2000,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    interval = expected.confidence_interval
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.standard_error == pytest.approx(expected.standard_error, rel=1e-9)
    assert found.value == pytest.approx(values.mean(), rel=1e-12)


def test_the_order_of_clips_changes_nothing_and_clusters_widen():
    values, groups = _values(200, 10)
    offsets = np.random.default_rng(5).normal(0, 3, 10)
    values = values + offsets[np.arange(200) % 10]
    found = cluster_bootstrap(values, groups)
    order = np.random.default_rng(6).permutation(200)
    assert cluster_bootstrap(values[order], [groups[place] for place in order]) == found
    alone = cluster_bootstrap(values, [str(place) for place in range(200)])
    assert found.high - found.low > 2 * (alone.high - alone.low)
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(values.mean(), rel=1e-12)


def test_degenerate_sets_of_clips():
    single = cluster_bootstrap([1.0, 2.0], ["a", "a"])
    assert (single.value, single.low, single.high) == (1.5, None, None)
    assert single.note == "1 identity group; an interval needs at least two"
    constant = cluster_bootstrap([0.1] * 7, list("aabbbcc"))
    assert (constant.low, constant.high) == pytest.approx((0.1, 0.1), rel=1e-12)
    assert constant.note is None
    with pytest.raises(ValueError, match="found 1 of 2 NaN"):
        cluster_bootstrap([1.0, np.nan], ["a", "b"])
    with pytest.raises(ValueError, match="2 values and 1 groups"):
        cluster_bootstrap([1.0, 2.0], ["a"])
    with pytest.raises(ValueError, match="0 values"):
        cluster_bootstrap([], [])


def test_the_paired_bootstrap_sees_a_small_difference_of_varied_clips():
    values, groups = _values(60, 30)
    better = values + np.random.default_rng(7).normal(0.1, 0.15, 60)
    found = paired_bootstrap(better, values, groups)
    assert 0 < found.low < found.value < found.high < 0.2
    assert found.two_sided_p < 0.01
    back = paired_bootstrap(values, better, groups)
    assert back.value == pytest.approx(-found.value)
    none = paired_bootstrap(values, values, groups)
    assert (none.value, none.low, none.high, none.two_sided_p) == (0.0, 0.0, 0.0, 1.0)


def test_p_is_under_five_per_cent_exactly_where_the_interval_excludes_zero():
    seen = set()
    for seed in range(60):
        random = np.random.default_rng(seed)
        difference = random.gamma(1.0, 0.15, 25) - 0.15 + random.choice([-0.08, 0.03, 0.05])
        found = paired_bootstrap(difference, np.zeros(25), [str(i) for i in range(25)])
        excluded = found.low > 0 or found.high < 0
        seen.add(excluded)
        if abs(found.two_sided_p - 0.05) > 0.003:
            assert excluded == (found.two_sided_p < 0.05)
    assert seen == {True, False}


def test_few_identities_cannot_be_significant():
    found = paired_bootstrap([2.0, 2.1, 2.2], [1.0, 1.0, 1.0], ["a", "b", "c"])
    assert found.low > 0
    assert found.two_sided_p == 0.25
    assert paired_bootstrap([2.0, 3.0], [1.0, 2.0], ["a", "b"]).two_sided_p == 0.5


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == [True, False, False, True]
    assert holm([0.04, 0.01]) == [True, True]
    assert holm([0.03, 0.03]) == [False, False]
    assert holm([0.02, None]) == [True, False]
    assert holm([0.04, None]) == [False, False]
    assert holm([None]) == [False] and holm([]) == []
    assert holm([0.05]) == [True] and holm([0.05], alpha=0.01) == [False]


def _frechet_by_folds(rows_by_person, others_by_person, folds=20):
    """The distance of all rows and without each fold of persons, both sides alike."""
    split = zip(
        np.array_split(rows_by_person, folds), np.array_split(others_by_person, folds), strict=True
    )
    sums = [tuple(Moments.of(part.reshape(-1, part.shape[-1])) for part in pair) for pair in split]
    whole = tuple(sum((pair[side] for pair in sums[1:]), sums[0][side]) for side in (0, 1))
    full = frechet_of_moments(*whole)
    left = [frechet_of_moments(whole[0] - one, whole[1] - other) for one, other in sums]
    return full, left


def test_the_jackknife_of_a_frechet_distance_covers_it():
    """200 people of four correlated rows, two methods scored against one reference.

    A distance is biased by its N, so the interval covers what N people give on average; the bias
    cancels between methods, so the paired one covers the difference of the laws.
    """
    size, trials = 12, 250
    difference = size * (0.7**2 - 0.5**2)
    intervals, pairs = [], []
    for seed in range(trials):
        random = np.random.default_rng(seed)
        people, rows = random.standard_normal((2, 3, 200, 4, size))
        first, second, third = np.repeat(people[:, :, :1], 4, axis=2) + 0.5 * rows
        near = _frechet_by_folds(first, 1.5 * second + 0.5)
        far = _frechet_by_folds(first, 1.5 * (0.8 * second + 0.6 * third) + 0.7)
        intervals.append(grouped_jackknife(*near))
        pairs.append(paired_jackknife(*far, *near))
    for found, target in ((intervals, np.mean([i.value for i in intervals])), (pairs, difference)):
        assert 0.91 <= np.mean([i.low <= target <= i.high for i in found]) <= 0.99
        errors, spread = [i.standard_error for i in found], np.std([i.value for i in found])
        assert np.mean(errors) == pytest.approx(spread, rel=0.15)


def test_a_bootstrap_of_a_frechet_distance_lies_above_it_and_the_jackknife_does_not():
    random = np.random.default_rng(1)
    first, second = random.standard_normal((2, 100, 1, 40))
    full, left = _frechet_by_folds(first, second)
    found = grouped_jackknife(full, left)
    assert found.low < full < found.high
    resampled = []
    for _ in range(100):
        drawn = random.integers(0, 100, 100)
        moments = (Moments.of(side[drawn, 0]) for side in (first, second))
        resampled.append(frechet_of_moments(*moments))
    assert np.percentile(resampled, 2.5) > full


@pytest.mark.parametrize(
    ("successes", "trials"), [(1, 10), (4, 203), (5, 203), (100, 203), (9, 10)]
)
def test_each_end_leaves_two_and_a_half_percent_beyond_it(successes, trials):
    low, high = exact_interval(successes, trials)
    assert scipy.stats.binom.sf(successes - 1, trials, low) == pytest.approx(0.025, rel=1e-6)
    assert scipy.stats.binom.cdf(successes, trials, high) == pytest.approx(0.025, rel=1e-6)


def test_none_and_all_have_closed_forms():
    assert exact_interval(0, 50) == (0.0, pytest.approx(1 - 0.025 ** (1 / 50)))
    assert exact_interval(50, 50) == (pytest.approx(0.025 ** (1 / 50)), 1.0)


def test_four_defects_of_203_stay_under_five_percent_and_five_do_not():
    assert exact_interval(4, 203)[1] < 0.05 < exact_interval(5, 203)[1]


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_what_is_no_proportion_is_refused(successes, trials):
    with pytest.raises(ValueError, match="no proportion"):
        exact_interval(successes, trials)
