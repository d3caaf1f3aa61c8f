"""Known answers are those of silero-vad 6.2.3's own functions on the shared recordings."""

import numpy as np
import pytest

from talkingface_wild.functional.speech_spans import speech_ratio, speech_spans
from talkingface_wild.perception.silero_vad import SpeechDetector
from tests.perception import speech_sound

PROBABILITIES = {
    "de": [0.00973, 0.00571, 0.04781, 0.99997, 0.99922, 0.99898, 0.99999, 0.99998],
    "ja": [0.06448, 0.99999, 1.0, 0.99912, 0.99999, 0.91713, 0.9984, 1.0],
}
"""Of the windows 10, 25, … 115."""
SPANS = {
    "de": [(20512, 139232)],
    "ja": [(5152, 69088), (76320, 139744)],
    "hdtf_hill": [(1056, 19424), (21024, 76256), (83488, 128000)],
    "radio_2s": [(544, 24544)],
    "two_faces": [(4128, 10720), (29216, 50144), (54816, 78816), (101408, 117216)],
}
"""First and last sample."""


@pytest.fixture(scope="module")
def detector(open_weight):
    return SpeechDetector(open_weight("silero_vad")).open()


@pytest.mark.parametrize("name", PROBABILITIES)
def test_probabilities_are_the_packages(detector, shared, name):
    samples = speech_sound.clip(shared, name)
    probabilities = detector.probabilities(samples)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (-(-len(samples) // 512),)
    np.testing.assert_allclose(probabilities[10:130:15], PROBABILITIES[name], atol=2e-4)


@pytest.mark.parametrize("name", SPANS)
def test_spans_are_the_packages(detector, shared, name):
    samples = speech_sound.clip(shared, name)
    spans = speech_spans(detector.probabilities(samples), len(samples) / 16_000)
    assert [(round(a * 16_000), round(b * 16_000)) for a, b in spans] == SPANS[name]


@pytest.mark.parametrize("name", speech_sound.RECORDINGS)
def test_speech_is_speech(detector, shared, name):
    assert speech_ratio(detector.probabilities(speech_sound.clip(shared, name))) >= 0.7


@pytest.mark.parametrize("name", ["selfie_12", "three_faces"])
def test_music_is_none(detector, shared, name):
    assert speech_ratio(detector.probabilities(speech_sound.clip(shared, name))) <= 0.2


def test_a_chord_is_no_speech(detector):
    assert speech_ratio(detector.probabilities(speech_sound.chord(5))) <= 0.2


def test_silence_is_no_speech(detector):
    probabilities = detector.probabilities(speech_sound.silence(3))
    assert speech_ratio(probabilities) == 0
    assert speech_spans(probabilities) == []


def test_each_recording_begins_anew(detector, shared):
    samples = speech_sound.clip(shared, "ja")
    first = detector.probabilities(samples)
    np.testing.assert_array_equal(detector.probabilities(samples), first)


@pytest.mark.parametrize(("samples", "windows"), [(0, 0), (1, 1), (512, 1), (513, 2)])
def test_short_sound_has_the_windows_it_begins(detector, samples, windows):
    probabilities = detector.probabilities(np.zeros(samples, dtype=np.float32))
    assert probabilities.shape == (windows,)


def test_broken_sound_is_refused(detector):
    with pytest.raises(ValueError, match="1 of 512 NaN"):
        detector.probabilities(np.array([np.nan] + [0] * 511, dtype=np.float32))
    with pytest.raises(ValueError, match="type int16"):
        detector.probabilities(np.zeros(512, dtype=np.int16))
