"""How likely each 32 ms of a sound are speech: Silero VAD 6, which tells speech from music.
Sound in, probabilities out; shares and spans are ``functional/speech_spans.py``.
Shape legend: W windows.
"""

from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.functional.waveform import RATE, Waveform, require_waveform
from talkingface_wild.perception.onnx_session import open_session

WEIGHT = "silero_vad"
"""The weight: ``silero_vad.onnx`` of the package silero-vad 6.2.3, MIT-licensed."""
VERSION = "6.2.3"
"""Of the package that the network comes from."""
WINDOW = 512
"""Samples of one window, 32 ms."""
_CONTEXT = 64
"""Samples before a window that the network sees as well."""
_STATE = (2, 1, 128)
"""Shape of what the network carries from window to window; zeros before the first."""


class SpeechDetector:
    """Silero VAD's opinion on each window of a recording."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._session: Any = None

    def open(self, device: str = "cpu", threads: int = 1) -> Self:
        """Load the network; WeightMissing when the file is absent, damaged or another network.

        Windows go one by one, so that neither CUDA nor a second thread makes it faster.
        """
        self._session = open_session(self.path, device, threads, ("input", "state", "sr"))
        return self

    def probabilities(self, samples_16k: Waveform) -> npt.NDArray[np.float32]:
        """(samples,) float32 in [-1, 1], mono at 16 kHz → (W,) float32, window i from 0.032 × i s.

        The last window is filled with zeros; W is 0 without a sample. Each call begins anew, so a
        recording has to be given as a whole. Raises ValueError for other types, NaN and infinity.
        """
        samples = require_waveform(samples_16k)
        if self._session is None:
            self.open()
        windows = -(-len(samples) // WINDOW)
        sound = np.zeros(_CONTEXT + windows * WINDOW, dtype=np.float32)
        sound[_CONTEXT : _CONTEXT + len(samples)] = samples
        state, rate = np.zeros(_STATE, dtype=np.float32), np.array(RATE, dtype=np.int64)
        probabilities = np.zeros(windows, dtype=np.float32)
        for index in range(windows):
            piece = sound[None, index * WINDOW : (index + 1) * WINDOW + _CONTEXT]
            inputs = {"input": piece, "state": state, "sr": rate}
            output, state = self._session.run(None, inputs)
            probabilities[index] = output[0, 0]
        return probabilities
