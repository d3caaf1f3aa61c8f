"""Mel-frequency cepstra of 16 kHz sound, as SyncNet hears it; arrays alone, it reads no files."""

import numpy as np
import numpy.typing as npt
from python_speech_features import mfcc as speech_mfcc

SAMPLE_RATE = 16_000
"""Samples a second that the cepstra are defined for."""
CEPSTRA = 13
"""Coefficients a frame; the first is the logarithm of the frame's energy."""
FRAMES_PER_SECOND = 100
"""Cepstral frames a second: windows of 25 ms, one every 10 ms."""


def mfcc(samples_int16: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """The cepstra of mono sound at 16 kHz: (samples,) int16 → (frames, 13) float64.

    The samples keep their integer scale: dividing them by 32768 would change the energies. One
    frame for up to 400 samples, then one more for every 160 begun. The rule is that of
    python_speech_features 0.6 with its defaults, which SyncNet was trained on.

    Raises ValueError when the samples are no int16 vector, or when there are none.
    """
    samples = np.asarray(samples_int16)
    if samples.ndim != 1 or samples.dtype != np.int16 or not len(samples):
        raise ValueError(
            "Expected mono sound as a vector of int16 samples at 16 kHz, found an array of shape "
            f"{samples.shape} and type {samples.dtype}; convert it before the cepstra are taken."
        )
    return np.asarray(speech_mfcc(samples, SAMPLE_RATE), dtype=np.float64)
