"""Whose voice it is, every 0.77 s: Resemblyzer's encoder (generalised end-to-end loss, Wan 2018).
Sound in, embeddings out; where the voice changes is ``functional/voice_change.py``.
Shape legend: P partials of 1.6 s, T frames of 10 ms, M mel bands, D dimensions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from talkingface_wild.functional.mel_filters import FFT, mel_filters
from talkingface_wild.functional.waveform import (
    RATE,
    Waveform,
    is_silent,
    level_dbfs,
    require_waveform,
)
from talkingface_wild.perception.state_dict import load_state, load_strict

WEIGHT = "voice_embedding"
"""The weight: ``pretrained.pt`` of the package Resemblyzer 0.1.4, Apache-2.0."""
DIMENSIONS = 256
BANDS = 40
HOP = 160
"""Samples from one frame to the next, 10 ms."""
PARTIAL_FRAMES = 160
"""Frames of one partial, 1.6 s."""
STEP_FRAMES = 77
"""Frames from one partial to the next: 1.3 partials a second, in whole frames."""
LEAST_PART = 0.75
"""Share of a partial that has to be sound; zeros fill the rest of the last one."""
LEVEL_DBFS = -30.0
"""Fainter sound is raised to this level; louder sound stays as it is."""
_UNUSED = ("similarity_weight", "similarity_bias")
"""Of the training's loss, in the checkpoint too."""
_BATCH = 32


@dataclass(frozen=True)
class VoicePartials:
    """The voice in each partial; P is 0 for silence and for sound under 1.2 s."""

    embeddings: npt.NDArray[np.float32]
    """(P, 256), of unit length and nowhere negative."""
    starts_seconds: npt.NDArray[np.float64]
    """(P,) from the first sample; each partial is ``PARTIAL_FRAMES`` long."""


class VoiceEncoder(nn.Module):
    """The published network under the names of its checkpoint."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(BANDS, DIMENSIONS, 3, batch_first=True)
        self.linear = nn.Linear(DIMENSIONS, DIMENSIONS)

    def forward(self, mels_PTM: Tensor) -> Tensor:
        """(P, T, 40) mel energies, no logarithms → (P, 256) of unit length."""
        _, (hidden, _) = self.lstm(mels_PTM)
        return nn.functional.normalize(self.linear(hidden[-1]).relu(), dim=1)


class VoiceEmbedding:
    """Embeds a recording's voice piece by piece; the same voice has a cosine near 1."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._network: VoiceEncoder | None = None
        self._device = "cpu"

    def open(self, device: str = "cpu") -> Self:
        """Load the network onto ``device``; WeightMissing when the file is of another layout."""
        self._network, self._device = self._load().to(device), device
        return self

    def partials(self, samples_16k: Waveform) -> VoicePartials:
        """(samples,) float32 in [-1, 1], mono at 16 kHz → the embeddings of all partials.

        Pauses are kept, other than in the published ``preprocess_wav``, so that times stay true:
        a partial without speech has an embedding as well, which says nothing of a voice.

        Raises ValueError for other types, NaN and infinity.
        """
        samples = require_waveform(samples_16k)
        starts = _starts(len(samples))
        if not starts or is_silent(samples):
            return VoicePartials(np.zeros((0, DIMENSIONS), dtype=np.float32), np.zeros(0))
        if self._network is None:
            self._network = self._load()
        network = self._network
        mels_TM = _mels(samples, starts[-1] + PARTIAL_FRAMES)
        rows = []
        with torch.inference_mode():
            for first in range(0, len(starts), _BATCH):
                batch = [mels_TM[s : s + PARTIAL_FRAMES] for s in starts[first : first + _BATCH]]
                rows.append(network(torch.stack(batch).to(self._device)).cpu().numpy())
        return VoicePartials(np.concatenate(rows), np.array(starts) * HOP / RATE)

    def _load(self) -> VoiceEncoder:
        network = VoiceEncoder()
        state = load_state(self.path, key="model_state")
        load_strict(network, state, self.path, ignore=_UNUSED)
        return network.eval()


def _starts(samples: int) -> list[int]:
    """The frame at which each partial begins; those with too little sound are left out."""
    least = LEAST_PART * PARTIAL_FRAMES * HOP
    return [
        start
        for start in range(0, samples // HOP + 1, STEP_FRAMES)
        if min(samples - start * HOP, PARTIAL_FRAMES * HOP) >= least
    ]


def _mels(samples: Waveform, frames: int) -> Tensor:
    """Mel energies (T, 40) of the sound at its level, T at least ``frames``.

    Frame t is the Hann window of 25 ms around sample 160 t; zeros lie beyond both ends.
    """
    gain = 10 ** (max(0.0, LEVEL_DBFS - level_dbfs(samples)) / 20)
    padding = max(0, frames * HOP - len(samples))
    sound = torch.from_numpy(np.pad(samples * np.float32(gain), (0, padding)))
    spectrum = torch.stft(
        sound,
        FFT,
        HOP,
        window=torch.hann_window(FFT),
        center=True,
        pad_mode="constant",
        return_complex=True,
    )
    return (torch.from_numpy(mel_filters(BANDS)) @ spectrum.abs().square()).T
