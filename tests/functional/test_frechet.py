"""The Fréchet distance against closed forms, two slow references and the golden of five others."""

import re

import numpy as np
import pytest

from talkingface_wild.functional.frechet import frechet_distance, frechet_of_moments
from talkingface_wild.functional.moments import Moments
from tests.perception import golden
from tests.reference import frechet as reference


def _gaussian(dimensions, seed=0, rank=None):
    random = np.random.default_rng(seed)
    rows = random.standard_normal((rank or 3 * dimensions, dimensions))
    return random.standard_normal(dimensions), np.cov(rows, rowvar=False)


def _turned(variances, seed=0):
    """A covariance with these eigenvalues, in a basis that the seed fixes."""
    size = len(variances)
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]
    covariance = (basis * variances) @ basis.T
    return (covariance + covariance.T) / 2


def test_golden_frechet_closed_form(goldens):
    stored = golden.load(goldens, "frechet").data["closed_form"]
    means, variances = (np.array([stored[f"{k}1"], stored[f"{k}2"]]) for k in ("mu", "var"))
    found = frechet_distance(means[0], np.diag(variances[0]), means[1], np.diag(variances[1]))
    assert found == pytest.approx(stored["value"], rel=1e-13)


def test_golden_frechet_samples(goldens):
    stored = golden.load(goldens, "frechet")
    text = stored.data["meta"]["acceptance"]
    of_trace = float(re.search(r"frD (\S+) x trace_term", text)[1])
    of_equal = float(re.search(r"frE absolute ([^\s)]+)", text)[1])
    for case in stored.data["cases"]:
        name, (n, m), size = case["name"], case["n"], case["dim"]
        rows = stored.filler.gaussian_samples(name + "a", stored.seed, n, size)
        other = rows
        if not case["same"]:
            scale, shift = case["scale_b"], case["shift_b"]
            other = stored.filler.gaussian_samples(name + "b", stored.seed, m, size, scale, shift)
        found = frechet_of_moments(Moments.of(rows), Moments.of(other))
        for key in ("cleanfid_sqrtm", "torchfidelity_eigvals", "styleganv_sqrtm"):
            bound = stored.tolerance("relative") * abs(case[key])
            if name.endswith("frE"):
                bound = of_equal
            if not name.endswith("frD"):
                assert abs(found - case[key]) <= bound, (name, key)
                continue
            # 45 null eigenvalues are rounding to these three, whose roots add 2e-8 of the traces:
            # they lie outside the bound of one another's float64 SVD form, which drops them.
            assert abs(found - case["videogpt_svd_float64"]) <= of_trace * case["trace_term"]
            assert abs(found - reference.of_rows(rows, other)) <= 1e-13 * case["trace_term"]
            assert abs(found - case[key]) <= 4 * of_trace * case["trace_term"]


@pytest.mark.parametrize("seed", range(4))
def test_equals_both_references_at_full_rank(seed):
    first, second = _gaussian(40, seed), _gaussian(40, seed + 100)
    found = frechet_distance(*first, *second)
    assert found == pytest.approx(reference.distance(*first, *second), rel=1e-11)
    assert found == pytest.approx(reference.distance_by_eigenvalues(*first, *second), rel=1e-11)
    assert found == pytest.approx(frechet_distance(*second, *first), rel=1e-11)


@pytest.mark.parametrize("decades", [2, 6, 9, 12])
def test_covariances_that_commute_have_the_distance_of_their_deviations(decades):
    one = np.logspace(0, -decades, 150)
    other = np.random.default_rng(2).permutation(one)
    mean = np.zeros(150)
    found = frechet_distance(mean, _turned(one), mean + 0.1, _turned(other))
    expected = 150 * 0.01 + np.square(np.sqrt(one) - np.sqrt(other)).sum()
    assert abs(found - expected) < 3e-9 * 2 * one.sum()


@pytest.mark.parametrize("seed", range(8))
def test_null_directions_add_nothing(seed):
    one, other = np.zeros((2, 200))
    one[:60] = other[30:90] = 1.0
    mean = np.zeros(200)
    found = frechet_distance(mean, _turned(one, seed), mean, _turned(other, seed))
    assert found == pytest.approx(60.0, abs=1e-10)
    one[:], other[:] = 1.0, 1.0
    one[0] = 0.0
    found = frechet_distance(mean, _turned(one, seed), mean, _turned(other, seed))
    assert found == pytest.approx(1.0, abs=1e-10)


@pytest.mark.parametrize(("rank", "other"), [(20, 30), (20, 200), (200, 20), (2, 2)])
def test_fewer_rows_than_dimensions_equal_the_references(rank, other):
    rows = np.random.default_rng(1).standard_normal((rank, 64))
    others = np.random.default_rng(2).standard_normal((other, 64)) + 0.1
    first, second = Moments.of(rows), Moments.of(others)
    traces = np.trace(first.covariance()) + np.trace(second.covariance())
    found = frechet_of_moments(first, second)
    assert found == pytest.approx(reference.of_rows(rows, others), abs=1e-12 * traces)
    assert found == pytest.approx(reference.of_samples(rows, others), abs=1e-6 * traces)


@pytest.mark.parametrize("rank", [None, 64, 65, 63, 20, 2])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_a_set_against_itself_is_zero(rank, scale):
    mean, covariance = _gaussian(64, 3, rank)
    found = frechet_distance(mean, covariance * scale, mean, covariance * scale)
    assert abs(found) <= 1e-10 * scale * np.trace(covariance)


def test_order_and_merging_change_nothing():
    random = np.random.default_rng(5)
    rows, others = random.standard_normal((2, 300, 24))
    whole = frechet_of_moments(Moments.of(rows), Moments.of(others))
    parts = Moments.of(rows[200:]) + Moments.of(rows[:200])
    assert frechet_of_moments(parts, Moments.of(others[::-1])) == pytest.approx(whole, rel=1e-12)


def test_the_biased_covariance_is_cd_fvds():
    random = np.random.default_rng(6)
    rows, others = random.standard_normal((2, 30, 8))
    first, second = Moments.of(rows), Moments.of(others * 1.5)
    for ddof in (0, 1):
        expected = reference.of_samples(rows, others * 1.5, ddof)
        assert frechet_of_moments(first, second, ddof) == pytest.approx(expected, rel=1e-10)
    biased, unbiased = (frechet_of_moments(first, second, ddof) for ddof in (0, 1))
    assert biased < unbiased * 0.99


def test_more_noise_and_more_shift_are_worse():
    random = np.random.default_rng(7)
    rows, noise = random.standard_normal((2, 500, 16))
    reference_set = Moments.of(rows)
    noisy = [
        frechet_of_moments(reference_set, Moments.of(rows + part * noise)) for part in (0.5, 1, 2)
    ]
    shifted = [frechet_of_moments(reference_set, Moments.of(rows + part)) for part in (0.1, 0.5, 1)]
    for values in (noisy, shifted):
        assert 0 < values[0] < values[1] < values[2]


def test_nothing_varies():
    zero, mean = np.zeros((3, 3)), np.ones(3)
    assert frechet_distance(mean, zero, 3 * mean, zero) == pytest.approx(12.0)
    assert frechet_distance(mean, np.eye(3), mean, zero) == pytest.approx(3.0)
    assert frechet_distance(mean, zero, mean, np.eye(3)) == pytest.approx(3.0)


def test_bad_input_is_one_sentence():
    mean, covariance = _gaussian(4)
    broken = covariance.copy()
    broken[1, 2] = np.nan
    with pytest.raises(ValueError, match="values in the second set"):
        frechet_distance(mean, covariance, mean, broken)
    with pytest.raises(ValueError, match="values in the first set"):
        frechet_distance(mean * np.inf, covariance, mean, covariance)
    with pytest.raises(ValueError, match=r"found \(4,\), \(4, 4\), \(3,\), \(4, 4\)"):
        frechet_distance(mean, covariance, mean[:3], covariance)
