"""Music without a voice: plucked chords, a bass and a drum, drawn from a seed."""

import numpy as np
import numpy.typing as npt

from talkingface_wild.pipelines.demo.vocal_tract import RATE, Signal

CHORDS: tuple[tuple[int, ...], ...] = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))
"""Steps of a half tone above the key: tonic, its parallel, subdominant, dominant."""
PARTIALS = 10


def play(seconds: float, seed: int) -> npt.NDArray[np.int16]:
    """(seconds × 16000,) mono: four chords in turn, at 96–126 beats a minute."""
    random = np.random.default_rng(seed)
    beat = 60 / random.uniform(96, 126)
    key = 110 * 2 ** (random.integers(0, 12) / 12)
    sound = np.zeros(round(seconds * RATE))
    for number in range(int(np.ceil(seconds / beat))):
        chord = CHORDS[number // 2 % len(CHORDS)]
        start = number * beat
        _add(sound, start, _string(key * 2 ** (chord[0] / 12) / 2, 2 * beat), 0.7)
        for place, step in enumerate((*chord, chord[1] + 12)):
            hertz = key * 2 ** (step / 12) * 2
            _add(sound, start + place * beat / 4, _string(hertz, 3 * beat), 0.4)
        _add(sound, start, _drum(), 0.9 if number % 2 == 0 else 0.4)
        for half in (0, 0.5):
            _add(sound, start + half * beat, _cymbal(random), 0.15)
    samples: npt.NDArray[np.int16] = np.round(sound / np.abs(sound).max() * 0.6 * 32767).astype(
        np.int16
    )
    return samples


def _add(sound: Signal, start: float, note: Signal, gain: float) -> None:
    """Add a note to ``sound`` from ``start`` seconds; what reaches beyond the end is cut."""
    first = round(start * RATE)
    piece = note[: max(0, len(sound) - first)]
    sound[first : first + len(piece)] += gain * piece


def _string(hertz: float, seconds: float) -> Signal:
    """A plucked string: harmonics that fade, the higher ones faster."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = np.zeros(len(time))
    for partial in range(1, PARTIALS + 1):
        if partial * hertz < 0.45 * RATE:
            fading = np.exp(-time * (2.0 + 1.5 * partial))
            tone += np.sin(2 * np.pi * partial * hertz * time) * fading / partial
    return tone * np.minimum(time / 0.003, 1)


def _drum() -> Signal:
    """A struck skin whose tone falls from 120 to 50 Hz."""
    time = np.arange(round(0.25 * RATE)) / RATE
    hertz = 50 + 70 * np.exp(-time / 0.03)
    return np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * np.exp(-time / 0.07)


def _cymbal(random: np.random.Generator) -> Signal:
    """A short hiss of the upper half of the spectrum."""
    time = np.arange(round(0.06 * RATE)) / RATE
    return np.diff(random.normal(0, 1, len(time)), prepend=0.0) * np.exp(-time / 0.015)
