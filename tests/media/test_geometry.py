"""Turning, square pixels, crop windows: closed forms on small pictures."""

import struct
from fractions import Fraction

import numpy as np
import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.media.geometry import (
    Orientation,
    Window,
    crop_padded,
    displayed_size,
    fit_inside,
    orientation_of,
    union_window,
)


@pytest.mark.parametrize(("degrees", "turns"), [(0, 0), (90, -1), (180, 2), (270, 1)])
def test_display_matrices_turn_clockwise(degrees: int, turns: int) -> None:
    """The matrix of a rotation by phi is (cos, sin, -sin, cos); numpy turns the other way round."""
    cosine, sine = ((1, 0), (0, 1), (-1, 0), (0, -1))[degrees // 90]
    matrix = struct.pack("=9i", *(65536 * v for v in (cosine, sine, 0, -sine, cosine, 0, 0, 0, 1)))
    picture = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    orientation = orientation_of(matrix)
    assert orientation.degrees == degrees
    assert np.array_equal(orientation.apply(picture), np.rot90(picture, turns))


def test_sizes() -> None:
    turned = Orientation(transposed=True)
    assert displayed_size(720, 576, Fraction(16, 11), Orientation()) == (1047, 576)
    assert displayed_size(720, 576, Fraction(16, 11), turned) == (576, 1047)
    assert displayed_size(100, 50, None, Orientation()) == (100, 50)
    assert displayed_size(100, 50, Fraction(1000), Orientation()) == (100, 50)
    assert fit_inside(1920, 1080, 640) == (640, 360)
    assert fit_inside(300, 351, 640, 2) in {(300, 350), (300, 352)}
    assert fit_inside(100, 50, 640) == (100, 50)
    assert fit_inside(8000, 2, 640, 2) == (640, 2)


def test_union_window() -> None:
    window = union_window([(100, 100, 180, 200), (110, 90, 200, 190)], 1.6)
    assert window.side == 176  # The union is 100 x 110.
    assert abs(window.left + window.side / 2 - 150) <= 1
    assert abs(window.top + window.side / 2 - 145) <= 1
    assert window.left % 2 == window.top % 2 == window.side % 2 == 0
    with pytest.raises(UsageError):
        union_window([])


def test_a_crop_beyond_the_picture() -> None:
    picture = np.full((40, 60, 3), 200, dtype=np.uint8)
    black = crop_padded(picture, Window(-20, -20, 40), 40)
    assert not black[:20].any()
    assert not black[:, :20].any()
    assert (black[20:, 20:] == 200).all()
    assert (crop_padded(picture, Window(-20, -20, 40), 40, "edge") == 200).all()
    with pytest.raises(UsageError, match="touches"):
        crop_padded(picture, Window(60, 0, 40), 40)


def test_shrinking_averages() -> None:
    picture = np.zeros((64, 64, 3), dtype=np.uint8)
    picture[::2, ::2] = 200
    assert (crop_padded(picture, Window(0, 0, 64), 32) == 50).all()


def test_a_window_shows_nothing_of_the_bars() -> None:
    """A logo in a bar that a padded window reaches over would else stand in the black."""
    picture = np.full((40, 60, 3), 200, np.uint8)
    window = Window(0, -10, 60, (4, 6, 2, 8))
    assert window.inside(60, 40) == (4, 6, 54, 26)
    shown = crop_padded(picture, window, 60)
    lit = np.argwhere(shown.any(axis=2))
    assert lit.min(axis=0).tolist() == [16, 4] and lit.max(axis=0).tolist() == [41, 57]
    with pytest.raises(UsageError, match="touches the 60x40 picture"):
        Window(0, 0, 4, (4, 0, 0, 0)).inside(60, 40)
