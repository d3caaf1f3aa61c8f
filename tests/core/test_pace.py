"""The pace of work by hand-made instants, and an estimate that keeps calm."""

import itertools

import pytest

from talkingface_wild.core.pace import Pace, TimeLeft


def test_a_steady_pace_is_measured_whatever_was_assumed():
    pace = Pace(prior=1.0, weight=3.0, horizon=50.0)
    for _ in range(200):
        pace.add(wall=2.5, work=1.0)
    assert pace.value == pytest.approx(2.5, rel=0.01)


def test_the_latest_work_counts_most():
    pace = Pace(prior=1.0, weight=1.0, horizon=10.0)
    for _ in range(100):
        pace.add(1.0, 1.0)
    for _ in range(20):
        pace.add(2.0, 1.0)
    # Of an exponential window of 10, twenty steps back exp(-2) = 0.135 of the old pace is left.
    assert pace.value == pytest.approx(2.0 - 0.135, abs=0.03)


def test_what_is_shown_does_not_rise_while_the_pace_holds():
    """It ran backwards: 27 s to go after 9 s, 58 s after 19 s, 88 s after 29 s."""
    shown = TimeLeft()
    bare = [100.0, 95.0, 110.0, 97.0, 90.0, 93.0, 70.0, 71.0]
    seen = [shown.update(seconds, 1.0, float(at * 5)) for at, seconds in enumerate(bare)]
    assert all(later <= earlier for earlier, later in itertools.pairwise(seen))
    assert seen[-1] < 80.0


def test_it_rises_when_the_pace_is_really_lost():
    shown = TimeLeft()
    for at in range(50):
        shown.update(100.0 - at, 1.0, float(at))
    assert shown.update(100.0, 2.0, 50.0) == 100.0
