"""The models that are measured, with random weights: the paper's at full size, a small twin, clips.

What only exists trained (VAE, wav2vec 2.0, CLIP) is built from its published configuration.
"""

from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from transformers import CLIPVisionConfig, CLIPVisionModel, Wav2Vec2Config, Wav2Vec2Model

from talkingface_wild.models.mcdm import MCDMConfig, MCDMParts, preset
from talkingface_wild.models.mcdm.networks import crop_sides
from talkingface_wild.models.mcdm.training.clip_features import CachedClip

SMALL_SETTINGS = (
    "picture.side=64",
    "trunk.channels=[32, 64]",
    "trunk.attention=[true, true]",
    "trunk.layers=1",
    "trunk.heads=4",
    "trunk.groups=8",
    "trunk.context_width=32",
    "present.width=48",
    "present.layers=2",
    "present.heads=4",
    "present.token_width=16",
    "present.audio_width=32",
    "present.image_width=32",
)
"""The paper's network with few channels: every kind of layer, none of the size."""


def full_size(small: bool, *settings: str) -> MCDMConfig:
    """The preset ``paper``, or its small twin."""
    return preset("paper").changed([*(SMALL_SETTINGS if small else ()), *settings])


def random_parts(config: MCDMConfig, small: bool, frozen: bool = True) -> MCDMParts:
    """Fresh weights; ``frozen`` adds the networks that are published, by their configurations."""
    torch.manual_seed(0)
    parts = MCDMParts.build(config)
    if frozen and config.picture.codec == "vae":
        parts.vae = random_vae(small)
    if frozen and config.present.audio == "wav2vec2":
        parts.audio_encoder = Wav2Vec2Model(_wav2vec2(small))
    if frozen and config.present.image == "clip":
        parts.image_encoder = CLIPVisionModel(_clip(small))
    for module in parts.modules().values():
        awaken(module)
    return parts


def random_vae(small: bool) -> Any:
    """Stable Diffusion's VAE: eight pixels to a latent of four channels."""
    return AutoencoderKL(  # type: ignore[no-untyped-call]
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 16, 16) if small else (128, 256, 512, 512),
        layers_per_block=1 if small else 2,
        norm_num_groups=4 if small else 32,
        latent_channels=4,
        sample_size=64 if small else 512,
    )


def _wav2vec2(small: bool) -> Wav2Vec2Config:
    if not small:
        return Wav2Vec2Config()
    return Wav2Vec2Config(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        conv_dim=(8,) * 7, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2,
    )  # fmt: skip


def _clip(small: bool) -> CLIPVisionConfig:
    if small:
        return CLIPVisionConfig(
            hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
            image_size=32, patch_size=8,
        )  # fmt: skip
    return CLIPVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
        image_size=224, patch_size=14,
    )  # fmt: skip


@torch.no_grad()
def awaken(module: nn.Module) -> None:
    """Fill what starts at zero: arithmetic on zeros is faster than on trained weights."""
    for parameter in module.parameters():
        if not parameter.is_meta and not parameter.any():
            parameter.normal_(std=0.02)


def portrait(side: int) -> Tensor:
    """A made-up picture, uint8 (side, side, 3)."""
    draws = torch.Generator().manual_seed(0)
    return torch.randint(256, (side, side, 3), generator=draws, dtype=torch.uint8)


def speech(seconds: float) -> np.ndarray:
    """Made-up sound, int16 at 16 kHz."""
    draws = np.random.default_rng(0)
    return (3000 * draws.standard_normal(round(16_000 * seconds))).astype(np.int16)


def random_clips(config: MCDMConfig, count: int = 2, frames: int = 60) -> list[CachedClip]:
    """Clips as training reads them, of random numbers of the right shapes."""
    draws = torch.Generator().manual_seed(0)
    picture, present, sides = config.picture, config.present, crop_sides(config)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(frames, *shape, generator=draws)

    def crops(name: str) -> Tensor:
        side = sides[name]
        shape = (frames, side, side, 3)
        return torch.randint(256, shape, generator=draws, dtype=torch.uint8)

    return [
        CachedClip(
            clip_id=f"made-up-{number}",
            latents_TCHW=drawn(picture.latent_channels, picture.latent_side, picture.latent_side),
            sound_TE=drawn(present.audio_width),
            image_TE=drawn(present.image_width),
            lips_TSSC=crops("lip"),
            face_TSSC=crops("expression"),
            head_TSSC=crops("head"),
            tokens_TKW=drawn(present.tokens, present.token_width),
            predicted_TKW=drawn(present.tokens, present.token_width),
            facts={"split": "train"},
        )
        for number in range(count)
    ]
