"""A score's margin over the same sound at wrong times, by closed forms."""

import numpy as np
import pytest

from talkingface_wild.functional.own_sound import LEAST_FRAMES, own_margin, wrong_times


@pytest.mark.parametrize("frames", [75, 100, 750])
def test_wrong_times_lie_a_second_off_on_both_sides(frames):
    times = wrong_times(frames)
    assert len(times) == 12 and len(set(times)) == 12
    assert min(times) == 25 and max(times) == frames - 25


def test_the_margin_is_the_own_mean_in_speech_less_what_nine_of_ten_others_reach():
    """A score is 3 in speech that stands right, else falls with the time it is off.

    Of twelve values the 90th percentile lies nine tenths of the way from the tenth to the eleventh.
    """
    flags = np.zeros(100, bool)
    flags[10:50] = True

    def scores_at(time):
        speech = np.roll(flags, time)
        return np.where(speech, 3.0 if time == 0 else -time / 10, 100.0)

    second, third = sorted(wrong_times(100))[1:3]
    bound = -third / 10 * 0.1 - second / 10 * 0.9
    assert own_margin(scores_at, flags) == pytest.approx(3 - bound)


def test_scores_that_do_not_care_for_the_sound_have_none():
    assert own_margin(lambda time: np.full(100, 2.5), np.ones(100, bool)) == 0


def test_a_short_clip_has_no_margin():
    flags = np.ones(LEAST_FRAMES - 1, bool)
    assert wrong_times(len(flags)) == []
    assert own_margin(lambda time: np.zeros(len(flags)), flags) is None
