"""A synthesised voice: glottal pulses and breath through moving formants, with phrases and pauses.

It says nothing, in no language; a rhythm and a pitch of its own tell one voice from another.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RATE = 16000
"""Samples a second."""
HOP = 128
"""Samples between two frames of the filter (8 ms); a frame is four hops long."""
FRAMES_PER_SECOND = 25
"""Pictures a second, for the mouth."""

Signal = npt.NDArray[np.float64]

VOWELS: tuple[tuple[float, float, float, float], ...] = (
    # First to third formant in Hz (Peterson and Barney 1952, rounded), and how open the mouth is.
    (850, 1220, 2810, 1.0),
    (660, 1720, 2410, 0.85),
    (530, 1840, 2480, 0.6),
    (390, 1990, 2550, 0.45),
    (310, 2790, 3310, 0.25),
    (590, 920, 2710, 0.7),
    (470, 1160, 2680, 0.5),
    (370, 950, 2670, 0.3),
)
BANDWIDTHS = (80.0, 110.0, 160.0)


@dataclass(frozen=True)
class Manner:
    """How a voice speaks."""

    pitch_hertz: float = 190.0
    syllables_per_second: float = 4.5
    pause_seconds: float = 0.35
    melody: float = 0.18
    """How far the pitch moves inside a phrase, as a share of it."""


@dataclass(frozen=True)
class Voice:
    """Sound and the mouth that goes with it."""

    samples: npt.NDArray[np.int16]
    """(seconds × 16000,), mono."""
    opening: Signal
    """How far the mouth is open in each picture, 0–1, 25 a second."""


def speak(seconds: float, manner: Manner, seed: int) -> Voice:
    """``seconds`` of the voice; the same manner and seed give the same samples."""
    random = np.random.default_rng(seed)
    hops = int(np.ceil(seconds * RATE / HOP))
    loudness, hiss, track, openness, phrase = _syllables(hops, manner, random)
    pitch = _pitch(phrase, manner, random)
    samples = np.arange(hops * HOP) / HOP
    hertz = np.interp(samples, np.arange(hops), pitch)
    cycles = np.cumsum(hertz) / RATE
    phase = cycles % 1.0
    pulse = np.where(phase < 0.6, np.sin(np.pi * phase / 0.6) ** 2 * (phase / 0.6), 0.0)
    voiced = np.diff(pulse, prepend=0.0)
    breath = random.normal(0, 0.006, len(voiced))
    noise = random.normal(0, 0.05, len(voiced))
    sound = _filtered(voiced + breath, _formant_gains(track)) * _spread(
        loudness * (0.4 + 0.6 * openness)
    )
    sound += _filtered(noise, _fricative_gains(hops)) * _spread(hiss)
    sound = sound / np.abs(sound).max() * 0.6 + random.normal(0, 2e-4, len(sound))
    count = round(seconds * FRAMES_PER_SECOND)
    return Voice(
        np.round(sound[: round(seconds * RATE)] * 32767).astype(np.int16),
        _mouth(loudness * openness, count),
    )


def _syllables(
    hops: int, manner: Manner, random: np.random.Generator
) -> tuple[Signal, Signal, Signal, Signal, npt.NDArray[np.int64]]:
    """Per hop: loudness of vowels and of hiss, formants (hops, 3), openness, the phrase's number.

    Phrases of 5–10 syllables are told apart by pauses; between pauses the sound seldom stops.
    """
    loudness, hiss, openness = np.zeros(hops), np.zeros(hops), np.zeros(hops)
    track = np.tile(np.array(VOWELS[2][:3]), (hops, 1))
    phrase = np.full(hops, -1)
    position, number = int(0.12 * RATE / HOP), 0
    while position < hops:
        for _ in range(int(random.integers(5, 11))):
            length = int(RATE / HOP / manner.syllables_per_second * random.uniform(0.75, 1.35))
            vowel, following = random.integers(0, len(VOWELS), 2)
            span = slice(position, min(position + length, hops))
            inside = np.linspace(0, 1, length, endpoint=False)[: span.stop - span.start]
            stress = random.uniform(0.65, 1.0)
            loudness[span] = stress * (0.12 + 0.88 * np.sin(np.pi * inside) ** 0.7)
            if random.random() < 0.35:
                hiss[span] = np.exp(-(((inside - 0.03) / 0.1) ** 2)) * random.uniform(0.3, 0.8)
            glide = 0.35 * np.clip(inside - 0.5, 0, 1)[:, None]
            first, second = np.array(VOWELS[vowel]), np.array(VOWELS[following])
            mixed = first * (1 - glide) + second * glide
            track[span], openness[span] = mixed[:, :3], mixed[:, 3]
            phrase[span] = number
            position += length
            if position >= hops:
                break
        position += int(manner.pause_seconds * random.uniform(0.7, 1.5) * RATE / HOP)
        number += 1
    kernel = np.hanning(9) / np.hanning(9).sum()
    for formant in range(3):
        padded = np.pad(track[:, formant], 4, mode="edge")
        track[:, formant] = np.convolve(padded, kernel, mode="valid")
    return np.convolve(loudness, np.ones(3) / 3, mode="same"), hiss, track, openness, phrase


def _pitch(phrase: npt.NDArray[np.int64], manner: Manner, random: np.random.Generator) -> Signal:
    """Hertz per hop: falls through each phrase, with accents and a little jitter."""
    pitch = np.full(len(phrase), float(manner.pitch_hertz))
    for number in range(int(phrase.max(initial=-1)) + 1):
        span = np.flatnonzero(phrase == number)
        if not len(span):
            continue
        inside = np.linspace(0, 1, len(span))
        accent = np.sin(2 * np.pi * (inside * random.uniform(1.5, 3.5) + random.uniform()))
        pitch[span] *= 1 + manner.melody * (0.6 - inside + 0.5 * accent)
    return pitch * (1 + random.normal(0, 0.004, len(pitch)))


def _formant_gains(track: Signal) -> Signal:
    """(hops, bins): three resonances in parallel, all vowels about equally loud."""
    hertz = np.fft.rfftfreq(4 * HOP, 1 / RATE)[None, :]
    gains = np.zeros((len(track), hertz.shape[1]))
    for formant, (bandwidth, level) in enumerate(zip(BANDWIDTHS, (1.0, 0.6, 0.3), strict=True)):
        centre = track[:, formant, None]
        gains += level / np.sqrt(1 + ((hertz - centre) / bandwidth) ** 2)
    gains /= 1 + (hertz / 3800) ** 4
    heard = np.square(gains / (1 + (hertz / 150) ** 2)).sum(axis=1, keepdims=True)
    even: Signal = gains / np.sqrt(heard)
    return even


def _fricative_gains(hops: int) -> Signal:
    """(hops, bins): what lets a hiss around 5 kHz through."""
    hertz = np.fft.rfftfreq(4 * HOP, 1 / RATE)
    return np.broadcast_to(np.exp(-(((hertz - 5000) / 1400) ** 2)), (hops, len(hertz)))


def _filtered(signal: Signal, gains: Signal) -> Signal:
    """``signal`` through gains that change every hop: windowed frames, overlapped and added."""
    window = np.sin(np.pi * (np.arange(4 * HOP) + 0.5) / (4 * HOP)) ** 2 / 2
    padded = np.pad(signal, (2 * HOP, 2 * HOP))
    frames = np.lib.stride_tricks.sliding_window_view(padded, 4 * HOP)[::HOP][: len(gains)]
    shaped = np.fft.irfft(np.fft.rfft(frames * window) * gains, 4 * HOP)
    out = np.zeros(len(padded))
    for part in range(4):
        piece = shaped[:, part * HOP : (part + 1) * HOP].ravel()
        out[part * HOP : part * HOP + len(piece)] += piece
    return out[2 * HOP : 2 * HOP + len(signal)]


def _spread(per_hop: Signal) -> Signal:
    """Values per hop as values per sample."""
    return np.interp(np.arange(len(per_hop) * HOP) / HOP, np.arange(len(per_hop)), per_hop)


def _mouth(openness: Signal, count: int) -> Signal:
    """Values per hop as ``count`` pictures' opening, smoothed over 60 ms and scaled to 0–1."""
    kernel = np.hanning(9) / np.hanning(9).sum()
    smooth = np.convolve(openness, kernel, mode="same")
    seconds = (np.arange(count) + 0.5) / FRAMES_PER_SECOND
    opening = np.interp(seconds, np.arange(len(smooth)) * HOP / RATE, smooth)
    return np.clip(opening / 0.85, 0, 1)
