"""From the course of a voice to its sound: glottal pulses and hiss through moving resonances.

A source-filter synthesis in the manner of Klatt (1980): pulses after KLGLOTT88, five resonances in
a row, the hiss of consonants beside them. All courses have one value per hop of 5 ms.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.float64]

RATE = 16000
"""Samples a second."""
HOP = 80
"""Samples between two values of a course, 5 ms."""
WINDOW = 4 * HOP
"""Samples that one setting of the filter is heard in, 20 ms."""
_BINS = 1024
"""Samples of the transform; the resonances ring out in what the window leaves."""
_OVERSAMPLING = 4
"""Pulses are drawn at so many times the rate, so that their edges do not alias."""
HIGHER_FORMANTS = (3400.0, 4500.0)
"""Fourth and fifth formant of a throat of length 1, in Hz."""
BANDWIDTHS = (70.0, 95.0, 140.0, 240.0, 350.0)


@dataclass(frozen=True)
class Course:
    """What the voice does, per hop."""

    pitch: Signal
    """Hz."""
    voicing: Signal
    formants: Signal
    """(hops, 3), Hz, of a throat of length 1."""
    breath: Signal
    """Loudness of the breath that goes through the resonances."""
    noise: Signal
    noise_hertz: Signal
    noise_width: Signal


def sound_of(
    course: Course, throat: float, open_share: float, random: np.random.Generator
) -> Signal:
    """The sound of a course, (hops × 80,), not yet scaled.

    ``throat`` multiplies all formants: 1 for a man, 1.17 for a woman. ``open_share`` is the share
    of a period in which the vocal folds are open: more sounds softer.
    """
    count = len(course.pitch) * HOP
    pulses, phase = _pulses(course.pitch, open_share, random)
    # Breath is loudest while the folds are open.
    air = random.normal(0, 1, count) * (0.4 + 0.6 * (phase < open_share))
    voiced = pulses * _spread(course.voicing) + air * (
        _spread(course.breath) * 0.10 + 0.012 * _spread(course.voicing)
    )
    hiss = random.normal(0, 1, count) * _spread(course.noise) * 0.25
    return _filtered(voiced, _resonances(course.formants, throat)) + _filtered(
        hiss, _hiss_gains(course)
    )


def _pulses(pitch: Signal, open_share: float, random: np.random.Generator) -> tuple[Signal, Signal]:
    """The flow's derivative through the vocal folds, and where in its period each sample lies."""
    # Jitter and shimmer: each period's length and strength are off by a per cent and some.
    hertz = np.interp(
        np.arange(len(pitch) * HOP * _OVERSAMPLING) / (HOP * _OVERSAMPLING),
        np.arange(len(pitch)),
        pitch,
    )
    cycles = np.cumsum(hertz) / (RATE * _OVERSAMPLING)
    number = cycles.astype(int)
    periods = number[-1] + 2
    jitter = 1 + np.clip(random.normal(0, 0.012, periods), -0.03, 0.03)
    strength = 1 + np.clip(random.normal(0, 0.04, periods), -0.12, 0.12)
    phase = (cycles - number) * jitter[number]
    inside = np.clip(phase / open_share, 0, 1)
    # KLGLOTT88: flow a t² − b t³ while open; its derivative falls to −1 where the folds meet.
    derivative = np.where(phase < open_share, 2 * inside - 3 * inside**2, 0.0) * strength[number]
    kernel = np.hanning(2 * _OVERSAMPLING + 1)
    smooth = np.convolve(derivative, kernel / kernel.sum(), mode="same")
    return smooth[::_OVERSAMPLING], phase[::_OVERSAMPLING]


def _resonances(formants: Signal, throat: float) -> npt.NDArray[np.complex128]:
    """(hops, bins): five digital resonators in a row, each of gain 1 at 0 Hz, and the lips."""
    angle = 2j * np.pi * np.fft.rfftfreq(_BINS)
    step = np.exp(-angle)
    gains = np.ones((len(formants), len(step)), dtype=np.complex128)
    higher = np.broadcast_to(np.array(HIGHER_FORMANTS), (len(formants), 2))
    for centre, width in zip(np.hstack([formants, higher]).T * throat, BANDWIDTHS, strict=True):
        radius = np.exp(-np.pi * width / RATE)
        turn = np.minimum(centre, 0.47 * RATE) * 2 * np.pi / RATE
        first = (2 * radius * np.cos(turn))[:, None]
        gains *= (1 - first + radius**2) / (1 - first * step + radius**2 * step**2)
    return gains


def _hiss_gains(course: Course) -> npt.NDArray[np.complex128]:
    """(hops, bins): a bell around the hiss's middle."""
    hertz = np.fft.rfftfreq(_BINS, 1 / RATE)[None, :]
    centre, width = course.noise_hertz[:, None], course.noise_width[:, None]
    return np.exp(-(((hertz - centre) / width) ** 2)).astype(np.complex128)


def _filtered(signal: Signal, gains: npt.NDArray[np.complex128]) -> Signal:
    """``signal`` through gains that change every hop: windowed pieces, overlapped and added."""
    window = np.sin(np.pi * (np.arange(WINDOW) + 0.5) / WINDOW) ** 2 / 2
    padded = np.pad(signal, (WINDOW // 2, WINDOW))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: len(gains)]
    shaped = np.fft.irfft(np.fft.rfft(pieces * window, _BINS) * gains, _BINS)
    out = np.zeros(len(signal) + WINDOW + _BINS)
    for start in range(0, _BINS, HOP):
        part = shaped[:, start : start + HOP]
        whole = np.zeros((len(gains), HOP))
        whole[:, : part.shape[1]] = part
        out[start : start + whole.size] += whole.ravel()
    return out[WINDOW // 2 : WINDOW // 2 + len(signal)]


def _spread(per_hop: Signal) -> Signal:
    """Values per hop as values per sample."""
    return np.interp(np.arange(len(per_hop) * HOP) / HOP, np.arange(len(per_hop)), per_hop)
