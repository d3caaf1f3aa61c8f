"""Sound as networks of speech take it: mono float32 at 16 kHz between -1 and 1. Arrays alone."""

from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Samples
from talkingface_wild.functional.speech_share import FAINTEST_DBFS

Waveform = npt.NDArray[np.float32]

RATE = 16_000
"""Samples a second."""


def waveform(samples_int16: Samples) -> Waveform:
    """(samples,) int16, as ``media.sound.read_sound`` gives them → float32 in [-1, 1)."""
    return np.asarray(samples_int16, dtype=np.float32) / np.float32(32768)


def require_waveform(samples_16k: npt.NDArray[Any]) -> Waveform:
    """The same samples, contiguous; none at all are fine.

    Raises ValueError unless they are a float32 vector of finite values between -1 and 1.
    """
    samples = np.asarray(samples_16k)
    if samples.ndim != 1 or samples.dtype != np.float32:
        raise ValueError(
            "Expected mono sound as a vector of float32 samples at 16 kHz, found an array of shape "
            f"{samples.shape} and type {samples.dtype}; convert it with functional.waveform."
        )
    if not np.isfinite(samples).all():
        broken = int((~np.isfinite(samples)).sum())
        raise ValueError(
            f"Expected finite samples, found {broken} of {len(samples)} NaN or infinite; decode "
            "the sound again."
        )
    peak = float(np.abs(samples).max(initial=0.0))
    if peak > 1:
        raise ValueError(
            f"Expected samples between -1 and 1, found a peak of {peak:g}; divide 16-bit samples "
            "by 32768."
        )
    return np.ascontiguousarray(samples)


def level_dbfs(samples_16k: Waveform) -> float:
    """Root mean square in decibels below full scale; minus infinity for zeros or nothing."""
    power = float(np.square(samples_16k, dtype=np.float64).mean()) if len(samples_16k) else 0.0
    return float(10 * np.log10(power)) if power > 0 else -np.inf


def is_silent(samples_16k: Waveform) -> bool:
    """Whether the whole is fainter than ``FAINTEST_DBFS``, so that nothing can be said of it."""
    return level_dbfs(samples_16k) < FAINTEST_DBFS
