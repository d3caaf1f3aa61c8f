"""A recording that lies behind another by a known lag."""

import numpy as np
import pytest

from talkingface_wild.functional.sound_offset import sound_offset_seconds

RATE = 16_000


@pytest.fixture(scope="module")
def driving():
    return np.random.default_rng(0).normal(0, 3000, 2 * RATE).astype(np.int16)


@pytest.mark.parametrize("samples", [0, 1, 320, 8000, -320, -8000])
def test_a_lag_is_found_to_one_sample(driving, samples):
    moved = np.zeros_like(driving)
    if samples >= 0:
        moved[samples:] = driving[: len(driving) - samples]
    else:
        moved[:samples] = driving[-samples:]
    assert sound_offset_seconds(moved, driving, RATE) == samples / RATE


def test_loudness_noise_and_length_do_not_matter(driving):
    noise = np.random.default_rng(1).normal(0, 1500, len(driving))
    moved = 0.2 * np.roll(driving, 400).astype(float) + noise * 0.2 + 50
    assert sound_offset_seconds(moved[: RATE + 5], driving, RATE) == 400 / RATE


def test_other_sounds_and_silence_have_no_lag(driving):
    other = np.random.default_rng(2).normal(0, 3000, len(driving))
    assert sound_offset_seconds(other, driving, RATE) is None
    assert sound_offset_seconds(np.zeros_like(driving), driving, RATE) is None
    assert sound_offset_seconds(driving, np.full_like(driving, 7), RATE) is None
    assert sound_offset_seconds(driving[:0], driving, RATE) is None
    assert sound_offset_seconds(driving[:1], driving, RATE) is None


def test_a_lag_beyond_the_bound_is_not_looked_for(driving):
    moved = np.concatenate([np.zeros(RATE + 2000, np.int16), driving])[: len(driving)]
    assert sound_offset_seconds(moved, driving, RATE) is None
    assert sound_offset_seconds(moved, driving, RATE, most_seconds=1.5) == (RATE + 2000) / RATE
