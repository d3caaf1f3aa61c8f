"""Whisper's network (Radford et al., 2022) as far as its first word goes, and its log-mel input.
Tensors in and out, under the names of OpenAI's checkpoints; no files, no languages.
Shape legend: B windows of 30 s, M mel bands, F frames, T positions, D width of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from talkingface_wild.functional.mel_filters import FFT, mel_filters

HOP = 160
"""Step of an analysis window, in samples; it is as long as a spectrum."""
HEAD_WIDTH = 64
"""Width of an attention head, the same in every published size; shapes do not tell it."""


@dataclass(frozen=True)
class Dimensions:
    """The sizes of one Whisper."""

    mels: int
    audio_positions: int
    width: int
    audio_layers: int
    vocabulary: int
    text_positions: int
    text_layers: int

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> Dimensions:
        """The sizes that a checkpoint's tensors have; KeyError when it is no Whisper."""

        def layers(part: str) -> int:
            return len({name.split(".")[2] for name in state if name.startswith(f"{part}.blocks.")})

        return cls(
            mels=state["encoder.conv1.weight"].shape[1],
            audio_positions=state["encoder.positional_embedding"].shape[0],
            width=state["encoder.conv1.weight"].shape[0],
            audio_layers=layers("encoder"),
            vocabulary=state["decoder.token_embedding.weight"].shape[0],
            text_positions=state["decoder.positional_embedding"].shape[0],
            text_layers=layers("decoder"),
        )


class Attention(nn.Module):
    """Attention in heads of 64 from one sequence to another; keys carry no bias."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width)
        self.out = nn.Linear(width, width)

    def forward(self, x_BTD: Tensor, memory_BTD: Tensor) -> Tensor:
        """What the positions of ``x`` take from ``memory``, (B, T, D)."""

        def heads(y_BTD: Tensor) -> Tensor:
            return y_BTD.view(*y_BTD.shape[:2], -1, HEAD_WIDTH).transpose(1, 2)

        taken = F.scaled_dot_product_attention(
            heads(self.query(x_BTD)), heads(self.key(memory_BTD)), heads(self.value(memory_BTD))
        )
        return self.out(taken.transpose(1, 2).flatten(2))


class WhisperBlock(nn.Module):
    """A residual block: attention to itself, then to the sound (decoder only), then two layers."""

    def __init__(self, width: int, cross: bool) -> None:
        super().__init__()
        self.attn = Attention(width)
        self.attn_ln = nn.LayerNorm(width)
        self.cross_attn = Attention(width) if cross else None
        self.cross_attn_ln = nn.LayerNorm(width) if cross else None
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.mlp_ln = nn.LayerNorm(width)

    def forward(self, x_BTD: Tensor, sound_BTD: Tensor | None = None) -> Tensor:
        """(B, T, D) to the same shape."""
        normed = self.attn_ln(x_BTD)
        x_BTD = x_BTD + self.attn(normed, normed)
        if self.cross_attn is not None and self.cross_attn_ln is not None and sound_BTD is not None:
            x_BTD = x_BTD + self.cross_attn(self.cross_attn_ln(x_BTD), sound_BTD)
        return x_BTD + self.mlp(self.mlp_ln(x_BTD))


class Encoder(nn.Module):
    """Log-mel frames to the sound's features."""

    positional_embedding: Tensor

    def __init__(self, size: Dimensions) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(size.mels, size.width, 3, padding=1)
        self.conv2 = nn.Conv1d(size.width, size.width, 3, stride=2, padding=1)
        self.register_buffer("positional_embedding", torch.empty(size.audio_positions, size.width))
        self.blocks = nn.ModuleList(
            WhisperBlock(size.width, False) for _ in range(size.audio_layers)
        )
        self.ln_post = nn.LayerNorm(size.width)

    def forward(self, mels_BMF: Tensor) -> Tensor:
        """(B, M, F) to (B, F / 2, D)."""
        x = F.gelu(self.conv2(F.gelu(self.conv1(mels_BMF)))).transpose(1, 2)
        x = x + self.positional_embedding
        for block in self.blocks:
            x = block(x)
        return self.ln_post(x)


class Decoder(nn.Module):
    """One step of the decoder: what follows a single token. No mask is needed for that."""

    def __init__(self, size: Dimensions) -> None:
        super().__init__()
        self.token_embedding = nn.Embedding(size.vocabulary, size.width)
        self.positional_embedding = nn.Parameter(torch.empty(size.text_positions, size.width))
        self.blocks = nn.ModuleList(WhisperBlock(size.width, True) for _ in range(size.text_layers))
        self.ln = nn.LayerNorm(size.width)

    def forward(self, token: int, sound_BTD: Tensor) -> Tensor:
        """Scores (B, vocabulary) of the token that follows ``token`` at the text's beginning."""
        first = self.token_embedding.weight[token] + self.positional_embedding[0]
        x = first.expand(len(sound_BTD), 1, -1)
        for block in self.blocks:
            x = block(x, sound_BTD)
        return self.ln(x)[:, 0] @ self.token_embedding.weight.T


class Whisper(nn.Module):
    """The network, with the names of OpenAI's ``model_state_dict``."""

    def __init__(self, size: Dimensions) -> None:
        super().__init__()
        self.size = size
        self.encoder = Encoder(size)
        self.decoder = Decoder(size)

    def forward(self, mels_BMF: Tensor, token: int) -> Tensor:
        """Scores (B, vocabulary) of what follows ``token`` at the text's beginning."""
        return self.decoder(token, self.encoder(mels_BMF))


def log_mel(samples_int16_16k: npt.NDArray[np.int16], bands: int, frames: int) -> Tensor:
    """Whisper's input (M, F): log10 of mel energies, silence appended up to ``frames``.

    Hann windows of 25 ms every 10 ms, reflected at the ends; all that is more than 8 below the
    maximum is raised to it, then (x + 4) / 4.
    """
    sound = torch.zeros(frames * HOP)
    speech = torch.from_numpy(np.asarray(samples_int16_16k, dtype=np.float32) / 32768)[: len(sound)]
    sound[: len(speech)] = speech
    window = torch.hann_window(FFT)
    spectrum = torch.stft(sound, FFT, HOP, window=window, return_complex=True)[:, :-1]
    energies = torch.from_numpy(mel_filters(bands)) @ spectrum.abs().square()
    logs = energies.clamp(min=1e-10).log10()
    return (torch.maximum(logs, logs.max() - 8) + 4) / 4
