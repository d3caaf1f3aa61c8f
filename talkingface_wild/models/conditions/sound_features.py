"""Sound as a model takes it: samples, frames that they fill, and features that keep step with them.

A feature depends on its place in the sound alone, whether a video is made at once or in pieces.
Shapes: F T frames, E width of a feature, W features that a frame sees.
"""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable

RATE = 16_000
Samples = npt.NDArray[np.int16]


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


class SoundFeatures(Protocol):
    """Frozen features of mono sound at 16 kHz."""

    width: int

    def rows(self, sound: Samples, first: int, count: int) -> Tensor:
        """(count, E) float32, a row for each of the frames from ``first`` on."""
        ...


def windows(features: SoundFeatures, sound: Samples, first: int, count: int, reach: int) -> Tensor:
    """(count, W = 2 reach + 1, E): each frame's own row and ``reach`` on either side.

    Rows before the first frame are zeros; past its end the sound is silence.
    """
    total = count + 2 * reach
    before = min(max(0, reach - first), total)
    rows = torch.zeros(before, features.width)
    if before < total:
        rows = torch.cat([rows, features.rows(sound, first - reach + before, total - before)])
    return rows.unfold(0, 2 * reach + 1, 1).transpose(1, 2).contiguous()


def sound_windows(sound_TE: Tensor, first: int, count: int, reach: int) -> Tensor:
    """(count, 2 reach + 1, E) windows from frame ``first`` on; zeros outside the clip."""
    index = torch.arange(first, first + count)[:, None] + torch.arange(-reach, reach + 1)
    inside = (index >= 0) & (index < len(sound_TE))
    rows = sound_TE[index.clamp(0, len(sound_TE) - 1)].float()
    return rows * inside[..., None]


class MelFeatures:
    """Log-mel energies, two spans of 20 ms for a frame at 25 frames a second; needs no weights."""

    BINS = 40
    SPANS = 2
    WINDOW = 512
    FLOOR = 1e-6

    def __init__(self, fps: int) -> None:
        from transformers.audio_utils import mel_filter_bank

        self.fps, self.width = fps, self.BINS * self.SPANS
        bank = mel_filter_bank(
            self.WINDOW // 2 + 1, self.BINS, 60.0, 7600.0, RATE, norm="slaney", mel_scale="slaney"
        )
        self.bank_SB = torch.from_numpy(np.asarray(bank, dtype=np.float32))
        self.taper = torch.hann_window(self.WINDOW)

    def rows(self, sound: Samples, first: int, count: int) -> Tensor:
        """(count, 80), about in [-2, 2]; silence is the lowest value."""
        spans = np.arange(first * self.SPANS, (first + count) * self.SPANS)
        middles = np.round((spans + 0.5) * RATE / (self.fps * self.SPANS)).astype(np.int64)
        index = middles[:, None] + np.arange(-self.WINDOW // 2, self.WINDOW // 2)
        inside = (index >= 0) & (index < len(sound))
        taken = np.zeros(index.shape, dtype=np.float32)
        taken[inside] = sound[index[inside]].astype(np.float32) / 32768.0
        power = torch.fft.rfft(torch.from_numpy(taken) * self.taper).abs().square()
        energy = torch.log10((power @ self.bank_SB).clamp(min=self.FLOOR))
        return ((energy + 2.0) / 2.0).reshape(count, self.width)


class Wav2Vec2Features:
    """wav2vec 2.0's hidden states, the mean over its layers, at the frames' rate.

    The network sees spans of 8 s with 2 s on either side, on a fixed grid from the start of the
    sound, so that a frame's row does not depend on where a run was stopped.
    """

    SPAN, MARGIN = 8, 2

    def __init__(self, model: Any, fps: int) -> None:
        self.model = model
        self.fps = fps
        self.width = int(self.model.config.hidden_size)
        self._last: tuple[Samples, int, Tensor] | None = None

    @torch.no_grad()
    def rows(self, sound: Samples, first: int, count: int) -> Tensor:
        """(count, 768)."""
        taken = [
            self._span(sound, place)[max(first, start) - start : first + count - start]
            for place in range(first // self._frames, (first + count - 1) // self._frames + 1)
            for start in (place * self._frames,)
        ]
        return torch.cat(taken)

    @property
    def _frames(self) -> int:
        return self.SPAN * self.fps

    def _span(self, sound: Samples, place: int) -> Tensor:
        """The rows of one span of the grid, kept until another is asked for."""
        if self._last is not None and self._last[0] is sound and self._last[1] == place:
            return self._last[2]
        start = (place * self.SPAN - self.MARGIN) * RATE
        length = (self.SPAN + 2 * self.MARGIN) * RATE
        heard = np.zeros(length, dtype=np.float32)
        lo, hi = max(0, start), min(len(sound), start + length)
        if hi > lo:
            heard[lo - start : hi - start] = sound[lo:hi].astype(np.float32) / 32768.0
        heard = (heard - heard.mean()) / np.sqrt(heard.var() + 1e-7)
        values = torch.from_numpy(heard)[None].to(self.model.device, self.model.dtype)
        states = self.model(values, output_hidden_states=True).hidden_states
        mean_TE = torch.stack(list(states)).mean(dim=0)[0].float()
        frames = (self.SPAN + 2 * self.MARGIN) * self.fps
        rows = torch.nn.functional.interpolate(
            mean_TE.T[None], size=frames, mode="linear", align_corners=False
        )[0].T
        kept = rows[self.MARGIN * self.fps : self.MARGIN * self.fps + self._frames].cpu()
        # The sound is kept too: the address of one that is gone may be another's.
        self._last = (sound, place, kept)
        return kept
