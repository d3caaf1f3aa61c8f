"""A synthesised voice: syllables of vowels and consonants, in phrases with pauses and breaths.

It says nothing, in no language; rhythm, pitch and throat tell one voice from another.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talkingface_wild.pipelines.demo.speech_sounds import (
    FRICATIVES,
    PLOSIVES,
    SONORANTS,
    VOWELS,
    SpeechSound,
)
from talkingface_wild.pipelines.demo.vocal_tract import HOP, RATE, Course, Signal, sound_of

FRAMES_PER_SECOND = 25
"""Pictures a second, for the mouth."""
HOPS_PER_SECOND = RATE // HOP
LEAD_SECONDS = 0.08
"""How far lips are ahead of the sound; those of real speakers are by 0.1–0.3 s (Chandrasekaran et
al., "The natural statistics of audiovisual speech", 2009)."""


@dataclass(frozen=True)
class Manner:
    """How a voice speaks."""

    pitch_hertz: float = 190.0
    syllables_per_second: float = 3.4
    pause_seconds: float = 0.35
    melody: float = 0.18
    """How far the pitch moves inside a phrase, as a share of it."""
    throat: float = 1.15
    """What all formants are multiplied by: 1 for a man, 1.17 for a woman."""
    closed_syllables: float = 0.3
    """Share of the syllables that end in a consonant."""
    open_share: float = 0.6
    """Share of a period in which the vocal folds are open; more sounds softer."""


@dataclass(frozen=True)
class Voice:
    """Sound and the mouth that goes with it."""

    samples: npt.NDArray[np.int16]
    """(seconds × 16000,), mono."""
    opening: Signal
    """How far the mouth is open in each picture, 0–1, 25 a second."""


@dataclass(frozen=True)
class _Part:
    """One sound at its place in the speech."""

    sound: SpeechSound
    start: int
    hops: int
    phrase: int
    stress: float


def speak(seconds: float, manner: Manner, seed: int) -> Voice:
    """``seconds`` of the voice; the same manner and seed give the same samples."""
    random = np.random.default_rng(seed)
    hops = int(np.ceil(seconds * HOPS_PER_SECOND))
    parts = _parts(hops, manner, random)
    course, opening = _course(parts, hops, manner, random)
    sound = sound_of(course, manner.throat, manner.open_share, random)
    sound = sound / np.abs(sound).max() * 0.6 + random.normal(0, 3e-4, len(sound))
    return Voice(
        np.round(sound[: round(seconds * RATE)] * 32767).astype(np.int16),
        _mouth(opening, round(seconds * FRAMES_PER_SECOND)),
    )


def _parts(hops: int, manner: Manner, random: np.random.Generator) -> list[_Part]:
    """Phrases of 5–10 syllables, told apart by pauses, until ``hops`` are full."""
    parts: list[_Part] = []
    position, phrase = int(0.12 * HOPS_PER_SECOND), 0
    while position < hops:
        count = int(random.integers(5, 11))
        for syllable in range(count):
            stress = random.uniform(0.75, 1.0) * (1.15 if syllable % 2 else 0.9)
            sounds = _syllable(manner, random)
            plain = sum(sound.seconds for sound in sounds)
            pace = (1 / manner.syllables_per_second) / plain * random.uniform(0.8, 1.2)
            pace = 0.5 * pace + 0.5 * (4.5 / manner.syllables_per_second)
            pace *= 1.35 if syllable == count - 1 else 1.0
            for sound in sounds:
                length = max(3, round(sound.seconds * pace * HOPS_PER_SECOND))
                parts.append(_Part(sound, position, length, phrase, stress))
                position += length
        position += int(manner.pause_seconds * random.uniform(0.7, 1.5) * HOPS_PER_SECOND)
        phrase += 1
    return [part for part in parts if part.start + part.hops < hops - 2]


def _syllable(manner: Manner, random: np.random.Generator) -> list[SpeechSound]:
    """A consonant, a vowel, and at times a second vowel or a closing consonant."""
    groups = (PLOSIVES, FRICATIVES, SONORANTS)
    onset = groups[int(random.choice(3, p=(0.4, 0.25, 0.35)))]
    sounds = [onset[int(random.integers(len(onset)))]]
    if random.random() < 0.12:
        sounds.append(SONORANTS[int(random.integers(2, len(SONORANTS)))])
    sounds.append(VOWELS[int(random.integers(len(VOWELS)))])
    if random.random() < 0.2:
        sounds.append(VOWELS[int(random.integers(3, 8))])
    if random.random() < manner.closed_syllables:
        coda = groups[int(random.choice(3, p=(0.2, 0.3, 0.5)))]
        sounds.append(coda[int(random.integers(min(3, len(coda))))])
    return sounds


def _course(
    parts: list[_Part], hops: int, manner: Manner, random: np.random.Generator
) -> tuple[Course, Signal]:
    """What the throat does in each hop, and how far the mouth is open."""
    voicing, breath, noise, opening = (np.zeros(hops) for _ in range(4))
    noise_hertz, noise_width = np.full(hops, 4000.0), np.full(hops, 1500.0)
    formants = np.full((hops, 3), np.nan)
    phrase = np.full(hops, -1)
    for part in parts:
        sound, stop = part.sound, part.start + part.hops
        span = slice(part.start, stop)
        # Formants are reached at two thirds of a sound; between those points they glide.
        middle = slice(part.start + part.hops // 4, part.start + max(part.hops * 2 // 3, 1))
        formants[middle] = sound.formants
        voicing[span] = sound.voicing * part.stress
        opening[span] = sound.opening * min(part.stress, 1.0)
        noise[span] = sound.noise * part.stress
        noise_hertz[span], noise_width[span] = sound.noise_hertz, sound.noise_width
        if sound.burst:
            noise[stop - 3 : stop] = sound.burst * part.stress
            if not sound.voicing:
                breath[stop - 3 : stop + 4] = 0.7
                voicing[stop - 3 : stop] = 0.0
        if sound.breath:
            breath[span] = 0.8
        phrase[span] = part.phrase
    inhaled = _inhalations(phrase, random)
    smooth = _smoothed(voicing, 9)
    course = Course(
        _pitch(phrase, manner, random),
        smooth,
        np.stack([_smoothed(_glided(row), 9) for row in formants.T], axis=1),
        _smoothed(breath, 7) + inhaled,
        _smoothed(noise, 5),
        noise_hertz,
        noise_width,
    )
    return course, opening


def _glided(values: Signal) -> Signal:
    """Values with the gaps (NaN) filled in straight lines."""
    there = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), there, values[there])


def _inhalations(phrase: npt.NDArray[np.int64], random: np.random.Generator) -> Signal:
    """A soft breath in the second half of each pause that is long enough."""
    breath = np.zeros(len(phrase))
    starts = np.flatnonzero((phrase[1:] >= 0) & (phrase[:-1] < 0)) + 1
    for start in starts:
        length = int(random.uniform(0.15, 0.22) * HOPS_PER_SECOND)
        if start > length + 12:
            breath[start - length - 8 : start - 8] = 0.12 * np.hanning(length)
    return breath


def _pitch(phrase: npt.NDArray[np.int64], manner: Manner, random: np.random.Generator) -> Signal:
    """Hertz per hop: falls through each phrase, with accents and a little tremor."""
    pitch = np.full(len(phrase), float(manner.pitch_hertz))
    for number in range(int(phrase.max(initial=-1)) + 1):
        span = np.flatnonzero(phrase == number)
        if not len(span):
            continue
        inside = np.linspace(0, 1, len(span))
        accents = random.uniform(2.0, 4.0)
        accent = np.sin(2 * np.pi * (inside * accents + random.uniform())) * (1 - 0.4 * inside)
        pitch[span] *= 1 + manner.melody * (0.55 - 1.1 * inside + 0.6 * accent)
    tremor = _smoothed(random.normal(0, 0.03, len(pitch)), 15)
    return _smoothed(pitch, 15) * (1 + tremor)


def _smoothed(values: Signal, hops: int) -> Signal:
    """A running mean, weighted by a bell over so many hops; ends hold."""
    kernel = np.hanning(hops + 2)
    padded = np.pad(values, len(kernel) // 2, mode="edge")
    smooth: Signal = np.convolve(padded, kernel / kernel.sum(), mode="valid")[: len(values)]
    return smooth


def _mouth(opening: Signal, count: int) -> Signal:
    """Values per hop as ``count`` pictures' opening: no lip follows faster than 135 ms."""
    smooth = _smoothed(opening, 27)
    seconds = (np.arange(count) + 0.5) / FRAMES_PER_SECOND + LEAD_SECONDS
    return np.clip(np.interp(seconds, np.arange(len(smooth)) / HOPS_PER_SECOND, smooth), 0, 1)
