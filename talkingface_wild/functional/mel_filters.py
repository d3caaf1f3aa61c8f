"""Triangular filters in Slaney's mels for spectra of 16 kHz sound; arrays alone.
Shape legend: M mel bands.
"""

from functools import cache

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.waveform import RATE

FFT = 400
"""Samples of one spectrum, 25 ms."""


@cache
def mel_filters(bands: int) -> npt.NDArray[np.float32]:
    """Triangles (M, 201) from 0 to 8000 Hz, spaced evenly in Slaney's mels, of unit area each.

    Slaney's scale (Auditory Toolbox, 1998): 15 mels per 1000 Hz up to 1000 Hz, then 27 mels per
    factor of 6.4.
    """
    knee, per_hertz, per_log = 1000.0, 15 / 1000, 27 / np.log(6.4)
    top = knee * per_hertz + np.log(RATE / 2 / knee) * per_log
    mels = np.linspace(0.0, top, bands + 2)
    above = knee * np.exp((mels - knee * per_hertz) / per_log)
    corners = np.where(mels < knee * per_hertz, mels / per_hertz, above)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    hertz = np.linspace(0.0, RATE / 2, FFT // 2 + 1)[None]
    triangles = np.minimum((hertz - low) / (middle - low), (high - hertz) / (high - middle))
    filters: npt.NDArray[np.float32] = np.maximum(triangles, 0) * 2 / (high - low)
    return filters.astype(np.float32)
