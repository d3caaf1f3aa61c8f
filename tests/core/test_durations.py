"""Times as a person reads them, by hand."""

import pytest

from talkingface_wild.core.durations import human_hours, human_seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0 s"),
        (0.4, "0.4 s"),
        (43.2, "43 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (192, "3 min 12 s"),
        (3599.7, "1 h 00 min"),
        (3_900, "1 h 05 min"),
        (9.99 * 3600, "9 h 59 min"),
        (10 * 3600, "10.0 h"),
        (44_640, "12.4 h"),
        (241.6 * 3600, "241.6 h"),
        (12_345 * 3600, "12,345.0 h"),
    ],
)
def test_times_are_told_in_the_unit_that_fits(seconds, text):
    assert human_seconds(seconds) == text


def test_a_small_set_is_no_thousandth_of_an_hour():
    """The result page said "0.012 h" of a set of 43 seconds."""
    assert human_hours(0.012) == "43 s"
