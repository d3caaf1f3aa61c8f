"""Moments against NumPy's own mean and covariance, and that merging and leaving out cancel."""

import numpy as np
import pytest

from talkingface_wild.functional.moments import Moments


def _rows(count=60, dimensions=5, seed=0):
    random = np.random.default_rng(seed)
    return random.standard_normal((count, dimensions)) @ random.random((dimensions, dimensions)) + 3


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_mean_and_covariance_are_numpys(ddof, dtype):
    rows = _rows().astype(dtype)
    found, exact = Moments.of(rows), rows.astype(np.float64)
    assert (found.n, found.dimensions) == (60, 5)
    np.testing.assert_allclose(found.mean, exact.mean(axis=0), rtol=1e-13)
    expected = np.cov(exact, rowvar=False, ddof=ddof)
    np.testing.assert_allclose(found.covariance(ddof), expected, rtol=1e-11, atol=1e-12)


def test_order_and_merging_change_nothing():
    rows = _rows()
    whole = Moments.of(rows)
    stepwise = Moments.empty(5)
    for part in np.array_split(rows[::-1], 7):
        stepwise.add(part)
    merged = Moments.of(rows[40:]) + Moments.of(rows[:40])
    for other in (stepwise, merged):
        assert other.n == whole.n
        np.testing.assert_allclose(other.mean, whole.mean, rtol=1e-13)
        np.testing.assert_allclose(other.covariance(), whole.covariance(), rtol=1e-11, atol=1e-12)


def test_a_fold_is_left_out_as_if_it_had_never_been_there():
    rows = _rows()
    left = Moments.of(rows) - Moments.of(rows[10:25])
    expected = np.delete(rows, slice(10, 25), axis=0)
    np.testing.assert_allclose(left.mean, expected.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(
        left.covariance(), np.cov(expected, rowvar=False), rtol=1e-11, atol=1e-12
    )


def test_adding_leaves_the_rows_and_the_sets_that_were_merged_alone():
    rows = _rows()
    before, first = rows.copy(), Moments.of(rows[:30])
    both = first + Moments.of(rows[30:])
    both.add(rows)
    np.testing.assert_array_equal(rows, before)
    assert first.n == 30
    np.testing.assert_allclose(first.mean, rows[:30].mean(axis=0), rtol=1e-13)


def test_a_mean_a_thousand_deviations_away_leaves_eight_digits():
    rows = np.random.default_rng(1).standard_normal((5000, 3)) + 1000
    expected = np.cov(rows, rowvar=False)
    error = np.abs(Moments.of(rows).covariance() - expected).max()
    assert error < 1e-8 * np.trace(expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_are_refused_and_counted(value):
    rows, moments = _rows(), Moments.empty(5)
    rows[[3, 7, 7, 9], [0, 1, 2, 4]] = value
    with pytest.raises(ValueError, match="in 3 of 60 rows"):
        moments.add(rows)
    with pytest.raises(ValueError, match="in 3 of 60 rows"):
        Moments.of(rows)
    assert moments.n == 0 and not moments.outer_DD.any()


def test_what_does_not_fit_is_refused():
    moments = Moments.of(_rows())
    with pytest.raises(ValueError, match=r"\(rows, 5\), found \(60, 4\)"):
        moments.add(_rows()[:, :4])
    with pytest.raises(ValueError, match="shape"):
        Moments.of(np.zeros(5))
    with pytest.raises(ValueError, match="of 5 dimensions, found 4"):
        _ = moments + Moments.empty(4)
    with pytest.raises(ValueError, match="at most 60 rows, found 120"):
        _ = moments - (moments + moments)


def test_too_few_rows_have_no_mean_or_covariance():
    with pytest.raises(ValueError, match="at least 1 rows of features, found 0"):
        _ = Moments.empty(3).mean
    one = Moments.of(np.ones((1, 3)))
    with pytest.raises(ValueError, match="at least 2 rows"):
        one.covariance()
    np.testing.assert_array_equal(one.covariance(ddof=0), np.zeros((3, 3)))
