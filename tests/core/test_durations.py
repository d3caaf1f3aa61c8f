"""Times as a person reads them, by hand."""

import pytest

from talkingface_wild.core.durations import clock, human_hours, human_seconds


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


def test_durations_read_as_a_person_says_them():
    seconds = (4.4, 99, 150, 7500, 3 * 86_400 + 2 * 3600)
    assert [clock(s) for s in seconds] == ["4 s", "99 s", "2 min", "2 h 5 min", "3 d 2 h"]


def test_a_longer_duration_never_reads_as_a_shorter_one():
    """Else the time left would seem to rise while it falls."""
    units = {"s": 1, "min": 60, "h": 3600, "d": 86_400}

    def read(text):
        words = text.split()
        return sum(int(n) * units[u] for n, u in zip(words[::2], words[1::2], strict=True))

    shown = [read(clock(tenth / 10)) for tenth in range(0, 2_500_000, 37)]
    assert shown == sorted(shown)
