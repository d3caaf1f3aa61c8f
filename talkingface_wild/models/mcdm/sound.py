"""Sound as a model takes it, and how many frames it fills."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.mcdm.audio import RATE

Samples = npt.NDArray[np.int16]


def frame_count(samples: int, fps: int) -> int:
    """Frames that a sound at 16 kHz fills, the last one perhaps in part."""
    return -(-samples * fps // RATE)


def mono_sound(sound: Any) -> Samples:
    """int16 samples of int16, or of float in [-1, 1]. Raises InputUnreadable for others."""
    samples = sound.numpy() if isinstance(sound, Tensor) else np.asanyarray(sound)
    if samples.ndim != 1 or not len(samples):
        raise InputUnreadable(
            f"Expected one row of samples at 16 kHz, found an array of shape {samples.shape}."
        )
    if samples.dtype == np.int16:
        return samples
    if not np.issubdtype(samples.dtype, np.floating) or not np.isfinite(samples).all():
        raise InputUnreadable(
            f"Expected samples as int16 or as finite float, found {samples.dtype}."
        )
    return np.round(np.clip(samples, -1, 1) * 32767).astype(np.int16)
