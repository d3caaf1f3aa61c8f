"""Squares that networks look at, against closed forms and OpenCV's own sampling."""

import math

import cv2
import numpy as np
import pytest

from talkingface_wild.functional.face_region import (
    Region,
    region_of_box,
    region_of_mesh,
    region_of_points,
    regions_of_eyes,
)

POINTS = np.array([[80.0, 100], [120, 100], [100, 122], [85, 142], [115, 142]])


def _turned(points, degrees):
    """Points turned clockwise, as seen in a picture, around the first one."""
    angle = math.radians(degrees)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return (points - points[0]) @ turn + points[0]


def test_a_box_becomes_a_square_of_one_and_a_half_of_its_longer_side():
    assert region_of_box(np.array([10, 20, 50, 80, 0.9])) == Region(30, 50, 90)
    leant = region_of_box(np.array([10, 20, 50, 80]), _turned(POINTS, 25))
    assert math.degrees(leant.turn) == pytest.approx(25)
    for box in ([10, 10, 10, 10], [50, 50, 20, 20], [0, 0, np.nan, 5]):
        with pytest.raises(ValueError, match="with an area"):
            region_of_box(np.array(box))


@pytest.mark.parametrize("degrees", [0, 30, -80])
def test_five_points_give_a_square_that_turns_with_them(degrees):
    plain, region = region_of_points(POINTS), region_of_points(_turned(POINTS, degrees))
    assert math.degrees(region.turn) == pytest.approx(degrees)
    assert region.side == pytest.approx(plain.side) and plain.side > 3 * 40
    middle = _turned(np.array([POINTS[0], [plain.x, plain.y]]), degrees)[1]
    assert [region.x, region.y] == pytest.approx(middle)
    with pytest.raises(ValueError, match="with an area"):
        region_of_points(np.zeros((5, 2)))


def test_a_mesh_gives_the_square_around_it_with_level_eyes():
    mesh = np.random.default_rng(0).uniform([100, 50, -9], [200, 170, 9], (468, 3))
    mesh[:2, :2] = [[100, 50], [200, 170]]
    mesh[[33, 263], :2] = [[120, 90], [180, 110]]
    region = region_of_mesh(mesh)
    assert (region.x, region.y, region.side) == pytest.approx((150, 110, 180))
    assert math.tan(region.turn) == pytest.approx(20 / 60)


def test_eyes_are_squares_between_their_corners_the_right_one_mirrored():
    mesh = np.zeros((468, 3))
    mesh[[33, 133, 362, 263], :2] = [[100, 80], [120, 80], [140, 90], [160, 110]]
    left, right = regions_of_eyes(mesh)
    assert left == Region(110, 80, 2.3 * 20)
    assert (right.x, right.y, right.mirrored) == (150, 100, True)
    assert math.degrees(right.turn) == pytest.approx(45)
    # Seen in its square, the outer corner of either eye lies left.
    half = 0.5 / 2.3
    for region, outer, inner in ((left, 33, 133), (right, 263, 362)):
        ends = region.to_picture(np.array([[0.5 - half, 0.5], [0.5 + half, 0.5]]))
        assert np.allclose(ends, mesh[[outer, inner], :2])


def test_depth_becomes_pixels_and_a_turn_leaves_it():
    points = Region(10, 20, 50, 1.0).to_picture(np.array([[0.5, 0.5, 0.2], [0.5, 0.5, -0.1]]))
    assert np.allclose(points, [[10, 20, 10], [10, 20, -5]])


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turn", [0.0, 0.6, -2.0])
def test_a_spot_is_seen_where_the_square_says_it_lies(mirrored, turn):
    """A blurred spot in the picture, and the same one in the square that OpenCV samples."""
    region, size = Region(90.3, 61.8, 48.0, turn, mirrored), 64
    share = np.array([[0.31, 0.64]])
    spot = region.to_picture(share)[0]
    rows, columns = np.mgrid[0:128, 0:160] + 0.5
    picture = np.exp(-((columns - spot[0]) ** 2 + (rows - spot[1]) ** 2) / 18).astype(np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    square = cv2.warpAffine(picture, region.sampling(size), (size, size), flags=flags)
    rows, columns = np.mgrid[0:size, 0:size] + 0.5
    place = np.array([(square * columns).sum(), (square * rows).sum()]) / square.sum() / size
    assert np.abs(place - share[0]).max() < 0.1 / size
