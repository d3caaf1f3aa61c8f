"""Measures of made-up clips whose answers follow from how they were made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkingface_wild.functional import face_measures
from talkingface_wild.functional.face_samples import Detection, observe
from tests.reference import projected_face

RATE = 5.0
FACE = (400.0, 200.0, 640.0, 500.0)


def _sample(*boxes, points=None):
    rows = np.array([(*box, 0.8) for box in boxes], dtype=np.float32).reshape(-1, 5)
    return Detection(rows, points)


def _measure(samples, width=1280, height=720):
    return face_measures.measures(observe(samples, RATE), width, height)


def test_a_face_at_rest():
    found = _measure([_sample(FACE)] * 20)
    assert found["face_presence_ratio"] == found["single_face_ratio"] == 1
    assert found["second_face_ratio"] == found["second_face_area_ratio"] == 0
    assert found["face_gap_seconds"] == 0
    assert found["face_confidence"] == pytest.approx(0.8)
    assert found["face_side_px"] == 300
    assert found["face_complete_samples_missing"] == 0
    assert found["face_motion_union_ratio"] == pytest.approx(1)
    assert found["face_speed"] == 0
    assert found["yaw_p90"] is found["yaw_max"] is found["pitch_p90"] is None


def test_missing_samples_are_counted_and_the_longest_gap_reaches_the_end():
    samples = [_sample(FACE)] * 12 + [_sample()] + [_sample(FACE)] * 4 + [_sample()] * 3
    found = _measure(samples)
    assert found["face_presence_ratio"] == pytest.approx(16 / 20)
    assert found["face_gap_seconds"] == pytest.approx(0.6)


@pytest.mark.parametrize(("side", "counts"), [(115, False), (117, True)])
def test_a_second_face_counts_from_fifteen_hundredths_of_the_first(side, counts):
    first = (400.0, 200.0, 700.0, 500.0)
    samples = [_sample(first)] * 9 + [_sample(first, (0, 0, side, side))]
    found = _measure(samples)
    assert found["second_face_area_ratio"] == pytest.approx(side**2 / 300**2)
    assert found["second_face_ratio"] == pytest.approx(0.1 if counts else 0.0)
    assert found["single_face_ratio"] == pytest.approx(0.9 if counts else 1.0)


def test_without_a_face_only_what_is_known_has_a_value():
    found = _measure([_sample()] * 4)
    known = {name for name, value in found.items() if value is not None}
    assert known == {
        "face_presence_ratio",
        "single_face_ratio",
        "second_face_ratio",
        "face_gap_seconds",
    }
    assert found["face_gap_seconds"] == pytest.approx(0.8)
    assert set(_measure([]).values()) == {None}


def test_a_box_or_a_point_beyond_the_picture_is_incomplete():
    inside = (0.0, 100.0, 200.0, 400.0)
    just_over, well_over = (-3.0, 100.0, 197.0, 400.0), (-5.0, 100.0, 195.0, 400.0)
    found = _measure([_sample(inside), _sample(just_over), _sample(well_over)])
    assert found["face_complete_samples_missing"] == 1
    points = np.full((1, 5, 2), 150.0, dtype=np.float32)
    points[0, 3] = (-1, 300)
    assert _measure([_sample(inside, points=points)])["face_complete_samples_missing"] == 1


def test_a_steady_drift_has_its_speed_and_union():
    drift = [_sample(np.add(FACE, (12 * k, 0, 12 * k, 0))) for k in range(11)]
    found = _measure(drift)
    assert found["face_speed"] == pytest.approx(12 * RATE / 240)
    assert found["face_motion_union_ratio"] == pytest.approx((240 + 120) / 240)


def test_a_nod_twice_a_second_is_no_drift():
    nod = [_sample(np.add(FACE, (0, d, 0, d))) for d in [0, 20, 0, -20, 0] * 6]
    assert _measure(nod)["face_speed"] == pytest.approx(0, abs=1e-9)


def test_speed_of_a_clip_below_a_second_is_scaled():
    assert _measure([_sample(FACE)])["face_speed"] is None
    two = [_sample(FACE), _sample(np.add(FACE, (24, 0, 24, 0)))]
    assert _measure(two)["face_speed"] == pytest.approx(0.1 * RATE)


def test_angles_come_from_the_points_and_know_no_side():
    yaws = [0, 0, 0, 0, 0, 0, 0, 0, -40, 50]
    samples = [
        _sample(FACE, points=projected_face.points("medium", yaw)[None].astype(np.float32))
        for yaw in yaws
    ]
    found = _measure(samples)
    assert found["yaw_max"] == pytest.approx(50, abs=8)
    assert found["yaw_p90"] == pytest.approx(np.percentile(np.abs(yaws), 90), abs=8)
    assert found["pitch_p90"] < 8


def _observed(pattern, start=10.0):
    """One sample per letter: f a face, . none, 2 two of them."""
    other = (0.0, 0.0, 240.0, 300.0)
    kinds = {"f": _sample(FACE), ".": _sample(), "2": _sample(FACE, other)}
    return observe([kinds[letter] for letter in pattern], RATE, start)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("ffff...ffff", []),
        ("ffff....ffff", [(10.6, 11.6)]),
        ("....ffffffff", [(10.0, 10.8)]),
        ("ffffffff....", [(11.4, 12.4)]),
        ("ffff2222ffff", [(10.6, 11.6)]),
        ("fff....2222f", [(10.4, 12.2)]),
        ("f2f2f.f.f2ff", []),
    ],
)
def test_violations_are_runs_between_good_samples(pattern, expected):
    end = 10 + len(pattern) / RATE
    found = face_measures.violations(_observed(pattern), 10.0, end)
    assert np.allclose(np.array(found).reshape(-1, 2), np.array(expected).reshape(-1, 2))


def test_a_clip_without_any_face_is_one_violation():
    assert face_measures.violations(_observed("....."), 10.0, 11.0) == [(10.0, 11.0)]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], [(0, 30)]),
        ([(10, 11)], [(0, 10), (11, 30)]),
        ([(4, 6), (5, 7)], [(7, 30)]),
        ([(0, 2), (28, 30)], [(2, 28)]),
        ([(9, 10), (14, 15)], [(0, 9), (15, 30)]),
        ([(0, 30)], []),
        ([(-5, 3), (12, 60)], [(3, 12)]),
    ],
)
def test_what_is_left_is_split_into_long_enough_pieces(spans, expected):
    assert face_measures.split_at(spans, 0, 30, least=5) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 40), st.floats(0, 10)), max_size=8))
def test_pieces_never_touch_a_violation_and_lose_nothing_else(raw):
    spans = [(low, low + length) for low, length in raw]
    pieces = face_measures.split_at(spans, 0, 30, least=0)
    for instant in np.linspace(0.001, 29.999, 97):
        bad = any(low < instant < high for low, high in spans)
        edge = any(abs(instant - bound) < 1e-6 for span in spans for bound in span)
        assert edge or bad != any(low < instant < high for low, high in pieces)
