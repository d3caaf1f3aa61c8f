"""Sync scores against plain loops, planted offsets, and the golden of the published evaluation."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkingface_wild.functional import sync_distances as sync
from tests.perception import golden
from tests.reference import syncnet_distances as reference


def _planted(offset, windows=120, noise=0.3, seed=0, dimensions=24):
    """Lips whose window i matches the sound's window i − offset."""
    random = np.random.default_rng(seed)
    sounds = random.standard_normal((windows, dimensions))
    lips = np.roll(sounds, offset, axis=0) + noise * random.standard_normal(sounds.shape)
    return lips.astype(np.float32), sounds.astype(np.float32)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 24), st.integers(1, 5), st.integers(0, 15), st.integers(0, 2**31))
def test_distances_and_score_equal_plain_loops(windows, dimensions, shift, seed):
    random = np.random.default_rng(seed)
    lips, sounds = random.standard_normal((2, windows, dimensions)).astype(np.float32)
    table = sync.distances(lips, sounds, shift)
    np.testing.assert_allclose(table, reference.distance_table(lips, sounds, shift), rtol=1e-12)
    offset, distance, confidence = reference.evaluate(lips, sounds, shift)
    found = sync.score(lips, sounds, shift)
    assert found.windows == windows
    assert found.distance == pytest.approx(distance, rel=1e-12)
    assert found.confidence == pytest.approx(confidence, rel=1e-9, abs=1e-12)
    assert found.mean_distances[shift - offset] == pytest.approx(distance, rel=1e-12)


def test_equal_rows_are_epsilon_apart():
    rows = np.random.default_rng(0).standard_normal((40, 64))
    found = sync.score(rows, rows)
    assert found.offset == 0
    assert found.distance == pytest.approx(1e-6 * np.sqrt(64), rel=1e-6)


@pytest.mark.parametrize("offset", [-15, -6, 0, 3, 14])
def test_a_planted_offset_is_found_with_its_sign_and_the_edge_is_flagged(offset):
    found = sync.score(*_planted(offset))
    assert found.offset == offset
    assert found.at_edge == (abs(offset) == 15)
    assert found.confidence > 2.0


def test_offsets_of_thirds_show_a_change_inside_the_clip():
    lips, sounds = _planted(2)
    lips[80:] = _planted(-3)[0][80:]
    assert sync.offset_parts(lips, sounds) == [2, 2, -3]
    assert sync.offset_parts(*_planted(2), parts=4) == [2, 2, 2, 2]


def test_a_part_of_fewer_than_ten_windows_has_no_offset():
    lips, sounds = _planted(0, windows=29)
    assert sync.offset_parts(lips, sounds) == [0, 0, None]


@pytest.mark.parametrize("windows", [101, 131, 230])
def test_null_confidences_equal_those_of_turned_sound(windows):
    random = np.random.default_rng(windows)
    lips, sounds = random.standard_normal((2, windows, 3)).astype(np.float32)
    nulls = sync.null_confidences(lips, sounds)
    turns = [t for t in range(windows) if min(t, windows - t) >= 50]
    assert len(nulls) == len(turns)
    for place in {0, len(turns) // 2, len(turns) - 1}:
        other = reference.turned(list(sounds), turns[place])
        expected = reference.evaluate(lips, other, 15)[2]
        assert nulls[place] == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_turns_are_two_to_eight_seconds_both_ways():
    lips, sounds = _planted(0, windows=500, dimensions=4)
    assert len(sync.null_confidences(lips, sounds)) == 2 * (8 * 25 - 2 * 25 + 1)
    assert len(sync.null_confidences(lips, sounds, seconds=(3, 3), fps=30)) == 2


def test_margin_is_wide_for_matching_sound_and_not_for_a_stranger():
    lips, sounds = _planted(1, windows=400, noise=1.0)
    nulls = sync.null_confidences(lips, sounds)
    matching = sync.margin(sync.score(lips, sounds).confidence, nulls)
    assert matching.negatives == len(nulls)
    assert matching.value > 1.0
    stranger = np.random.default_rng(9).standard_normal(sounds.shape)
    other = sync.margin(
        sync.score(lips, stranger).confidence, sync.null_confidences(lips, stranger)
    )
    assert other.value < 0.1
    assert other.null == pytest.approx(np.sort(sync.null_confidences(lips, stranger))[-4], abs=0.02)


def test_a_short_clip_has_no_margin_and_says_how_many_negatives_it_had():
    lips, sounds = _planted(0, windows=110)
    result = sync.margin(5.0, sync.null_confidences(lips, sounds))
    assert (result.value, result.null, result.negatives) == (None, None, 11)
    assert len(sync.null_confidences(lips[:60], sounds[:60])) == 0


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        sync.distances(np.zeros((5, 4)), np.zeros((6, 4)))
    with pytest.raises(ValueError, match="of one shape"):
        sync.null_confidences(np.zeros((0, 4)), np.zeros((0, 4)))


def test_golden_syncnet_evaluate_planted(goldens):
    stored = golden.load(goldens, "syncnet_evaluate")
    tolerance = stored.tolerance("relative")
    for case in stored.data["planted"]:
        stream = stored.filler.stream(case["name"], stored.seed)
        sizes = [
            (int(rows), int(columns))
            for rows, columns in re.findall(r"standard_normal\(\((\d+),(\d+)\)\)", case["recipe"])
        ]
        sounds, noise = (stream.standard_normal(size) for size in sizes)
        weight = float(re.search(r"([\d.]+)\*e", case["recipe"])[1])
        lips = np.roll(sounds, -case["k"], 0) + weight * noise
        lips, sounds = lips.astype(np.float32), sounds.astype(np.float32)
        table = sync.distances(lips, sounds)
        found = sync.score_distances(table)
        assert found.offset == case["offset"]
        assert found.distance == pytest.approx(case["min_dist"], rel=tolerance)
        assert found.confidence == pytest.approx(case["confidence"], rel=tolerance)
        np.testing.assert_allclose(found.mean_distances, case["mean_dist"], rtol=tolerance)


def test_sync_c0_is_sync_c_without_a_lag_and_falls_with_one():
    still = sync.distances(*_planted(0))
    assert sync.sync_c0(still) == pytest.approx(sync.score_distances(still).confidence, rel=1e-12)
    late = sync.distances(*_planted(5))
    assert sync.score_distances(late).confidence > 2
    assert abs(sync.sync_c0(late)) < 0.3
    means = [3.0, 1.0, 2.0, 7.0, 5.0]
    assert sync.sync_c0(np.array([means, means])) == 3.0 - 2.0


def test_nsync_puts_chance_at_nought_and_the_real_video_at_one():
    assert sync.nsync(1.0, 1.0, 5.0) == 0.0
    assert sync.nsync(5.0, 1.0, 5.0) == 1.0
    assert sync.nsync(7.0, 1.0, 5.0) == 1.5
    assert sync.nsync(3.0, 1.0, 1.0) is None
    assert sync.nsync(3.0, 2.0, 1.0) is None


@pytest.mark.parametrize(("windows", "count"), [(369, 8), (1194, 8), (104, 5), (107, 8), (101, 2)])
def test_shifted_confidences_equal_those_of_eight_turns_both_ways(windows, count):
    random = np.random.default_rng(windows)
    lips, sounds = random.standard_normal((2, windows, 4)).astype(np.float32)
    found = sync.shifted_confidences(lips, sounds)
    assert len(found) == count
    if count == 8 and windows > 107:
        forth = [int(50 + part * (windows - 100) / 7) for part in range(4)]
        turns = forth + [windows - turn for turn in reversed(forth)]
    else:
        turns = range(50, windows - 50 + 1)
    for confidence, turn in zip(found, turns, strict=True):
        expected = sync.score(lips, np.roll(sounds, turn, axis=0)).confidence
        assert confidence == pytest.approx(expected, rel=1e-6, abs=1e-7)


def test_shifted_sound_is_at_chance_and_a_short_clip_has_no_shift():
    lips, sounds = _planted(0, windows=369)
    own, shifted = (sync.score(lips, sounds).confidence, sync.shifted_confidences(lips, sounds))
    assert shifted.max() < 0.2 * own
    assert len(sync.shifted_confidences(lips, sounds, shifts=3)) == 3
    assert len(sync.shifted_confidences(lips[:99], sounds[:99])) == 0
