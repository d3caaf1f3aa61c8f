"""dlib's identities on real clips: one person's faces against other people's; places and bounds."""

import re
import sys

import numpy as np
import pytest

from talkingface_wild.core.errors import ExtraMissing, WeightMissing
from talkingface_wild.perception import arcface, dlib_identity
from talkingface_wild.perception.dlib_identity import DlibIdentity
from talkingface_wild.perception.face_detector import ScrfdDetector
from tests.perception.sampled import pictures

CLIPS = (
    "hdtf_hill",
    "hdtf_ocasio",
    "head_1",
    "head_2",
    "head_3",
    "may",
    "selfie_10",
    "selfie_12",
    "selfie_18",
    "synthetic_3",
    "synthetic_9",
)
"""Clips of one face each, of eleven people."""


@pytest.fixture(scope="module")
def dlib():
    return pytest.importorskip("dlib", reason="the extra identity is not installed")


@pytest.fixture(scope="module")
def perceiver(dlib, open_weight):
    paths = open_weight(dlib_identity.WEIGHT), open_weight(dlib_identity.POINTS_WEIGHT)
    return DlibIdentity(*paths).open()


@pytest.fixture(scope="module")
def faces(shared):
    """Two pictures of each clip, a second apart: (clip, picture, box, points)."""
    detector = ScrfdDetector(shared / "weights" / "scrfd_2.5g_kps.onnx", size=320).open()
    found = []
    for name in CLIPS:
        for picture in pictures(shared / "media" / "clips" / f"{name}.mp4", 1, 2):
            seen = detector.detect(picture)
            found.append((name, picture, seen.boxes_N5[0, :4], seen.points_N52[0]))
    return found


def _pairs(faces):
    names = np.array([name for name, *_ in faces])
    same = names[:, None] == names
    upper = np.triu(np.ones_like(same), 1)
    return same & upper, ~same & upper


def _distances(rows_ND):
    return np.linalg.norm(rows_ND[:, None] - rows_ND, axis=2)


@pytest.mark.parametrize("by", ["points", "boxes"])
def test_one_persons_faces_are_near_and_other_peoples_are_not(perceiver, faces, by):
    if by == "points":
        rows = [perceiver.of_points(picture, [points]) for _, picture, _, points in faces]
    else:
        rows = [perceiver.of_boxes(picture, [box]) for _, picture, box, _ in faces]
    distances = _distances(np.concatenate(rows))
    same, other = _pairs(faces)
    assert (distances[same] < dlib_identity.SAME_DISTANCE).all()
    assert (distances[other] >= dlib_identity.SAME_DISTANCE).all()


def test_aligned_crops_tell_the_same_people_apart(perceiver, faces):
    crops = [arcface.align(picture, points) for _, picture, _, points in faces]
    rows = perceiver.embed(crops)
    assert rows.shape == (len(faces), 128) and rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)
    cosines, (same, other) = rows @ rows.T, _pairs(faces)
    assert (cosines[same] > dlib_identity.SAME_COSINE).all()
    assert (cosines[other] <= dlib_identity.SAME_COSINE).all()


def test_descriptors_are_those_of_dlibs_own_detector(dlib, perceiver, faces, open_weight):
    """The published way: dlib's detector, its points, its descriptor."""
    points_of = dlib.shape_predictor(str(open_weight(dlib_identity.POINTS_WEIGHT)))
    network = dlib.face_recognition_model_v1(str(open_weight(dlib_identity.WEIGHT)))
    detector, compared = dlib.get_frontal_face_detector(), 0
    for _, picture, _, points in faces[::4]:
        picture = np.ascontiguousarray(picture)
        places = detector(picture, 0)
        if len(places) != 1:
            continue
        expected = network.compute_face_descriptor(picture, points_of(picture, places[0]))
        found = perceiver.of_points(picture, [points])[0]
        assert np.linalg.norm(found - np.array(expected)) < 0.2
        compared += 1
    assert compared >= 3


def test_more_faces_than_a_batch_keep_their_order(perceiver, faces):
    _, picture, _, points = faces[0]
    _, other, _, other_points = faces[2]
    crops = [arcface.align(picture, points)] * 16 + [arcface.align(other, other_points)]
    rows = perceiver.embed(crops)
    np.testing.assert_allclose(rows[15], rows[0], atol=1e-5)
    np.testing.assert_allclose(rows[16], perceiver.embed(crops[16:])[0], atol=1e-5)
    assert np.linalg.norm(rows[16] - rows[0]) > 0.3


def test_no_faces_give_no_embeddings_and_no_face_is_refused(perceiver):
    picture = np.zeros((64, 64, 3), np.uint8)
    assert perceiver.embed([]).shape == perceiver.of_points(picture, []).shape == (0, 128)
    assert perceiver.of_boxes(picture, np.zeros((0, 4))).shape == (0, 128)
    with pytest.raises(ValueError, match="112 x 112"):
        perceiver.embed(np.zeros((2, 96, 96, 3), np.uint8))
    with pytest.raises(ValueError, match="in one place"):
        perceiver.of_points(picture, [np.ones((5, 2))])
    with pytest.raises(ValueError, match="found one of 0 x 9 pixels"):
        perceiver.of_boxes(picture, [np.array([4, 4, 4, 13])])
    with pytest.raises(ValueError, match=r"\(H, W, 3\) and type uint8"):
        perceiver.of_boxes(picture[..., 0], [np.array([4, 4, 40, 50])])


def test_a_file_that_is_not_dlibs_is_named(dlib, open_weight, tmp_path):
    network = open_weight(dlib_identity.WEIGHT)
    points = open_weight(dlib_identity.POINTS_WEIGHT)
    damaged = tmp_path / "damaged.dat"
    damaged.write_bytes(network.read_bytes()[:1_000_000])
    for wrong in (tmp_path / "absent.dat", damaged, points):
        with pytest.raises(WeightMissing, match=re.escape(str(wrong))) as caught:
            DlibIdentity(wrong, points).open()
        assert "get dlib_identity with 'tfw weights" in str(caught.value)
    with pytest.raises(WeightMissing, match="get dlib_points with 'tfw weights"):
        DlibIdentity(network, network).open()


def test_without_dlib_the_line_that_installs_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "dlib", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'talkingface-wild\[identity\]'"):
        DlibIdentity(tmp_path / "a.dat", tmp_path / "b.dat").open()


def test_the_squares_are_in_the_middle_of_the_face():
    points = np.array([[40.0, 50], [80, 50], [60, 70], [45, 95], [75, 95]])
    left, top, right, bottom = dlib_identity.square_of_points(points)
    assert ((left + right) / 2, (top + bottom) / 2) == pytest.approx((60, 72))
    assert right - left == pytest.approx(bottom - top) == pytest.approx(1.6 * np.hypot(40, 45))
    left, top, right, bottom = dlib_identity.square_of_box(np.array([10.0, 20, 90, 120]))
    assert (left + right) / 2 == pytest.approx(50) and (top + bottom) / 2 == pytest.approx(76)
    assert right - left == pytest.approx(bottom - top) == pytest.approx(79)
