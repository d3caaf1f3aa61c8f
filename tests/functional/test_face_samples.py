"""Who is the first face of a clip, through insets, losses and second people; and its JSON."""

import json

import numpy as np
import pytest

from talkingface_wild.functional.face_samples import Detection, FaceTrack, observe

HEAD, INSET = (100, 100, 300, 340, 0.9), (0, 420, 60, 500, 0.95)


def _seen(*boxes, points=None):
    rows = np.array(boxes, dtype=np.float32).reshape(-1, 5)
    return Detection(rows, None if points is None else np.array(points, dtype=np.float32))


def test_an_inset_is_never_first_even_where_the_head_is_missed_or_comes_late():
    samples = [_seen(INSET)] * 2 + [_seen(INSET, HEAD)] * 6 + [_seen(INSET)] + [_seen(HEAD)]
    found = observe(samples, rate=5.0)
    assert found.track.present_T.tolist() == [False] * 2 + [True] * 6 + [False, True]
    np.testing.assert_allclose(found.track.boxes_T4[found.track.present_T], [HEAD[:4]] * 7)
    inset_part = 60 * 80 / (200 * 240)
    np.testing.assert_allclose(found.second_ratios_T, [0, 0] + [inset_part] * 6 + [0, 0])
    np.testing.assert_allclose(found.scores_T[2:8], 0.9, rtol=1e-6)


def test_the_first_face_is_followed_though_another_grows_larger():
    samples = [_seen((0, 0, 100, 100, 0.9), (300, 0, 300 + s, s, 0.9)) for s in (90, 100, 120, 150)]
    found = observe(samples, rate=5.0)
    np.testing.assert_allclose(found.track.boxes_T4, [[0, 0, 100, 100]] * 4)
    np.testing.assert_allclose(found.second_ratios_T, [0.81, 1.0, 1.44, 2.25])


def test_after_a_jump_the_largest_is_first_again():
    samples = [_seen(HEAD)] * 3 + [_seen((400, 0, 500, 120, 0.8), (600, 0, 760, 200, 0.7))]
    assert observe(samples, 5.0).track.boxes_T4[3].tolist() == [600, 0, 760, 200]


def test_places_are_in_source_pixels_and_times_on_its_clock():
    points = np.arange(10).reshape(1, 5, 2)
    found = observe([_seen(HEAD, points=points)] * 3, rate=4.0, start=7.5, scale=2.5)
    assert found.track.times_T.tolist() == [7.5, 7.75, 8.0]
    np.testing.assert_allclose(found.track.boxes_T4[1], np.array(HEAD[:4]) * 2.5)
    np.testing.assert_allclose(found.track.points_T52[2], points[0] * 2.5)


@pytest.mark.parametrize("points", [None, np.arange(10).reshape(1, 5, 2) / 3])
def test_json_keeps_the_track_to_a_tenth_of_a_pixel(points):
    samples = [_seen(HEAD, points=points), _seen(), _seen(HEAD, points=points)]
    track = observe(samples, 5.0, scale=1.37).track
    again = FaceTrack.from_json(json.loads(json.dumps(track.to_json())))
    assert again.present_T.tolist() == [True, False, True]
    np.testing.assert_allclose(again.times_T, track.times_T, atol=5e-4)
    np.testing.assert_allclose(again.boxes_T4, track.boxes_T4, atol=0.0501)
    assert (again.points_T52 is None) == (points is None)
    if points is not None:
        np.testing.assert_allclose(again.points_T52, track.points_T52, atol=0.0501)


def test_no_samples_and_no_faces_are_an_empty_track():
    assert len(observe([], 5.0).track.times_T) == 0
    empty = observe([_seen(), _seen()], 5.0).track
    assert not empty.present_T.any() and empty.points_T52 is None
    assert FaceTrack.from_json(empty.to_json()).boxes_T4.shape == (2, 4)
