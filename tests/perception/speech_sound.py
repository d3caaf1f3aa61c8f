"""Real sound of the shared clips as the networks of speech take it, and made sound."""

from pathlib import Path

import numpy as np

from talkingface_wild.functional.waveform import RATE, Waveform, waveform
from tests.functional.clips import sound

RECORDINGS = ("de", "en", "en_2", "fr", "ja", "ru", "zh")
"""The speech recordings; each is of another person."""


def clip(shared: Path, name: str) -> Waveform:
    """A recording by its name, or a clip's sound by the clip's."""
    media = shared / "media"
    speech = media / "speech" / f"{name}.flac"
    return waveform(sound(speech if speech.exists() else media / "clips" / f"{name}.mp4"))


def chord(seconds: float) -> Waveform:
    """C, E and G."""
    time = np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * hertz * time) for hertz in (261.6, 329.6, 392.0))
    return (np.asarray(tones) / 4).astype(np.float32)


def silence(seconds: float) -> Waveform:
    return np.zeros(round(seconds * RATE), dtype=np.float32)


def noisy(speech: Waveform, decibels: float) -> Waveform:
    """Speech with white noise so many decibels below it."""
    noise = np.random.default_rng(0).standard_normal(len(speech))
    noise *= np.sqrt(np.mean(speech**2) / np.mean(noise**2)) * 10 ** (-decibels / 20)
    return np.clip(speech + noise, -1, 1).astype(np.float32)
