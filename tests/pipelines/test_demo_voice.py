"""The demo corpus's voices and music: closed forms and known answers, no networks."""

import numpy as np
import pytest

from talkingface_wild.pipelines.demo import music, voice
from talkingface_wild.pipelines.demo.vocal_tract import HOP, RATE, Course, sound_of

SIZE = 1 << 17


def steady(formants: tuple[float, float, float], pitch: float = 100.0, hops: int = 400) -> Course:
    """One vowel that is held."""
    ones = np.ones(hops)
    return Course(
        pitch=pitch * ones,
        voicing=ones,
        formants=np.tile(np.array(formants), (hops, 1)),
        breath=0 * ones,
        noise=0 * ones,
        noise_hertz=4000 * ones,
        noise_width=1500 * ones,
    )


def period_of(samples: np.ndarray) -> int:
    """Samples of a period: the first peak of the autocorrelation beyond 2.5 ms."""
    echo = np.fft.irfft(np.abs(np.fft.rfft(samples.astype(float), SIZE)) ** 2)[:400]
    return 40 + int(np.argmax(echo[40:300]))


def test_a_held_vowel_resonates_where_klatt_says():
    """The spectrum's tilt aside, a partial is as loud as five digital resonators make it."""
    throat, formants = 1.1, (500.0, 1500.0, 2500.0)
    random = np.random.default_rng(0)
    sound = sound_of(steady(formants), throat, 0.6, random)
    other = sound_of(steady((600.0, 1300.0, 2500.0)), throat, 0.6, np.random.default_rng(0))
    middle = slice(len(sound) // 4, len(sound) // 4 * 3)
    powers = [np.abs(np.fft.rfft(s[middle] * np.hanning(HOP * 200), SIZE)) for s in (sound, other)]

    def gain(hertz: float, centre: float, width: float) -> float:
        pole = np.exp((-np.pi * width + 2j * np.pi * centre) / RATE)
        step = np.exp(-2j * np.pi * hertz / RATE)
        resonator = abs(1 - pole) ** 2 / ((1 - pole * step) * (1 - np.conj(pole) * step))
        return float(abs(resonator))

    for hertz in (400, 600, 1400, 1700):
        bins = slice(round((hertz - 25) * SIZE / RATE), round((hertz + 25) * SIZE / RATE))
        ratio = powers[0][bins].max() / powers[1][bins].max()
        expected = (gain(hertz, 550, 70) * gain(hertz, 1650, 95)) / (
            gain(hertz, 660, 70) * gain(hertz, 1430, 95)
        )
        assert 20 * np.log10(ratio / expected) == pytest.approx(0, abs=1.5), hertz


@pytest.mark.parametrize("pitch", [100.0, 160.0, 250.0])
def test_a_held_vowel_has_its_pitch(pitch):
    sound = sound_of(steady((500.0, 1500.0, 2500.0), pitch), 1.0, 0.6, np.random.default_rng(0))
    assert RATE / period_of(sound) == pytest.approx(pitch, rel=0.02)


def test_voices_differ_in_pitch_and_repeat_by_seed():
    low, high = voice.Manner(pitch_hertz=120.0), voice.Manner(pitch_hertz=240.0)
    assert np.array_equal(voice.speak(2, low, 5).samples, voice.speak(2, low, 5).samples)
    for manner in (low, high):
        samples = voice.speak(4, manner, 5).samples
        assert RATE / period_of(samples) == pytest.approx(manner.pitch_hertz, rel=0.2)


def test_the_mouth_is_open_when_the_voice_is_loud_and_a_little_before():
    """Lips lead by 80 ms, two pictures."""
    spoken = voice.speak(12, voice.Manner(), 3)
    power = np.square(spoken.samples.astype(float)).reshape(-1, 640).mean(1)
    assert spoken.opening.shape == power.shape
    likeness = [
        np.corrcoef(np.sqrt(power[5 + lag : len(power) - 5 + lag]), spoken.opening[5:-5])[0, 1]
        for lag in range(-5, 6)
    ]
    assert np.argmax(likeness) - 5 in (1, 2, 3) and max(likeness) > 0.5
    assert spoken.opening.min() < 0.05 and 0.6 < spoken.opening.max() <= 1


def test_the_music_is_made_of_its_chords():
    """Nearly all power below 4 kHz lies at half tones of the key that the seed draws."""
    samples = music.play(8, 4)
    assert samples.dtype == np.int16 and len(samples) == 8 * RATE
    assert np.array_equal(samples, music.play(8, 4))
    random = np.random.default_rng(4)
    random.uniform(96, 126)
    key = 110 * 2 ** (random.integers(0, 12) / 12)
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    low = (hertz > 150) & (hertz < 600)
    steps = 12 * np.log2(hertz[low] / key)
    near = np.abs(steps - np.round(steps)) < 0.2
    assert power[low][near].sum() > 0.8 * power[low].sum()
