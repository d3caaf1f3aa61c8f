"""The exact interval against its definition and against closed forms."""

import pytest
from scipy.stats import binom

from talkingface_wild.functional.proportion import exact_interval


@pytest.mark.parametrize(
    ("successes", "trials"), [(1, 10), (4, 203), (5, 203), (100, 203), (9, 10)]
)
def test_each_end_leaves_two_and_a_half_percent_beyond_it(successes, trials):
    low, high = exact_interval(successes, trials)
    assert binom.sf(successes - 1, trials, low) == pytest.approx(0.025, rel=1e-6)
    assert binom.cdf(successes, trials, high) == pytest.approx(0.025, rel=1e-6)


def test_none_and_all_have_closed_forms():
    assert exact_interval(0, 50) == (0.0, pytest.approx(1 - 0.025 ** (1 / 50)))
    assert exact_interval(50, 50) == (pytest.approx(0.025 ** (1 / 50)), 1.0)


def test_four_defects_of_203_stay_under_five_percent_and_five_do_not():
    assert exact_interval(4, 203)[1] < 0.05 < exact_interval(5, 203)[1]


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_what_is_no_proportion_is_refused(successes, trials):
    with pytest.raises(ValueError, match="no proportion"):
        exact_interval(successes, trials)
