"""MCDM's denoising UNet: Stable Diffusion 1.5's trunk whose blocks know archive, motion and time.

Shapes: B clips, F frames, C H W a latent, A archived frames, N queries, K motion tokens, D width.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import torch
from diffusers import UNet2DConditionModel
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn

from talkingface_wild.models.mcdm.block import Carried, ClipContext, MCDMTransformerBlock
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.temporal_attention import MemoryTemporalAttention
from talkingface_wild.models.networks.trunk import TrunkConfig, transformer_blocks

SOUND_TOKENS = 32
"""Tokens a frame that sound becomes where the present attention reads it (w/o F_pc)."""


class Denoised(NamedTuple):
    """What a step predicts (B, F, C, H, W), and the motion memory that it leaves."""

    sample: Tensor
    memory: Carried


class MotionEmbedding(nn.Module):
    """Motion tokens (B, F, K, token width) -> (B, F, K, D), each with its kind's embedding."""

    def __init__(self, token_width: int, tokens: int, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(token_width, width)
        self.kind_KD = nn.Parameter(torch.randn(tokens, width) * 0.02)

    def forward(self, motion_BFKT: Tensor) -> Tensor:
        """(B, F, K, D)."""
        return self.project(motion_BFKT) + self.kind_KD


class SoundEmbedding(nn.Module):
    """Sound features (B, F, window, width) -> (B, F, 32, D) tokens for the present attention."""

    def __init__(self, features: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features, 512),
            nn.ReLU(),
            nn.Linear(512, 512),
            nn.ReLU(),
            nn.Linear(512, SOUND_TOKENS * width),
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, sound_BFWE: Tensor) -> Tensor:
        """(B, F, 32, D)."""
        return self.norm(self.layers(sound_BFWE.flatten(2)).unflatten(-1, (SOUND_TOKENS, -1)))


class MCDMUNet(UNet2DConditionModel):
    """``MCDMUNet()`` is the full-size network of the paper; ``of`` builds a preset's.

    Names of SD 1.5's tensors stay, so its checkpoints load; new ones are ``attn_pres``, ``mta``,
    ``norm_mta`` in each block, and ``motion_in`` or ``sound_in``.
    """

    _no_split_modules: ClassVar[list[str]] = ["MCDMTransformerBlock", "ResnetBlock2D"]

    @register_to_config
    def __init__(
        self,
        sample_size: int = 64,
        in_channels: int = 4,
        channels: tuple[int, ...] = (320, 640, 1280, 1280),
        attention: tuple[bool, ...] = (True, True, True, False),
        layers: int = 2,
        heads: int = 8,
        groups: int = 32,
        context_width: int = 768,
        frames: int = 16,
        token_width: int = 256,
        tokens: int = 12,
        sound_features: int = 0,
        motion: bool = True,
        aligned: bool = False,
        temporal: str = "memory",
        temporal_attention: str = "favor",
        features: int = 0,
        alpha: float = 0.1,
        streams: str = "symmetric",
        carry: str = "last",
        carry_from_level: int = 0,
        output: str = "present",
        qk_norm: bool = True,
        causal: bool = False,
    ) -> None:
        trunk = TrunkConfig(channels, attention, layers, heads, groups, context_width)
        super().__init__(**trunk.unet_settings(in_channels, sample_size))
        if motion:
            self.motion_in = MotionEmbedding(token_width, tokens, context_width)
        if sound_features:
            self.sound_in = SoundEmbedding(sound_features, context_width)
        for number, (level, block) in enumerate(transformer_blocks(self)):
            block.__class__ = MCDMTransformerBlock
            block.grow(
                number,
                level,
                streams,
                carry if level >= carry_from_level else "reset",
                MemoryTemporalAttention(
                    block.dim,
                    heads,
                    frames,
                    memory=temporal == "memory",
                    attention=temporal_attention,
                    features=features,
                    alpha=alpha,
                    output=output,
                    qk_norm=qk_norm,
                    causal=causal,
                    seed=number,
                ),
            )

    @classmethod
    def of(cls, config: MCDMConfig) -> MCDMUNet:
        """The network of a configuration."""
        picture, time, present = config.picture, config.temporal, config.present
        by_sound = present.kind == "audio_attention"
        heard = (2 * present.audio_window + 1) * present.audio_width
        return cls(
            sample_size=picture.latent_side,
            in_channels=picture.latent_channels,
            **vars(config.trunk),
            frames=config.clip.frames,
            token_width=present.token_width,
            tokens=present.tokens,
            sound_features=heard if by_sound or present.audio_to_unet else 0,
            motion=not by_sound,
            aligned=config.archived.context == "aligned",
            temporal=time.kind,
            temporal_attention=time.attention,
            **{
                name: value
                for name, value in vars(time).items()
                if name not in ("kind", "attention")
            },
        )

    @classmethod
    def extract_init_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Only this class's own fields: the base class's are made from them."""
        own = cls._get_init_keys(cls)
        mine = {k: v for k, v in config_dict.items() if k in own or k.startswith("_")}
        return super().extract_init_dict(mine, **kwargs)

    def motion_blocks(self) -> list[MCDMTransformerBlock]:
        """The transformer blocks in order of use."""
        blocks = [module for module in self.modules() if isinstance(module, MCDMTransformerBlock)]
        return sorted(blocks, key=lambda block: block.number)

    def clip_context(
        self,
        archived_BAND: Tensor,
        motion_BFKT: Tensor | None = None,
        sound_BFWE: Tensor | None = None,
        **fields: Any,
    ) -> ClipContext:
        """What the blocks read of a clip; ``fields`` are the others of a ``ClipContext``."""
        present = []
        if motion_BFKT is not None and hasattr(self, "motion_in"):
            present.append(self.motion_in(motion_BFKT))
        if sound_BFWE is not None and hasattr(self, "sound_in"):
            present.append(self.sound_in(sound_BFWE))
        archived = archived_BAND if self.config.aligned else archived_BAND.flatten(1, 2)
        present_BFKD = torch.cat(present, dim=2) if present else None
        return ClipContext(archived=archived, present_BFKD=present_BFKD, **fields)

    def forward(  # type: ignore[override]
        self,
        sample_BFCHW: Tensor,
        timestep: Tensor | int,
        context: ClipContext,
        carried: Carried | None = None,
    ) -> Denoised:
        """One denoising step of whole clips; one timestep a clip, the same for its frames."""
        batch, frames = sample_BFCHW.shape[:2]
        time_B = torch.as_tensor(timestep, device=sample_BFCHW.device).expand(batch)
        context.carried, context.left = carried, {}
        out = super().forward(
            sample_BFCHW.flatten(0, 1),
            time_B.repeat_interleave(frames),
            encoder_hidden_states=None,
            cross_attention_kwargs={"mcdm": context},
            return_dict=False,
        )[0]
        return Denoised(out.unflatten(0, (batch, frames)), context.left)
