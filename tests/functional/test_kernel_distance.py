"""KID against plain loops over pairs, identities, and leaving folds out against doing it anew."""

import numpy as np
import pytest

from talkingface_wild.functional import kernel_distance
from talkingface_wild.functional.kernel_distance import FoldedKernel, kid, polynomial_mmd2
from tests.reference import kernel_distance as reference


def _sets(n=13, m=9, dimensions=6, shift=0.3, seed=0):
    random = np.random.default_rng(seed)
    return random.random((n, dimensions)) * 3, random.random((m, dimensions)) * 3 + shift


@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("block", [2000, 4])
def test_equals_plain_loops_whatever_the_block(biased, block, monkeypatch):
    monkeypatch.setattr(kernel_distance, "BLOCK", block)
    x, y = _sets()
    expected = reference.mmd2(x, y, biased)
    assert polynomial_mmd2(x, y, biased) == pytest.approx(expected, rel=1e-11)
    assert polynomial_mmd2(y, x, biased) == pytest.approx(expected, rel=1e-11)
    half = x.astype(np.float16), y.astype(np.float16)
    assert polynomial_mmd2(*half, biased) == pytest.approx(reference.mmd2(*half, biased), rel=1e-10)


def test_a_set_against_itself():
    x, _ = _sets(50)
    for other in (x, x.copy(), x[::-1]):
        assert abs(polynomial_mmd2(x, other, biased=True)) < 1e-12
        assert polynomial_mmd2(x, other) < 0
    assert kid(x, x, subset_size=50, subsets=3)[0] < 0


def test_unbiased_is_centred_on_zero_where_the_law_is_one_and_biased_is_not():
    random = np.random.default_rng(1)
    pairs = [random.random((2, 12, 4)) for _ in range(400)]
    unbiased = np.array([polynomial_mmd2(x, y) for x, y in pairs])
    biased = np.array([polynomial_mmd2(x, y, biased=True) for x, y in pairs])
    assert abs(unbiased.mean()) < 3 * unbiased.std() / np.sqrt(len(pairs))
    assert biased.mean() > 10 * biased.std() / np.sqrt(len(pairs))


def test_more_shift_is_worse():
    values = [polynomial_mmd2(*_sets(200, 200, shift=shift)) for shift in (0.1, 0.5, 1.0)]
    assert 0 < values[0] < values[1] < values[2]


@pytest.mark.parametrize("biased", [False, True])
def test_leaving_a_fold_out_equals_doing_it_anew(biased, monkeypatch):
    monkeypatch.setattr(kernel_distance, "BLOCK", 5)
    x, y = _sets(40, 30)
    folds_x, folds_y = np.split(x, [12, 12, 23]), np.split(y, [3, 10, 20])
    folded = FoldedKernel.of(folds_x, folds_y)
    assert folded.mmd2(biased) == pytest.approx(polynomial_mmd2(x, y, biased), rel=1e-11)
    for fold, found in enumerate(folded.leave_out(biased)):
        rest_x = np.concatenate([part for place, part in enumerate(folds_x) if place != fold])
        rest_y = np.concatenate([part for place, part in enumerate(folds_y) if place != fold])
        assert found == pytest.approx(reference.mmd2(rest_x, rest_y, biased), rel=1e-10)


def test_kid_of_subsets_as_large_as_both_sets_is_the_mmd_itself():
    x, y = _sets(20, 20)
    mean, deviation = kid(x, y, subset_size=1000, subsets=4)
    assert mean == pytest.approx(polynomial_mmd2(x, y), rel=1e-10)
    assert deviation < 1e-12


def test_kid_averages_subsets_of_the_size_that_was_asked_for():
    x, y = _sets(300, 200, dimensions=3)
    mean, deviation = kid(x, y, subset_size=40, subsets=60)
    assert kid(x, y, subset_size=40, subsets=60) == (mean, deviation)
    assert kid(x, y, subset_size=40, subsets=60, seed=1) != (mean, deviation)
    assert abs(mean - polynomial_mmd2(x, y)) < 4 * deviation / np.sqrt(60)
    assert kid(x, y, subset_size=150, subsets=60)[1] < deviation


def test_bad_input_is_one_sentence():
    x, y = _sets()
    with pytest.raises(ValueError, match="at least 2 rows on either side, found 1 and 9"):
        polynomial_mmd2(x[:1], y)
    assert np.isfinite(polynomial_mmd2(x[:1], y, biased=True))
    with pytest.raises(ValueError, match="with one D, found"):
        polynomial_mmd2(x, y[:, :3])
    with pytest.raises(ValueError, match="values in 1 rows"):
        polynomial_mmd2(x, np.where(np.arange(9)[:, None] == 2, np.nan, y))
    with pytest.raises(ValueError, match="as many folds on both sides, found 1 and 2"):
        FoldedKernel.of([x], [y, y])
