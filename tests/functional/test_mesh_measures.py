"""Measures of a mesh against closed forms: turned points, a mouth of known opening."""

import numpy as np
import pytest

from talkingface_wild.functional import mesh_measures
from talkingface_wild.functional.mesh_measures import STABLE_FACE_K3, STABLE_POINTS


def _face(yaw=0.0, pitch=0.0, roll=0.0, scale=60.0, opening=0.0):
    """A mesh (1, 468, 3) in pixels, depth away from the camera, turned, then bent, then leant."""
    points = np.zeros((468, 3))
    points[list(STABLE_POINTS)] = STABLE_FACE_K3
    points[list(mesh_measures.LIPS)] = [0.0, 1.04, -0.3]
    points[14, 1] += opening
    y, p, r = np.radians([yaw, pitch, roll])
    turn = [[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]]
    bend = [[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]]
    lean = [[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]]
    rotation = np.array(lean) @ np.array(bend) @ np.array(turn)
    return (points @ rotation.T * scale + [320, 200, 5])[None]


@pytest.mark.parametrize("yaw", [-70, -20, 0, 35])
@pytest.mark.parametrize("pitch", [-40, 0, 25])
@pytest.mark.parametrize("roll", [-60, 0, 15, 120])
def test_a_turned_face_gives_its_angles(yaw, pitch, roll):
    angles = mesh_measures.mesh_angles(_face(yaw, pitch, roll))
    assert np.abs(angles - [[yaw, pitch, roll]]).max() < 0.5


def test_the_nose_tells_the_signs():
    """The nose's tip (4) against the middle of the eyes' outer corners, seen from the camera."""
    for yaw, pitch in ((30, 0), (-30, 0), (0, 30), (0, -30)):
        straight, turned = _face()[0], _face(yaw, pitch)[0]
        step = (turned[4] - straight[4])[:2]
        along = step[0] if yaw else step[1]
        assert np.sign(along) == np.sign(yaw + pitch) and abs(along) > 10
    leant = _face(roll=20)[0]
    assert leant[33, 1] < leant[263, 1]


def test_angles_stay_within_half_a_degree_under_small_noise_and_any_scale():
    random = np.random.default_rng(0)
    for scale in (12.0, 60.0, 900.0):
        meshes = np.concatenate([_face(20, -10, 5, scale)] * 50)
        meshes += random.normal(scale=0.01 * scale, size=meshes.shape)
        angles = mesh_measures.mesh_angles(meshes)
        assert np.abs(angles.mean(axis=0) - [20, -10, 5]).max() < 0.5


def test_the_model_of_a_face_is_symmetric_and_has_eyes_one_apart():
    places = dict(zip(STABLE_POINTS, STABLE_FACE_K3, strict=True))
    assert len(places) == len(STABLE_POINTS) == len(STABLE_FACE_K3)
    assert np.allclose(places[33] * [-1, 1, 1], places[263])
    assert mesh_measures.eye_distances(_face(scale=1.0)) == pytest.approx([1.0])


@pytest.mark.parametrize("yaw", [0, 40])
def test_an_opening_is_in_eye_distances_however_large_or_turned(yaw):
    for opening in (0.0, 0.1, 0.4):
        for scale in (20.0, 300.0):
            mesh = _face(yaw, 10, 20, scale, opening)
            assert mesh_measures.mouth_openings(mesh) == pytest.approx([opening], abs=1e-9)


def test_a_mouth_is_trusted_less_in_profile_or_beyond_the_picture():
    def confidence(mesh, own=1.0, width=640, height=480):
        return mesh_measures.mouth_confidences(mesh, np.array([own]), width, height)[0]

    assert confidence(_face()) == pytest.approx(1.0)
    assert confidence(_face(), own=0.6) == pytest.approx(0.6)
    assert confidence(_face(yaw=60)) == pytest.approx(0.5, abs=0.01)
    assert confidence(_face(), height=240) == 0.0
    assert confidence(_face(yaw=95)) == 0.0


def test_a_frame_without_a_face_leaves_the_others_as_they_are():
    meshes = np.concatenate([_face(20, 0, 5, opening=0.2), np.full((1, 468, 3), np.nan)])
    angles = mesh_measures.mesh_angles(meshes)
    assert angles[0] == pytest.approx([20, 0, 5]) and np.isnan(angles[1]).all()
    assert mesh_measures.mouth_openings(meshes) == pytest.approx([0.2, np.nan], nan_ok=True)
    trusted = mesh_measures.mouth_confidences(meshes, np.array([1.0, 0.0]), 640, 480)
    assert trusted[0] > 0.9 and trusted[1] == 0.0


def test_no_mesh_gives_no_numbers_and_a_mesh_without_extent_zeros():
    nothing = np.zeros((0, 468, 3))
    assert mesh_measures.mesh_angles(nothing).shape == (0, 3)
    assert mesh_measures.mouth_openings(nothing).shape == (0,)
    point = np.full((1, 468, 3), 7.0)
    assert (mesh_measures.mesh_angles(point) == 0).all()
    assert mesh_measures.mouth_openings(point) == [0.0]
