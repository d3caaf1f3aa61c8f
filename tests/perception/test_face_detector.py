"""Detectors on real clips: the right number of faces, in the right place, and plain errors."""

import contextlib
import csv
import io
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from talkingface_wild.core.errors import ExtraMissing, UsageError, WeightMissing
from talkingface_wild.functional.face_measures import measures
from talkingface_wild.functional.face_samples import LEAST_AREA_RATIO, areas, observe
from talkingface_wild.perception import face_detector as faces
from talkingface_wild.perception import onnx_network
from tests.perception.sampled import pictures

CLIPS = ("hdtf_ocasio", "head_2", "portrait_hevc_1080x1920", "selfie_12", "synthetic_9")
CROWDS = ("two_faces", "three_faces")
EMPTY = ("skeleton_noface",)
FACE = (170, 50, 275, 185)
"""Where skimage's astronaut has her face: left, top, right, bottom."""


@pytest.fixture(scope="module")
def detectors(shared):
    weights = shared / "weights"
    return {
        "haar": faces.make_detector("haar").open(),
        "scrfd_2.5g": faces.make_detector("scrfd_2.5g", weights / "scrfd_2.5g_kps.onnx").open(),
        "scrfd_500m": faces.make_detector("scrfd_500m", weights / "scrfd_500m_kps.onnx").open(),
    }


def _relevant(found):
    """How many faces have a relevant size beside the largest."""
    sizes = areas(found.boxes_N5)
    return int((sizes >= LEAST_AREA_RATIO * sizes.max(initial=0)).sum()) if len(sizes) else 0


def _labelled(shared, stem):
    with (shared / "media" / "MEDIA.csv").open(newline="") as stream:
        rows = {Path(row["path"]).stem: row for row in csv.DictReader(stream)}
    return shared / "media" / rows[stem]["path"], int(rows[stem]["faces"])


@pytest.mark.parametrize("name", ["haar", "scrfd_2.5g"])
@pytest.mark.parametrize("stem", CLIPS + CROWDS + EMPTY)
def test_real_clips_have_as_many_faces_as_labelled(shared, detectors, name, stem):
    path, expected = _labelled(shared, stem)
    counts = [_relevant(detectors[name].detect(rgb)) for rgb in pictures(path, 2.0, 16)]
    wrong = sum(count != expected for count in counts)
    assert wrong <= (1 if name == "haar" and stem in CLIPS else 0), counts


def test_a_close_up_needs_the_border(shared, detectors):
    path, _ = _labelled(shared, "head_1")
    sampled = pictures(path, 2.0, 20)
    bare = faces.ScrfdDetector(shared / "weights" / "scrfd_2.5g_kps.onnx", padding=0.0).open()
    assert sum(len(bare.detect(rgb).boxes_N5) for rgb in sampled) == 0
    assert [len(detectors["scrfd_2.5g"].detect(rgb).boxes_N5) for rgb in sampled] == [1] * 20


def test_the_detectors_agree_on_place_and_the_points_lie_in_the_box(shared, detectors):
    for stem in ("may", "synthetic_9"):
        for rgb in pictures(_labelled(shared, stem)[0], 1.0, 3):
            boxes = {name: found.detect(rgb) for name, found in detectors.items()}
            best = boxes["scrfd_2.5g"]
            x0, y0, x1, y1 = best.boxes_N5[0, :4]
            for other in boxes.values():
                middle = (other.boxes_N5[0, :2] + other.boxes_N5[0, 2:4]) / 2
                assert abs(middle[0] - (x0 + x1) / 2) < 0.15 * (x1 - x0)
                assert abs(middle[1] - (y0 + y1) / 2) < 0.2 * (y1 - y0)
            points = best.points_N52[0]
            assert ((points > [x0, y0]) & (points < [x1, y1])).all()
            assert points[0, 0] < points[1, 0] and points[3, 0] < points[4, 0]
            assert points[:2, 1].max() < points[2, 1] < points[3:, 1].min()
            assert boxes["haar"].points_N52 is None


@pytest.mark.parametrize("name", ["haar", "scrfd_500m"])
@pytest.mark.parametrize(("width", "height"), [(512, 512), (960, 540), (540, 960), (1100, 700)])
def test_boxes_are_in_the_pixels_of_the_picture_given(detectors, name, width, height):
    scale = 0.9 * min(width, height) / 300
    crop = skimage.data.astronaut()[0:300, 80:380]
    shown = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture = np.full((height, width, 3), 128, dtype=np.uint8)
    left, top = width - shown.shape[1] - 3, height - shown.shape[0] - 2
    picture[top : top + shown.shape[0], left : left + shown.shape[1]] = shown
    found = detectors[name].detect(picture)
    assert len(found.boxes_N5) == 1
    middle = (found.boxes_N5[0, :2] + found.boxes_N5[0, 2:4]) / 2
    expected = np.array([(FACE[0] + FACE[2]) / 2 - 80, (FACE[1] + FACE[3]) / 2]) * scale
    assert np.abs(middle - expected - [left, top]).max() < 15 * scale
    assert 0.5 <= found.boxes_N5[0, 4] <= 1
    assert found.boxes_N5.dtype == np.float32


def test_haar_keeps_one_face_under_zoom_and_a_moving_mouth():
    detector = faces.make_detector("haar").open()
    photograph = skimage.data.astronaut()
    for zoom in (1.3, 1.6, 2.0, 2.6):
        side = int(512 / zoom)
        left, top = 222 - side // 2, max(0, 118 - side // 2)
        for opening in (0, 4, 9):
            speaking = photograph.copy()
            cv2.ellipse(speaking, (223, 158), (14, max(1, opening)), 0, 0, 360, (60, 20, 20), -1)
            view = cv2.resize(speaking[top : top + side, left : left + side], (512, 512))
            assert len(detector.detect(view).boxes_N5) == 1, (zoom, opening)


def test_haar_finds_each_of_two_faces_and_none_in_noise():
    detector = faces.make_detector("haar").open()
    one = skimage.data.astronaut()[0:260, 90:350]
    assert len(detector.detect(np.hstack([one, one[:, ::-1]])).boxes_N5) == 2
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    assert detector.detect(noise).boxes_N5.shape == (0, 5)


def test_a_higher_confidence_keeps_fewer_faces(shared):
    path = shared / "weights" / "scrfd_500m_kps.onnx"
    rgb = skimage.data.astronaut()
    for name, weight in (("haar", None), ("scrfd_500m", path)):
        score = faces.make_detector(name, weight).detect(rgb).boxes_N5[0, 4]
        strict = faces.make_detector(name, weight, confidence=float(score) + 0.01)
        assert len(strict.detect(rgb).boxes_N5) == 0


def test_a_clip_of_one_face_measures_as_one(shared, detectors):
    path, _ = _labelled(shared, "synthetic_9")
    sampled = pictures(path, 5.0, 20)
    found = measures(observe([detectors["scrfd_2.5g"].detect(p) for p in sampled], 5.0), 512, 512)
    assert found["face_presence_ratio"] == found["single_face_ratio"] == 1
    assert found["face_gap_seconds"] == 0 and found["face_complete_samples_missing"] == 0
    assert 250 < found["face_side_px"] < 450 and found["yaw_p90"] < 30


def test_insightface_does_not_print_and_keeps_to_its_threads(shared):
    detector = faces.ScrfdDetector(shared / "weights" / "scrfd_500m_kps.onnx", threads=1)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        detector.open().detect(skimage.data.astronaut())
    assert printed.getvalue() == ""
    for session in detector._model.resolution_sessions.values():
        assert session.get_session_options().intra_op_num_threads == 1


def test_unknown_detectors_and_missing_weights_say_what_to_do(tmp_path):
    with pytest.raises(UsageError, match=r"did you mean 'scrfd_2\.5g'"):
        faces.make_detector("scrfd_2.5")
    with pytest.raises(WeightMissing, match="tfw weights import"):
        faces.make_detector("scrfd_10g")
    for path in (tmp_path / "absent.onnx", tmp_path / "damaged.onnx"):
        (tmp_path / "damaged.onnx").write_bytes(b"\x08\x07nothing")
        with pytest.raises(WeightMissing, match=re.escape(str(path))):
            faces.make_detector("scrfd_10g", path).open()


def test_a_missing_system_library_is_named_with_its_apt_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ExtraMissing, match="apt install libgl1 libglib2"):
        onnx_network.import_cv2()


def test_every_detector_names_its_weight():
    assert faces.WEIGHTS["haar"] is None
    assert all(faces.WEIGHTS[name] == name for name in faces.WEIGHTS if name != "haar")
