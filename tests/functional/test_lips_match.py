"""Lags, their sign, what cannot be judged; a network that learns from made-up lips and sound."""

import numpy as np
import pytest
import torch

from talkingface_wild.functional.lips_match import height_above, lag_curve, lips_match, null_heights
from talkingface_wild.functional.lips_shape import LIPS_WIDTH, SOUND_WIDTH
from talkingface_wild.perception.lips_network import LipsClip, LipsNetwork, LipsTraining


def speech_like(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise in syllables, 16 kHz int16."""
    draws = np.random.default_rng(seed)
    count = int(seconds * 16_000)
    loudness = np.abs(np.sin(np.linspace(0, seconds * 12, count))) ** 2
    return (draws.normal(0, 3000, count) * loudness).astype(np.int16)


def units(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("delay", [-7, 0, 3, 15])
def test_sound_that_comes_later_has_a_negative_offset(delay):
    """SyncNet's sign: positive where the matching sound lies earlier."""
    lips = units(np.random.default_rng(0).normal(size=(120, 16)))
    match = lips_match(lips, np.roll(lips, delay, axis=0))
    assert match.offset == -delay
    assert match.margin > 0.9 and match.frames == 120


def test_a_lag_is_the_mean_over_the_frames_that_have_both():
    draws = np.random.default_rng(1)
    lips, sounds = units(draws.normal(size=(40, 8))), units(draws.normal(size=(37, 8)))
    lips[5:9] = np.nan
    curve = lag_curve(lips, sounds, reach=4)
    for lag in range(-4, 5):
        pairs = [
            float(lips[t] @ sounds[t + lag])
            for t in range(40)
            if 0 <= t + lag < 37 and not np.isnan(lips[t]).any()
        ]
        assert curve[lag + 4] == pytest.approx(np.mean(pairs), abs=1e-6)


def test_a_short_clip_and_one_without_a_face_are_not_judged():
    rows = units(np.random.default_rng(0).normal(size=(49, 8)))
    assert lips_match(rows, rows) is None
    nothing = np.full((200, 8), np.nan, dtype=np.float32)
    assert lips_match(nothing, units(np.ones((200, 8)))) is None
    assert np.isnan(lag_curve(nothing, units(np.ones((200, 8))))).all()


def clips(count: int, delay: int = 0, seed: int = 0) -> list[LipsClip]:
    """Lips and sound that are two views of one slow course, as speech is; other noise on both."""
    draws = np.random.default_rng(100)
    views = draws.normal(size=(6, LIPS_WIDTH)), draws.normal(size=(6, SOUND_WIDTH))
    made = []
    for number in range(count):
        draws = np.random.default_rng(seed + number)
        course = draws.normal(size=(170, 6))
        course = np.apply_along_axis(lambda row: np.convolve(row, np.ones(3), "same"), 0, course)
        lips, sound = (course @ view + draws.normal(size=(170, view.shape[1])) for view in views)
        made.append(
            LipsClip(lips.astype(np.float32), np.roll(sound, delay, axis=0).astype(np.float32))
        )
    return made


SHORT = LipsTraining(steps=250)


def test_it_learns_without_a_label_and_finds_what_was_moved():
    network = LipsNetwork.train_on(clips(8), seed=0, training=SHORT)
    for delay in (-9, 0, 4):
        for clip in clips(3, delay, seed=50):
            match = lips_match(*network.embed(clip))
            wrong = lips_match(*network.embed(LipsClip(clip.lips, np.roll(clip.sound, 80, 0))))
            assert match.offset == -delay
            assert match.margin > 2 * wrong.margin


def test_the_same_clips_and_seed_give_the_same_network():
    """And leave the program's own random numbers alone."""
    torch.manual_seed(7)
    few = LipsTraining(steps=20)
    one, other, third = (LipsNetwork.train_on(clips(2), s, few) for s in (3, 3, 4))
    assert torch.initial_seed() == 7
    states = [
        torch.cat([t.flatten() for t in n.state_dict().values()]) for n in (one, other, third)
    ]
    assert torch.equal(states[0], states[1]) and not torch.equal(states[0], states[2])


def test_frames_without_a_face_teach_nothing_and_stay_blank():
    holed = clips(3)
    for clip in holed:
        clip.lips[40:90] = np.nan
    network = LipsNetwork.train_on(holed, 0, SHORT)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in network.state_dict().values())
    lips, sounds = network.embed(holed[0])
    assert np.isnan(lips[40:90]).all() and np.isfinite(sounds).all()
    assert lips_match(lips, sounds).frames == 120
    with pytest.raises(ValueError, match="found none"):
        LipsNetwork.train_on([LipsClip(np.full((9, LIPS_WIDTH), np.nan, np.float32), sounds)], 0)


def test_a_height_is_counted_in_the_spread_of_the_wrong_sounds():
    null = [0.02, 0.04] * 4
    deviation = 0.01 * np.sqrt(8 / 7)
    assert height_above(0.13, null) == pytest.approx(0.1 / deviation)
    assert height_above(0.13, null[:7]) is None
    # A null without spread divides by the least one.
    assert height_above(0.02, [0.01] * 8) == pytest.approx(10)
    assert null_heights(null[:8]) == ()
    heights = null_heights([*null, 0.5])
    assert len(heights) == 9 and max(heights) == heights[8]
    assert heights[8] == pytest.approx(0.47 / deviation)
