"""Flashes are told from cuts, jumps and movement, in drawn pictures."""

import numpy as np

from talkingface_wild.functional.flashes import FlashWatch

RANDOM = np.random.default_rng(4)
FIRST, SECOND = RANDOM.integers(0, 200, (2, 27, 48, 3))


def _flashes(pictures):
    watch = FlashWatch()
    for index, picture in enumerate(pictures):
        noise = RANDOM.integers(-3, 4, picture.shape)
        watch.feed(index / 25, np.clip(picture + noise, 0, 255).astype(np.uint8))
    return [round(seconds * 25) for seconds in watch.flashes()]


def test_bright_and_black_pictures_between_alike_ones_are_flashes():
    pictures = [FIRST] * 60
    pictures[20] = FIRST + 120
    pictures[40] = pictures[41] = FIRST * 0
    assert _flashes(pictures) == [20, 40, 41]


def test_cuts_dissolves_and_stills_are_none():
    blend = [FIRST + (SECOND - FIRST) * part // 10 for part in range(1, 10)]
    assert _flashes([FIRST] * 20 + [SECOND] * 20) == []
    assert _flashes([FIRST] * 20 + blend + [SECOND] * 20) == []
    assert _flashes([FIRST] * 40) == []
    assert _flashes([FIRST] * 3) == []


def test_a_light_that_stays_on_is_none():
    assert _flashes([FIRST] * 20 + [FIRST + 120] * 20) == []
