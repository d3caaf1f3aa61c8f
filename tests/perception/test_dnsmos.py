"""Known answers are those of speechmos 0.0.1.1's own function on the shared recordings."""

import numpy as np
import pytest

from talkingface_wild.perception.dnsmos import SoundQuality
from tests.perception import speech_sound

SCORES = {
    "en": (3.4986, 3.9643, 3.2062),
    "hdtf_hill": (3.4506, 3.5425, 2.9409),
    "synthetic_5": (3.2862, 2.4774, 2.2882),
}
"""Signal, background, overall; of one that is shorter than a window and one of several."""
PUBLISHED_BY_NOISE = {30: 2.80, 0: 1.52}
"""Overall, by the decibels that the noise is below the speech."""


@pytest.fixture(scope="module")
def quality(open_weight):
    return SoundQuality(open_weight("dnsmos")).open()


@pytest.mark.parametrize("name", SCORES)
def test_scores_are_the_packages(quality, shared, name):
    scores = quality.scores(speech_sound.clip(shared, name))
    assert (scores.signal, scores.background, scores.overall) == pytest.approx(
        SCORES[name], abs=2e-3
    )


def test_noise_lowers_the_score(quality, shared):
    speech = speech_sound.clip(shared, "en")
    for decibels, expected in PUBLISHED_BY_NOISE.items():
        scores = quality.scores(speech_sound.noisy(speech, decibels))
        assert scores.overall == pytest.approx(expected, abs=0.05)


@pytest.mark.long
def test_every_second_of_a_long_sound_counts(quality, shared):
    """Windows from 7 s on, which the published loop loses, hear the noise after 16.1 s."""
    speech = speech_sound.clip(shared, "en")
    clean = np.tile(speech, 3)[: 18 * 16_000]
    end = 257_600
    spoilt = np.concatenate([clean[:end], speech_sound.noisy(clean, 0)[end:]])
    assert quality.scores(spoilt).background < quality.scores(clean).background - 0.02


def test_silence_and_almost_nothing_have_no_score(quality, shared):
    speech = speech_sound.clip(shared, "en")
    assert quality.scores(speech_sound.silence(5)) is None
    assert quality.scores(speech * np.float32(1e-4)) is None
    assert quality.scores(speech[:0]) is None
    assert quality.scores(speech[:15_999]) is None
    assert 1 <= quality.scores(speech[16_000:32_000]).overall <= 5


def test_broken_sound_is_refused(quality):
    with pytest.raises(ValueError, match="1 of 16000 NaN"):
        quality.scores(np.array([np.nan] + [0] * 15_999, dtype=np.float32))
    with pytest.raises(ValueError, match="a peak of 12"):
        quality.scores(np.full(16_000, 12, dtype=np.float32))
