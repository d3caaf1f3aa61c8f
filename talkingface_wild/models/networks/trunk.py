"""Stable Diffusion's UNet as the generators' trunk: its settings and its transformer blocks."""

from typing import Annotated, Any

from diffusers import UNet2DConditionModel
from diffusers.models.attention import BasicTransformerBlock
from pydantic import Field
from pydantic.dataclasses import dataclass

from talkingface_wild.core.config import Count


@dataclass(frozen=True)
class TrunkConfig:
    """The denoising UNet's skeleton, SD 1.5 by default."""

    channels: Annotated[tuple[Count, ...], Field(min_length=1)] = (320, 640, 1280, 1280)
    """Width of each level."""
    attention: Annotated[tuple[bool, ...], Field(min_length=1)] = (True, True, True, False)
    """Whether a level has transformer blocks."""
    layers: Count = 2
    """Residual blocks a level."""
    heads: Count = 8
    """Attention heads."""
    groups: Count = 32
    """Groups of a group norm."""
    context_width: Count = 768
    """d, width of the tokens that cross-attention reads (R3)."""

    def unet_settings(self, latent_channels: int, latent_side: int) -> dict[str, Any]:
        """What diffusers' UNet of this shape is made with, for latents of that size."""
        down = ["CrossAttnDownBlock2D" if has else "DownBlock2D" for has in self.attention]
        up = ["CrossAttnUpBlock2D" if has else "UpBlock2D" for has in reversed(self.attention)]
        return {
            "sample_size": latent_side,
            "in_channels": latent_channels,
            "out_channels": latent_channels,
            "down_block_types": tuple(down),
            "up_block_types": tuple(up),
            "block_out_channels": tuple(self.channels),
            "layers_per_block": self.layers,
            "attention_head_dim": self.heads,
            "norm_num_groups": self.groups,
            "cross_attention_dim": self.context_width,
        }


def trunk_sides(unet: UNet2DConditionModel) -> list[tuple[int, Any]]:
    """Its blocks of layers in order of use, each with its level; 0 is the widest map."""
    deepest = len(unet.down_blocks) - 1
    return [
        *enumerate(unet.down_blocks),
        (deepest, unet.mid_block),
        *((deepest - step, side) for step, side in enumerate(unet.up_blocks)),
    ]


def transformer_blocks(unet: UNet2DConditionModel) -> list[tuple[int, Any]]:
    """Its transformer blocks in order of use, each with its level."""
    return [(level, block) for level, side in trunk_sides(unet) for block in blocks_of(side)]


def blocks_of(side: Any) -> list[Any]:
    """The transformer blocks of one block of layers."""
    return [module for module in side.modules() if isinstance(module, BasicTransformerBlock)]
