"""How far one recording lies behind another of the same sound, by cross-correlation."""

from typing import Any

import numpy as np
import numpy.typing as npt

MOST_SECONDS = 1.0
LEAST_CORRELATION = 0.3
"""A best correlation below this says that the two are not the same sound."""


def sound_offset_seconds(
    sound: npt.NDArray[Any],
    driving: npt.NDArray[Any],
    rate: int,
    most_seconds: float = MOST_SECONDS,
) -> float | None:
    """Seconds by which ``sound`` comes after ``driving`` (negative: before), to one sample.

    None when either is silent or they do not match within ``most_seconds`` either way.
    """
    count = min(len(sound), len(driving))
    mine, theirs = (np.asarray(s[:count], dtype=np.float64) for s in (sound, driving))
    mine, theirs = (
        mine - mine.mean() if count else mine,
        theirs - theirs.mean() if count else theirs,
    )
    power = float(np.linalg.norm(mine) * np.linalg.norm(theirs))
    if not power > 0:
        return None
    size = 1 << (2 * count - 1).bit_length()
    products = np.fft.irfft(np.fft.rfft(mine, size) * np.conj(np.fft.rfft(theirs, size)), size)
    most = min(count - 1, round(most_seconds * rate))
    lags = np.arange(-most, most + 1)
    values = products[lags]
    best = int(values.argmax())
    return None if values[best] / power < LEAST_CORRELATION else float(lags[best]) / rate
