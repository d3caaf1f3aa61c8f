"""Openness and blinks against closed forms: drawn eyes, drawn dips."""

import numpy as np
import pytest

from talkingface_wild.functional.eye_blinks import blinks, blinks_per_minute, eye_openness

FPS = 25.0


def _curve(seconds=8.0, fps=FPS, open_=0.3):
    return np.full(round(seconds * fps), open_)


def _blink(curve, second, fps=FPS, shut=0.06, seconds=0.3):
    """A dip to ``shut``: half a cosine down and up again."""
    times = np.arange(len(curve)) / fps - second
    part = np.clip(1 - np.abs(times) / (seconds / 2), 0, 1)
    return curve - (curve - shut) * (0.5 - 0.5 * np.cos(np.pi * part))


def test_openness_is_height_over_width_however_large_or_turned():
    outline = np.zeros((71, 3))
    outline[8] = [30, 0, 9]
    outline[[11, 3]] = [[10, -4, 0], [10, 5, 7]]
    outline[[13, 5]] = [[20, -5, 0], [20, 4, 7]]
    angle = np.radians(35)
    turn = np.array(
        [[np.cos(angle), np.sin(angle), 0], [-np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    eyes = np.stack([outline, outline @ turn * 4 + 100])[None]
    assert eye_openness(eyes) == pytest.approx(np.full((1, 2), 9 / 30))
    assert (eye_openness(np.zeros((3, 2, 71, 3))) == 0).all()
    assert np.isnan(eye_openness(np.full((1, 2, 71, 3), np.nan))).all()


@pytest.mark.parametrize("fps", [15.0, 25.0, 30.0, 60.0])
@pytest.mark.parametrize("open_", [0.2, 0.3, 0.45])
def test_each_dip_is_a_blink_at_its_deepest(fps, open_):
    curve = _curve(fps=fps, open_=open_)
    for second in (1.0, 3.0, 3.6, 7.0):
        curve = _blink(curve, second, fps)
    curve += np.random.default_rng(0).normal(scale=0.008, size=len(curve))
    assert np.abs(blinks(curve, fps) - [1.0, 3.0, 3.6, 7.0]).max() < 1.5 / fps
    assert blinks_per_minute(curve, fps) == pytest.approx(4 / 8 * 60)


def test_what_is_no_blink():
    random = np.random.default_rng(1)
    noise = _curve() + random.normal(scale=0.015, size=200)
    narrowed = _blink(_curve(), 4.0, seconds=3.0, shut=0.15)
    closed = _curve()
    closed[50:90] = 0.05 + random.normal(scale=0.01, size=40)
    glitch = _curve()
    glitch[100] = 0.05
    wide = _blink(_curve(open_=0.5), 4.0, shut=0.3)
    cut = _blink(_blink(_curve(), 0.0), 8.0)
    for curve in (noise, narrowed, closed, glitch, wide, cut, np.zeros(200), np.zeros(0)):
        assert blinks(curve, FPS).tolist() == []


def test_a_blink_beside_frames_without_eyes_counts_when_it_is_whole():
    whole = _blink(_curve(), 4.0)
    whole[130:] = np.nan
    assert blinks(whole, FPS) == pytest.approx([4.0])
    assert blinks_per_minute(whole, FPS) == pytest.approx(60 / (130 / FPS))
    half = _blink(_curve(), 4.0)
    half[101:] = np.nan
    assert blinks(half, FPS).tolist() == []
    assert blinks_per_minute(np.full(50, np.nan), FPS) is None
    assert blinks_per_minute(np.zeros(0), FPS) is None
