"""Bars that were put there, and pictures that only look as if they had some."""

import numpy as np
import pytest

from talkingface_wild.functional.black_bars import BarSearch, scaled_bars

NONE = (0, 0, 0, 0)


def _content(height, width, seed=0, dark=60):
    """A coarse coloured picture of grey levels from ``dark`` on."""
    random = np.random.default_rng(seed)
    coarse = random.integers(dark, 230, (height // 8 + 1, width // 8 + 1, 3))
    return np.kron(coarse, np.ones((8, 8, 1), int))[:height, :width].astype(np.uint8)


def _framed(bars, height=120, width=160, seed=0, level=0, **how):
    left, top, right, bottom = bars
    picture = np.full((height + top + bottom, width + left + right, 3), level, np.uint8)
    picture[top : top + height, left : left + width] = _content(height, width, seed, **how)
    return picture


def _found(pictures):
    search = BarSearch()
    for picture in pictures:
        search.look(picture)
    return search.bars()


@pytest.mark.parametrize(
    "bars",
    [
        (0, 30, 0, 30),
        (0, 17, 0, 23),
        (40, 0, 40, 0),
        (33, 0, 1, 0),
        (41, 27, 39, 29),
        (1, 1, 1, 1),
        (0, 0, 0, 90),
        (110, 0, 110, 0),
        NONE,
    ],
)
def test_bars_of_any_width_on_any_side(bars):
    assert _found(_framed(bars, seed=n) for n in range(10)) == bars


@pytest.mark.parametrize("level", [0, 16])
def test_noise_and_an_untagged_range_hide_no_bar(level):
    random = np.random.default_rng(1)
    pictures = []
    for n in range(12):
        noise = random.normal(0, 4, (160, 200, 3))
        framed = _framed((20, 19, 20, 21), seed=n, level=level).astype(float)
        pictures.append(np.clip(framed + noise, 0, 255).astype(np.uint8))
    assert _found(pictures) == (20, 19, 20, 21)


def test_a_fade_from_black_says_nothing():
    bars = (0, 30, 0, 30)
    fade = [(_framed(bars, seed=n) * (n / 5)).astype(np.uint8) for n in range(5)]
    assert _found(fade + [_framed(bars, seed=n) for n in range(5, 12)]) == bars
    assert _found([np.zeros((60, 80, 3), np.uint8)] * 5) == NONE
    assert _found([]) == NONE


def test_a_logo_that_stays_and_subtitles_that_come_and_go_leave_bars_bars():
    bars, pictures = (0, 40, 0, 40), []
    for n in range(20):
        framed = _framed(bars, seed=n)
        framed[8:24, 130:150] = 240
        if n % 5 < 3:
            framed[172:190, 30:130:3] = 250
        pictures.append(framed)
    assert _found(pictures) == bars


def test_what_a_mixed_line_holds_of_a_bar_is_cut():
    """A bar of 20.5 lines of the small picture, as a shrunk source shows it."""
    framed = _framed((0, 20, 0, 0), seed=3)
    framed[20] = framed[20] // 2
    assert _found([framed] * 5) == (0, 21, 0, 0)


def _person(n, backdrop, height=160, width=160):
    """A bright head and shoulders that sway before a flat backdrop."""
    rows, columns = np.mgrid[:height, :width]
    middle = width / 2 + 3 * np.sin(n)
    head = ((columns - middle) / 25) ** 2 + ((rows - 60) / 32) ** 2 < 1
    body = (rows > 95) & (np.abs(columns - middle) < 30 + (rows - 95) * 0.9)
    return np.where((head | body)[..., None], 150, backdrop).astype(np.uint8).repeat(3, axis=2)


def test_a_person_before_a_black_backdrop_has_no_bars():
    assert _found(_person(n, 2) for n in range(20)) == NONE


def test_a_drawn_figure_on_black_has_no_bars():
    """An upright stroke is a straight edge; what is left beside it is nearly all black."""
    picture = np.zeros((160, 160, 3), np.uint8)
    picture[40:, 50:54], picture[100:104, 40:120] = 150, 150
    assert _found([picture] * 5) == NONE


def test_a_vignette_has_no_bars():
    rows, columns = np.mgrid[-1:1:160j, -1:1:160j]
    shade = np.clip(1.35 - (rows**2 + columns**2), 0, 1)[..., None]
    assert _found((_content(160, 160, n, 120) * shade).astype(np.uint8) for n in range(9)) == NONE
    soft = np.clip((np.arange(160) - 20) / 50, 0, 1)[:, None, None]
    assert _found((_content(160, 160, n, 120) * soft).astype(np.uint8) for n in range(9)) == NONE


def test_a_dark_scene_has_no_bars():
    """Night above, shaded from 4 to 20 levels; a bright table with a straight edge below."""
    night = np.linspace(4, 20, 160)[None, :, None] * np.ones((60, 1, 3))
    picture = np.concatenate([night, np.full((100, 160, 3), 170.0)]).astype(np.uint8)
    assert _found([picture] * 6) == NONE


def test_bars_that_are_there_for_half_of_the_clip_are_none():
    framed, whole = _framed((0, 30, 0, 30)), _content(180, 160, 5)
    assert _found([framed] * 5 + [whole] * 5) == NONE


def test_bars_grow_to_the_sources_pixels_and_are_rounded_inwards():
    assert scaled_bars((0, 44, 1, 43), (640, 360), (1920, 1080)) == (0, 132, 3, 129)
    assert scaled_bars((7, 0, 0, 0), (640, 361), (1281, 722)) == (15, 0, 0, 0)
    assert scaled_bars(NONE, (640, 360), (1919, 1079)) == NONE
