"""Alignment against the reference's crops; the camera against one that is known."""

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.transform import Rotation

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional import face_alignment
from tests.perception import golden

MODEL = np.array(
    [[-0.3, 0.3, 0.1], [0.3, 0.3, 0.1], [0, 0, 0.5], [-0.25, -0.3, 0.2], [0.25, -0.3, 0.2]]
)


def _seen(turn, scale, shift):
    """The model's points under a scaled orthographic camera, y counted up."""
    return scale * turn.apply(MODEL)[:, :2] + shift


def test_golden_deep3d_alignment(goldens):
    stored = golden.load(goldens, "deep3d")
    acceptance = stored.data["meta"]["acceptance"]
    assert "alignment landmarks absolute 1e-3, crops within one level" in acceptance
    for case in stored.data["align"]:
        picture = stored.filler.image(case["image"], stored.seed, *case["size"], case["cell"])
        points, model = np.array(case["landmarks_xy"]), np.array(case["lm3d"])
        found = face_alignment.align(picture, points, model)
        _, _, scale, across, up = case["trans_params"]
        assert found.scale == pytest.approx(scale, rel=1e-6)
        np.testing.assert_allclose(found.translation_2, [across, up], atol=1e-3)
        upward = found.points_52 * [1, -1] + [0, 223]
        np.testing.assert_allclose(upward, case["lm_new"], atol=1e-3)
        golden.assert_summary(found.crop_HWC, case["crop"], 1.0)
        assert abs(found.crop_HWC.mean() - case["crop"]["mean"]) < 0.02
        crop = face_alignment.align_face(picture, points, model)
        np.testing.assert_array_equal(crop, found.crop_HWC)


@pytest.mark.parametrize("seed", range(5))
def test_the_camera_that_made_the_points_is_found(seed):
    random = np.random.default_rng(seed)
    turn = Rotation.from_euler("xyz", random.uniform(-0.6, 0.6, 3))
    scale, shift = random.uniform(20, 400), random.uniform(-300, 300, 2)
    found_shift, found_scale = face_alignment.fit_camera(_seen(turn, scale, shift), MODEL)
    assert found_scale == pytest.approx(scale, rel=1e-9)
    np.testing.assert_allclose(found_shift, shift, atol=1e-7)


@pytest.mark.parametrize("scale", [40.0, 102.0, 260.0])
def test_the_models_origin_comes_to_the_middle_and_its_unit_to_102_pixels(scale):
    height, width = 300, 420
    points = _seen(Rotation.identity(), scale, [250.0, 130.0])
    points[:, 1] = height - 1 - points[:, 1]
    picture = np.zeros((height, width, 3), np.uint8)
    found = face_alignment.align(picture, points, MODEL)
    assert found.crop_HWC.shape == (224, 224, 3) and found.crop_HWC.dtype == np.uint8
    eyes = found.points_52[1, 0] - found.points_52[0, 0]
    assert eyes == pytest.approx(0.6 * 102, rel=1e-6)
    np.testing.assert_allclose(found.points_52[2], [112, 111], atol=1.5)


def test_the_marks_of_a_picture_lie_where_the_points_say():
    points = _seen(Rotation.identity(), 150.0, [210.0, 160.0]) * [1, -1] + [0, 299]
    picture = np.zeros((300, 420, 3), np.uint8)
    rows, columns = np.mgrid[:300, :420]
    for channel, (x, y) in enumerate(points[[0, 1, 4]]):
        picture[(columns - x) ** 2 + (rows - y) ** 2 < 25, channel] = 255
    found = face_alignment.align(picture, points, MODEL)
    for channel, (x, y) in enumerate(found.points_52[[0, 1, 4]]):
        ys, xs = np.nonzero(found.crop_HWC[..., channel] > 128)
        assert abs(xs.mean() - x) < 1.5 and abs(ys.mean() - y) < 1.5


def test_beyond_the_picture_is_black():
    points = _seen(Rotation.identity(), 60.0, [5.0, 80.0]) * [1, -1] + [0, 99]
    picture = np.full((100, 90, 3), 200, np.uint8)
    crop = face_alignment.align_face(picture, points, MODEL)
    assert not crop[:, :90].any() and (crop[100, 110:200] > 190).all()


def test_points_too_near_for_a_face_are_rejected_and_nonsense_is_refused():
    picture = np.zeros((512, 512, 3), np.uint8)
    for spread in (0.0, 1e-3, 1.0):
        points = 250 + spread * (MODEL[:, :2] * [1, -1])
        with pytest.raises(ItemRejected) as caught:
            face_alignment.align(picture, points, MODEL)
        assert caught.value.outcome.reason == "small_face"
    with pytest.raises(ValueError, match="no numbers"):
        face_alignment.align(picture, np.full((5, 2), np.nan), MODEL)
    with pytest.raises(ValueError, match=r"found \(4, 2\)"):
        face_alignment.align(picture, np.ones((4, 2)), MODEL)


def test_five_of_68_points_are_eyes_nose_and_mouth():
    points = np.column_stack([np.arange(1, 69), np.arange(1, 69) ** 2]).astype(float)
    found = face_alignment.five_of_68(points)
    np.testing.assert_array_equal(found[:, 0], [38.5, 44.5, 31, 49, 55])
    assert found[0, 1] == (37**2 + 40**2) / 2
    with pytest.raises(ValueError, match="68 points"):
        face_alignment.five_of_68(points[:67])


def test_model_points_come_from_a_matlab_file(tmp_path):
    table = np.random.default_rng(0).normal(size=(68, 3))
    path = tmp_path / "similarity_Lm3D_all.mat"
    savemat(path, {"lm": table, "note": "more"})
    found = face_alignment.load_model_points(path)
    np.testing.assert_allclose(found, face_alignment.five_of_68(table))


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "found no file"), (b"not a table", "damaged"), ({"lm": np.ones((67, 3))}, "67 x 3")],
)
def test_a_file_that_holds_no_model_points_is_named(tmp_path, content, words):
    path = tmp_path / "points.mat"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        savemat(path, content)
    with pytest.raises(WeightMissing, match=words) as caught:
        face_alignment.load_model_points(path)
    assert str(path) in str(caught.value) and "tfw weights" in str(caught.value)
