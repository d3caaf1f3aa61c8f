"""Trains the encoders of lips, expression and head; then they are frozen and tokens are taken.

Lips: a decoder must rebuild the mouth from its tokens, and tokens must tell their own sound from
others' (InfoNCE). Expression and head: rebuilding alone, unless labels are given.
Shapes: B items, L crops of a window, S side, K T tokens, W E sound windows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from talkingface_wild.models.mcdm.codec import to_unit
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.encoders import CropDecoder, CropEncoder
from talkingface_wild.models.mcdm.training.cached_clip import CachedClip
from talkingface_wild.models.mcdm.training.sampling import sound_windows

TEMPERATURE = 0.1
CONTRAST_WEIGHT = 0.05
EMBEDDING = 64


def crop_windows(crops_TSSC: Tensor, frames: Tensor, window: int) -> Tensor:
    """(B, L, 3, S, S) in [-1, 1] around each frame; the ends repeat."""
    reach = window // 2
    index = frames[:, None] + torch.arange(-reach, reach + 1)
    return to_unit(crops_TSSC[index.clamp(0, len(crops_TSSC) - 1)])


@dataclass
class EncoderTask:
    """One encoder, what it looks at, and the networks that only its training needs."""

    name: str
    encoder: CropEncoder
    decoder: CropDecoder
    crops: Callable[[CachedClip], Tensor]
    heard: nn.Module | None = None
    told: nn.Module | None = None

    def parameters(self) -> Iterator[nn.Parameter]:
        """All that is trained."""
        for module in (self.encoder, self.decoder, self.heard, self.told):
            if module is not None:
                yield from module.parameters()


def make_task(
    name: str, encoder: CropEncoder, crops: Callable[[CachedClip], Tensor], config: MCDMConfig
) -> EncoderTask:
    """The task of an encoder; the lips' has a sound side too."""
    settings = encoder.config
    decoder = CropDecoder(settings.tokens, settings.token_width, settings.side)
    task = EncoderTask(name, encoder, decoder, crops)
    if name == "lips":
        features = (2 * config.present.audio_window + 1) * config.present.audio_width
        task.heard = nn.Sequential(nn.Linear(features, 128), nn.SiLU(), nn.Linear(128, EMBEDDING))
        task.told = nn.Linear(settings.tokens * settings.token_width, EMBEDDING)
    return task


def encoder_loss(
    task: EncoderTask,
    clips: Sequence[CachedClip],
    draws: torch.Generator,
    size: int,
    reach: int,
    device: torch.device,
) -> Tensor:
    """Rebuilding error of one batch, all of one clip, and the lips' contrast with its sound."""
    clip = clips[int(torch.randint(len(clips), (1,), generator=draws))]
    crops = task.crops(clip)
    frames = torch.randint(clip.frames, (size,), generator=draws)
    window = crop_windows(crops, frames, task.encoder.config.window).to(device)
    raw = task.encoder.raw(window)
    middle = window[:, window.shape[1] // 2]
    loss = functional.mse_loss(task.decoder(raw), middle)
    # A weak pull keeps tokens small, so that setting them to unit scale stays well posed.
    loss = loss + 1e-4 * raw.square().mean()
    if task.heard is not None and task.told is not None:
        sound = torch.cat([sound_windows(clip.sound_TE, int(f), 1, reach) for f in frames])
        heard = functional.normalize(task.heard(sound.flatten(1).to(device)), dim=1)
        told = functional.normalize(task.told(raw.flatten(1)), dim=1)
        logits = told @ heard.T / TEMPERATURE
        # The same frame drawn twice is no negative.
        same = (frames[:, None] == frames[None]).to(device) & ~torch.eye(
            size, dtype=torch.bool, device=device
        )
        logits = logits.masked_fill(same, -1e4)
        own = torch.arange(size, device=device)
        both = functional.cross_entropy(logits, own) + functional.cross_entropy(logits.T, own)
        loss = loss + CONTRAST_WEIGHT * both / 2
    return loss


@torch.no_grad()
def raw_tokens(
    encoder: CropEncoder, crops_TSSC: Tensor, device: torch.device, batch: int = 64
) -> Tensor:
    """Tokens (T, K, W) of every frame of a clip, before they are set to unit scale."""
    frames = torch.arange(len(crops_TSSC))
    window = encoder.config.window
    parts = [
        encoder.raw(crop_windows(crops_TSSC, f, window).to(device)) for f in frames.split(batch)
    ]
    return torch.cat(parts).cpu()
