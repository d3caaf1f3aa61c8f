"""Tracking, smoothing and crops against the golden of SyncNet's pipeline and the slow reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional import face_track
from talkingface_wild.functional.face_track import CropRule
from tests.perception import golden
from tests.reference import face_crops


def _box(x, y, side=100.0):
    return [x, y, x + side, y + side]


def _golden_boxes(found):
    return [[face["bbox"] for face in frame] for frame in found.data["detections"]]


def _golden_tracks(found):
    rule = CropRule(least_track=found.data["min_track"])
    return face_track.published_tracks(_golden_boxes(found), rule)


def test_golden_facetrack_tracks(goldens):
    found = golden.load(goldens, "facetrack")
    tracks = _golden_tracks(found)
    assert len(tracks) == len(found.data["tracks"])
    for track, expected in zip(tracks, found.data["tracks"], strict=True):
        assert (track.frames_T[0], track.frames_T[-1]) == (expected["first"], expected["last"])
        golden.assert_summary(track.boxes_T4, expected["bbox"], 1e-9)


def test_golden_facetrack_smoothing_and_crops(goldens):
    found = golden.load(goldens, "facetrack")
    track = _golden_tracks(found)[0]
    path = face_track.crop_path(track.boxes_T4)
    for name, row in (("s", path.half_T), ("x", path.x_T), ("y", path.y_T)):
        golden.assert_summary(row, found.data["smoothed"][name], 1e-6)
    tag, image = found.data["meta"]["tag"], found.filler.image
    assert found.data["frames"] == "image(tag/tf{t},seed,300,400,50), t<150"
    for expected in found.data["crops"]:
        t = expected["index"]
        frame = image(f"{tag}/tf{t}", found.seed, 300, 400, 50)
        crop = face_track.crop_square(frame, (path.x_T[t], path.y_T[t]), path.half_T[t])
        golden.assert_summary(crop, expected, 1.0)
        assert abs(crop.mean() - expected["mean"]) < 0.02


def test_golden_facetrack_crops_of_a_whole_clip(goldens):
    found = golden.load(goldens, "facetrack")
    tag, image = found.data["meta"]["tag"], found.filler.image
    rgb = [image(f"{tag}/tf{t}", found.seed, 300, 400, 50)[:, :, ::-1] for t in range(150)]
    scored = [[[*box, 0.99] for box in frame] for frame in _golden_boxes(found)]
    detections = [np.array(frame, dtype=np.float32).reshape(-1, 5) for frame in scored]
    rule = CropRule(least_track=found.data["min_track"])
    (track,) = face_track.published_tracks(detections, rule)
    crops = [crop[:, :, ::-1] for crop in face_track.track_crops(rgb, track, rule)]
    expected = found.data["tracks"][0]
    assert (track.frames_T[0], track.frames_T[-1]) == (expected["first"], expected["last"])
    assert np.stack(crops).shape == (found.data["n_crops"], 224, 224, 3)
    for crop in found.data["crops"]:
        golden.assert_summary(crops[crop["index"]], crop, 1.0)


def test_a_track_bridges_a_short_gap_and_ends_at_a_long_one():
    boxes = [[_box(10 + t, 20)] for t in range(100)]
    boxes[30:54] = [[] for _ in range(24)]
    boxes[60:90] = [[] for _ in range(30)]
    first, second = face_track.greedy_tracks(boxes)
    assert (first.frames_T[0], first.frames_T[-1], len(first.frames_T)) == (0, 59, 36)
    assert (second.frames_T[0], second.frames_T[-1]) == (90, 99)
    filled = first.filled()
    np.testing.assert_allclose(filled.boxes_T4[:, 0], 10 + np.arange(60), atol=1e-9)


def test_two_people_are_two_tracks():
    boxes = [[_box(0, 0), _box(300, 0)] for _ in range(12)]
    tracks = face_track.greedy_tracks(boxes)
    assert [len(track.frames_T) for track in tracks] == [12, 12]
    assert [track.boxes_T4[0, 0] for track in tracks] == [0, 300]


def test_a_box_that_follows_a_taken_one_waits_for_the_next_round():
    twins = [[_box(0, 0), _box(5, 0)] for _ in range(3)]
    tracks = face_track.greedy_tracks(twins)
    assert [len(track.frames_T) for track in tracks] == [3, 3]


def test_short_and_small_tracks_do_not_count():
    boxes = [[_box(0, 0, 101), _box(300, 0, 100)] for _ in range(101)]
    tracks = face_track.long_tracks(face_track.greedy_tracks(boxes))
    assert [track.boxes_T4[0, 0] for track in tracks] == [0]
    assert not face_track.long_tracks(face_track.greedy_tracks(boxes[:100]))


def test_no_detections_are_no_tracks():
    assert face_track.greedy_tracks([[], [], []]) == []


@pytest.mark.parametrize(
    ("second", "expected"),
    [((0, 0, 2, 2), 1.0), ((1, 0, 3, 2), 1 / 3), ((2, 0, 4, 2), 0.0), ((1, 1, 3, 3), 1 / 7)],
)
def test_overlap_is_intersection_over_union(second, expected):
    assert face_track.overlap((0, 0, 2, 2), second) == pytest.approx(expected)


def test_boxes_between_samples_are_linear_and_held_outside():
    boxes = face_track.interpolate([1.0, 1.2], np.array([[0, 0, 10, 10], [10, 5, 20, 15]]), 0.96, 9)
    np.testing.assert_allclose(boxes[:, 0], [0, 0, 2, 4, 6, 8, 10, 10, 10], atol=1e-9)
    np.testing.assert_allclose(boxes[:, 3], [10, 10, 11, 12, 13, 14, 15, 15, 15], atol=1e-9)
    with pytest.raises(ValueError, match="box for each time"):
        face_track.interpolate([], np.zeros((0, 4)), 0.0, 5)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-500, 500), min_size=1, max_size=40), st.booleans())
def test_smoothing_is_a_running_median(values, zeros):
    found = face_track.smooth(np.array(values), ends="zero" if zeros else "edge")
    np.testing.assert_array_equal(found, face_crops.running_median(values, 13, zeros))


def test_a_face_at_rest_stays_where_it_is_with_edges():
    boxes = np.tile([100.0, 50, 180, 150], (5, 1))
    path = face_track.crop_path(boxes, "edge")
    assert (path.x_T == 140).all() and (path.y_T == 100).all() and (path.half_T == 50).all()


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 160), st.floats(0, 120), st.floats(2, 90), st.integers(0, 2**31))
def test_crops_are_those_of_the_bordered_picture(x, y, half, seed):
    frame = np.random.default_rng(seed).integers(0, 256, (120, 160, 3)).astype(np.uint8)
    expected = face_crops.crop(frame, x, y, half)
    np.testing.assert_array_equal(face_track.crop_square(frame, (x, y), half), expected)


def test_a_face_far_outside_is_grey_and_none_at_all_is_refused():
    frame = np.zeros((50, 50, 3), dtype=np.uint8)
    assert (face_track.crop_square(frame, (-500, 900), 20) == face_track.BORDER).all()
    with pytest.raises(ValueError, match="positive half side"):
        face_track.crop_square(frame, (25, 25), 0.0)


def test_scenes_are_tracked_apart_and_short_ones_are_left_out():
    boxes = [[_box(10, 20, 120)] for _ in range(300)]
    tracks = face_track.published_tracks(boxes, scenes=[(0, 120), (120, 219), (219, 300)])
    assert [(t.frames_T[0], t.frames_T[-1]) for t in tracks] == [(0, 119)]
    rule = CropRule(least_track=90)
    tracks = face_track.published_tracks(boxes, rule, scenes=[(0, 120), (120, 219), (219, 300)])
    assert [(t.frames_T[0], t.frames_T[-1]) for t in tracks] == [(0, 119), (120, 218)]
    whole = face_track.published_tracks(boxes)
    assert [(t.frames_T[0], t.frames_T[-1]) for t in whole] == [(0, 299)]


def test_the_longest_track_is_the_one_over_the_most_frames():
    boxes = [[_box(0, 0, 40)] for _ in range(20)] + [[] for _ in range(30)]
    boxes += [[_box(300, 0, 40)] for _ in range(25)]
    rule = CropRule(least_track=5, least_side=0)
    both = face_track.published_tracks(boxes, rule)
    assert [len(track.frames_T) for track in both] == [20, 25]
    longest = CropRule(least_track=5, least_side=0, keep="longest")
    (found,) = face_track.published_tracks(boxes, longest)
    assert found.frames_T[0] == 50
    (first,) = face_track.published_tracks(boxes[:70], longest)
    assert first.frames_T[0] == 0
    assert face_track.published_tracks([[]] * 9, longest) == []


def test_crops_read_a_memmap_frame_by_frame(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (9, 90, 120, 3)).astype(np.uint8)
    frames.tofile(tmp_path / "frames")
    mapped = np.memmap(tmp_path / "frames", np.uint8, "r", shape=frames.shape)
    boxes = [np.array([[30, 20, 70, 65, 0.95]], dtype=np.float32) for _ in range(9)]
    boxes[0], boxes[4] = np.zeros((0, 5)), np.zeros((0, 5))
    rule = CropRule(least_track=5, least_side=0, keep="longest", ends="edge")
    (track,) = face_track.published_tracks(boxes, rule)
    crops = list(face_track.track_crops(mapped, track, rule))
    assert (track.frames_T[0], track.frames_T[-1], len(crops)) == (1, 8, 8)
    for place in (0, 3, 7):
        expected = face_crops.crop(frames[1 + place], 50.0, 42.5, 22.5)
        np.testing.assert_array_equal(crops[place], expected)


def test_a_clip_without_a_track_is_rejected_for_its_face():
    frames = np.zeros((12, 60, 60, 3), np.uint8)
    short = CropRule(least_track=5, least_side=0)
    few = [[_box(10, 10, 30)] for _ in range(6)] + [[] for _ in range(6)]
    assert face_track.published_tracks([[]] * 12, short) == []
    assert face_track.published_tracks(few, CropRule(least_side=0)) == []
    (track,) = face_track.published_tracks(few, short)
    with pytest.raises(ItemRejected) as caught:
        list(face_track.track_crops(frames, track, short))
    assert caught.value.outcome.reason == "no_face"
    few[6] = [_box(10, 10, 30)]
    (track,) = face_track.published_tracks(few, short)
    assert len(list(face_track.track_crops(frames, track, short))) == 7
