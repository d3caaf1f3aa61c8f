import subprocess
import sys
from importlib import metadata

import numpy as np
import pytest

from talkingface_wild.functional.speech_share import runs, speech_measures
from tests.functional.clips import sound

RATE = 16000
SECONDS = np.arange(10 * RATE) / RATE


def syllables(seconds: float, seed: int) -> np.ndarray:
    """A buzz of 130 Hz through two resonances, 4.5 swells a second: starts and ends loud."""
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * RATE)) / RATE
    source = sum(np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 28))
    shape = sum(
        np.sin(2 * np.pi * hertz * time + random.uniform(0, 6)) for hertz in (650, 1150, 2500)
    )
    swell = 0.55 + 0.45 * np.cos(2 * np.pi * 4.5 * time)
    return (2500 * swell * source * (1 + 0.5 * shape)).astype(np.int16)


@pytest.mark.parametrize("name", ["de", "en", "en_2", "fr", "ja", "ru", "zh"])
def test_real_speech_is_mostly_speech(shared, name):
    samples = sound(shared / "media" / "speech" / f"{name}.flac")
    measures = speech_measures(samples)
    assert measures.speech_ratio >= 0.75
    assert measures.longest_pause_seconds <= 1.5
    assert len(measures.flags) == len(samples) // 480


@pytest.mark.parametrize("name", ["de", "en_2", "fr", "ja", "ru"])
def test_energy_agrees_with_the_detector_on_clean_speech(shared, name):
    samples = sound(shared / "media" / "speech" / f"{name}.flac")
    by_detector, by_energy = speech_measures(samples), speech_measures(samples, method="energy")
    assert by_energy.speech_ratio == pytest.approx(by_detector.speech_ratio, abs=0.12)


@pytest.mark.parametrize("method", ["vad", "energy"])
@pytest.mark.parametrize(
    "samples",
    [
        np.zeros(10 * RATE),
        np.random.default_rng(0).normal(0, 100, 10 * RATE),
        np.random.default_rng(1).normal(0, 3000, 10 * RATE),
        8000 * np.sin(2 * np.pi * 440 * SECONDS),
        3000 * np.sin(2 * np.pi * 50 * SECONDS),
    ],
    ids=["silence", "faint noise", "loud noise", "tone", "hum"],
)
def test_silence_noise_and_tones_are_not_speech(samples, method):
    measures = speech_measures(samples.astype(np.int16), method=method)
    assert measures.speech_ratio <= 0.05
    assert measures.longest_pause_seconds >= 9.0


@pytest.mark.parametrize("method", ["vad", "energy"])
@pytest.mark.parametrize("noise", [0, 20])
@pytest.mark.parametrize("pauses", [(0.4, 0.8, 1.6), (2.4, 0.5, 0.5)])
def test_pauses_have_their_lengths(pauses, noise, method):
    parts = [syllables(2.0, 0)]
    for number, pause in enumerate(pauses):
        parts += [np.zeros(int(pause * RATE), np.int16), syllables(2.0, number + 1)]
    samples = np.concatenate(parts)
    samples = samples + np.random.default_rng(5).normal(0, noise, len(samples))
    measures = speech_measures(samples.astype(np.int16), method=method)
    found = [0.03 * (stop - start) for start, stop in runs(~measures.flags)]
    inner = [length for length in found if length > 0.1]
    assert inner == pytest.approx(pauses, abs=0.06)
    assert measures.longest_pause_seconds == pytest.approx(max(pauses), abs=0.06)


def test_a_gap_between_syllables_is_no_pause():
    gap = np.zeros(int(0.12 * RATE), np.int16)
    samples = np.concatenate([syllables(2.0, 0), gap, syllables(2.0, 1)])
    assert speech_measures(samples).longest_pause_seconds == pytest.approx(0, abs=0.06)


def test_silence_at_the_ends_is_a_pause():
    samples = np.concatenate([np.zeros(RATE, np.int16), syllables(2.0, 0)])
    assert speech_measures(samples).longest_pause_seconds == pytest.approx(1.0, abs=0.06)


def test_the_method_names_library_and_version():
    version = metadata.version("webrtcvad-wheels")
    assert speech_measures(np.zeros(RATE, np.int16)).method == f"webrtcvad-{version}/2"
    assert speech_measures(np.zeros(RATE, np.int16), method="energy").method == "energy-1"


@pytest.mark.parametrize("method", ["vad", "energy"])
@pytest.mark.parametrize("count", [0, 100])
def test_less_than_a_frame_is_one_pause(count, method):
    measures = speech_measures(np.ones(count, np.int16), method=method)
    assert measures.speech_ratio == 0
    assert measures.longest_pause_seconds == count / RATE


def test_other_rates_and_types_are_refused():
    with pytest.raises(ValueError, match="44100 Hz; resample"):
        speech_measures(np.zeros(44100, np.int16), rate=44100)
    with pytest.raises(ValueError, match="float64"):
        speech_measures(np.zeros(RATE))
    with pytest.raises(ValueError, match=r"\(100, 2\)"):
        speech_measures(np.zeros((100, 2), np.int16))


def test_the_detector_imports_where_pkg_resources_is_gone():
    code = "import sys; sys.modules['pkg_resources'] = None; import webrtcvad; webrtcvad.Vad(2)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
