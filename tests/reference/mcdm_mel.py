"""Log-mel energies by the book: Fourier sums, Slaney's scale, triangles of unit area."""

import numpy as np


def to_mel(hertz):
    """Slaney's Auditory Toolbox: linear below 1 kHz, then logarithmic."""
    if hertz < 1000:
        return 3 * hertz / 200
    return 15 + 27 * np.log(hertz / 1000) / np.log(6.4)


def to_hertz(mel):
    """The way back."""
    return 200 * mel / 3 if mel < 15 else 1000 * np.exp(np.log(6.4) * (mel - 15) / 27)


def log_mel(samples, middle, window, rate, bins, lowest, highest, floor):
    """log10 of the energies of ``window`` samples around ``middle``; silence outside the sound."""
    taken = [
        samples[i] / 32768 if 0 <= i < len(samples) else 0.0
        for i in range(middle - window // 2, middle + window // 2)
    ]
    taper = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    turns = np.exp(-2j * np.pi * np.outer(np.arange(window // 2 + 1), np.arange(window)) / window)
    power = np.abs(turns @ (np.asarray(taken) * taper)) ** 2
    edges = [to_hertz(m) for m in np.linspace(to_mel(lowest), to_mel(highest), bins + 2)]
    found = []
    for low, middle_hertz, high in zip(edges, edges[1:], edges[2:], strict=False):
        energy = 0.0
        for k, value in enumerate(power):
            hertz = k * rate / window
            rising, falling = (
                (hertz - low) / (middle_hertz - low),
                (high - hertz) / (high - middle_hertz),
            )
            energy += value * max(0.0, min(rising, falling)) * 2 / (high - low)
        found.append(np.log10(max(energy, floor)))
    return np.asarray(found)
