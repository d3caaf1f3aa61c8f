"""Drift of long videos: curves that are known, and where a collapse is seen."""

import numpy as np
import pytest

from talkingface_wild.functional.drift_curve import failure_frame, slope_per_thousand, values_at


def test_values_are_means_of_one_second_around_each_frame():
    curve = np.arange(8000.0)
    assert values_at(curve) == {30: 30.0, 300: 300.0, 1800: 1800.0, 3600: 3600.0, 7200: 7200.0}
    spike = np.zeros(400)
    spike[312] = 25
    assert values_at(spike) == {30: 0.0, 300: 1.0}
    assert values_at(np.roll(spike, 1))[300] == 0.0


def test_values_reach_as_far_as_the_video():
    found = values_at(np.arange(7200.0))
    assert found[7200] == np.mean(np.arange(7188, 7200))
    assert list(values_at(np.zeros(299))) == [30]
    assert list(values_at(np.zeros(300))) == [30, 300]
    assert values_at(np.arange(40.0), frames=(0, 5)) == {0: 6.0, 5: 8.5}


def test_frames_without_a_value_are_left_out_of_the_mean():
    curve = np.full(320, np.nan)
    curve[[295, 305]] = 0.4, 0.6
    assert values_at(curve) == {30: None, 300: 0.5}


def test_slope_is_per_thousand_frames_and_skips_what_is_missing():
    curve = 0.9 - 0.05 * np.arange(3000) / 1000
    curve[[0, 7, 2000]] = np.nan
    assert slope_per_thousand(curve) == pytest.approx(-0.05, rel=1e-12)
    noisy = curve + np.random.default_rng(0).normal(0, 0.1, 3000)
    kept = np.isfinite(noisy)
    expected = np.polyfit(np.arange(3000)[kept], noisy[kept], 1)[0] * 1000
    assert slope_per_thousand(noisy) == pytest.approx(expected, rel=1e-9)
    assert slope_per_thousand(np.array([np.nan, 1.0])) is None


def test_a_collapse_is_found_in_its_window():
    similarity = np.full(1000, 0.9)
    assert failure_frame(similarity) is None
    similarity[500:] = 0.7
    assert failure_frame(similarity) == 500
    similarity[500:] = 0.73
    assert failure_frame(similarity) is None
    similarity[630:] = 0.0
    assert failure_frame(similarity) == 625
    assert failure_frame(similarity, fps=50) == 500
    assert failure_frame(similarity, seconds=1) == 625


def test_a_window_without_a_face_has_failed_and_a_short_end_is_not_judged():
    similarity = np.full(400, 0.9)
    similarity[375:] = 0.0
    assert failure_frame(similarity) is None
    similarity[250:375] = np.nan
    assert failure_frame(similarity) == 250
    similarity[:125] = np.nan
    assert failure_frame(similarity) is None
    assert failure_frame(np.full(100, 0.9)) is None
    with pytest.raises(ValueError, match="at least one frame"):
        failure_frame(similarity, fps=0.05)
