"""Whisper base by faster-whisper: real speech, and the same numbers in transformers' network."""

import sys
from pathlib import Path

import numpy as np
import pytest

from talkingface_wild.core.errors import ExtraMissing, WeightMissing
from talkingface_wild.perception.faster_whisper_base import FasterWhisperLanguage
from talkingface_wild.perception.spoken_language import LANGUAGES
from tests.functional.clips import sound
from tests.perception.speech_sound import RECORDINGS
from tests.perception.test_spoken_language import _oracle
from tests.perception.whisper_mirror import COMMIT
from tests.reference import ctranslate2_whisper


@pytest.fixture(scope="module")
def model(whisper_cache) -> Path:
    """``model.bin`` beside its companions."""
    return (
        whisper_cache / "models--Systran--faster-whisper-base" / "snapshots" / COMMIT / "model.bin"
    )


@pytest.fixture(scope="module")
def package():
    return pytest.importorskip("faster_whisper", reason="the extra language is not installed")


@pytest.fixture(scope="module")
def perceiver(package, model):
    return FasterWhisperLanguage(model).open()


def _recording(shared, name):
    return sound(shared / "media" / "speech" / f"{name}.flac")


@pytest.mark.long
def test_every_recordings_language_is_told(perceiver, shared):
    for name in RECORDINGS:
        probabilities = perceiver.probabilities(_recording(shared, name))
        assert tuple(probabilities) == LANGUAGES[:99]
        assert sum(probabilities.values()) == pytest.approx(1)
        assert probabilities[name.partition("_")[0]] > 0.9, name


def test_probabilities_are_those_of_the_same_numbers_in_another_network(perceiver, model, shared):
    reference = ctranslate2_whisper.network(model)
    samples = _recording(shared, "en_2")
    expected = _oracle(reference, samples, 99)
    probabilities = list(perceiver.probabilities(samples).values())
    np.testing.assert_allclose(probabilities, expected, rtol=1e-3, atol=1e-9)


@pytest.mark.long
def test_a_long_recording_is_the_mean_of_its_windows_by_length(perceiver, shared):
    french, japanese = (_recording(shared, name) for name in ("fr", "ja"))
    first = np.resize(french, 30 * 16_000)
    second = japanese[: 6 * 16_000]
    apart = [list(perceiver.probabilities(part).values()) for part in (first, second)]
    whole = list(perceiver.probabilities(np.concatenate([first, second])).values())
    np.testing.assert_allclose(whole, np.average(apart, axis=0, weights=[30, 6]), atol=1e-9)
    with pytest.raises(ValueError, match="found none"):
        perceiver.probabilities(first[:0])


def test_what_lacks_a_companion_or_is_no_network_is_refused(package, model, tmp_path):
    """Without its tokenizer the package would ask the hub."""
    names = [file.name for file in model.parent.iterdir()]
    for name in names:
        (tmp_path / name).symlink_to(model.parent / name)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(WeightMissing, match=r"found no tokenizer\.json.*tfw weights fetch faster"):
        FasterWhisperLanguage(tmp_path / "model.bin").open()
    (tmp_path / "tokenizer.json").symlink_to(model.parent / "tokenizer.json")
    (tmp_path / "model.bin").unlink()
    (tmp_path / "model.bin").write_bytes(model.read_bytes()[:100_000])
    with pytest.raises(WeightMissing, match="does not load"):
        FasterWhisperLanguage(tmp_path / "model.bin").open()


def test_without_the_package_the_line_that_installs_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'talkingface-wild\[language\]'"):
        FasterWhisperLanguage(tmp_path / "model.bin").open()
