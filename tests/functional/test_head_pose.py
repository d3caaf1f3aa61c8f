"""Angles of heads that a perspective camera saw, of other proportions than the model's."""

import numpy as np
import pytest

from talkingface_wild.functional.head_pose import FACE_53, head_angles
from tests.reference import projected_face


@pytest.mark.parametrize("head", projected_face.HEADS)
@pytest.mark.parametrize("pitch", [-15, 0, 15])
def test_yaw_is_within_eight_degrees_up_to_sixty(head, pitch):
    yaws = np.arange(-60, 61, 5)
    points = np.stack([projected_face.points(head, yaw, pitch) for yaw in yaws])
    assert np.abs(head_angles(points)[:, 0] - yaws).max() <= 8


@pytest.mark.parametrize("head", projected_face.HEADS)
def test_pitch_is_within_eight_degrees_up_to_thirty(head):
    pitches = np.arange(-30, 31, 5)
    points = np.stack([projected_face.points(head, 0, pitch) for pitch in pitches])
    assert np.abs(head_angles(points)[:, 1] - pitches).max() <= 8


def test_orthographic_views_of_the_model_are_exact():
    random = np.random.default_rng(0)
    for _ in range(30):
        yaw, pitch, roll = np.radians(random.uniform((-80, -60, -170), (80, 60, 170)))
        x, y, z = FACE_53.T
        x, z = x * np.cos(yaw) + z * np.sin(yaw), z * np.cos(yaw) - x * np.sin(yaw)
        y = y * np.cos(pitch) + z * np.sin(pitch)
        x, y = x * np.cos(roll) - y * np.sin(roll), x * np.sin(roll) + y * np.cos(roll)
        seen = random.uniform(5, 300) * np.stack([x, y], axis=1) + random.uniform(0, 500, 2)
        angles = np.radians(head_angles(seen)[0])
        np.testing.assert_allclose(angles, [yaw, pitch, roll], atol=1e-9)


def test_size_and_place_do_not_matter_and_a_mirror_turns_the_head_round():
    points = projected_face.points("medium", 25, 10)
    here = head_angles(points)[0]
    np.testing.assert_allclose(head_angles(points * 3 - 70)[0], here, atol=1e-9)
    mirrored = (points * [-1, 1])[[1, 0, 2, 4, 3]]
    np.testing.assert_allclose(head_angles(mirrored)[0], here * [-1, 1, -1], atol=1e-9)


def test_points_in_one_place_have_no_angle():
    assert (head_angles(np.full((2, 5, 2), 7.0)) == 0).all()
    assert head_angles(np.zeros((0, 5, 2))).shape == (0, 3)
