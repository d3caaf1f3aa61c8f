"""The archived-clip motion prior, section 3.2: the reference says where to look, the archive what.

Shapes: B clips, A archived frames, C H W a latent, M tokens of a frame, N queries, D width.
"""

from __future__ import annotations

import math

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.temporal_attention import sinusoidal_positions


class _Layer(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_self = nn.LayerNorm(width)
        self.attend_self = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm_cross = nn.LayerNorm(width)
        self.attend_cross = nn.MultiheadAttention(width, heads, batch_first=True)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, queries: Tensor, tokens: Tensor) -> Tensor:
        inside = self.norm_self(queries)
        queries = queries + self.attend_self(inside, inside, inside, need_weights=False)[0]
        inside = self.norm_cross(queries)
        queries = queries + self.attend_cross(inside, tokens, tokens, need_weights=False)[0]
        return queries + self.feed(self.norm_feed(queries))


class FrameQFormer(nn.Module):
    """Learned queries -> self-attention, cross-attention to one frame, feed-forward; per frame."""

    def __init__(self, width: int, queries: int, layers: int = 2) -> None:
        super().__init__()
        self.query_ND = nn.Parameter(torch.randn(queries, width) * 0.02)
        heads = max(1, width // 64)
        self.layers = nn.ModuleList(_Layer(width, heads) for _ in range(layers))

    def forward(self, reference_BMD: Tensor, archive_BAMD: Tensor) -> Tensor:
        """(B, A, N, D)."""
        batch, frames = archive_BAMD.shape[:2]
        reference = reference_BMD[:, None].expand(-1, frames, -1, -1)
        tokens = torch.cat([archive_BAMD, reference], dim=2).flatten(0, 1)
        queries = self.query_ND.expand(batch * frames, -1, -1)
        for layer in self.layers:
            queries = layer(queries, tokens)
        return queries.unflatten(0, (batch, frames))


def grid_positions(height: int, width: int, channels: int) -> Tensor:
    """(height * width, channels): half the channels tell the row, half the column."""
    rows = sinusoidal_positions(height, channels // 2)
    columns = sinusoidal_positions(width, channels - channels // 2)
    rows_HWC = rows[:, None].expand(-1, width, -1)
    columns_HWC = columns[None].expand(height, -1, -1)
    return torch.cat([rows_HWC, columns_HWC], dim=-1).flatten(0, 1)


class FrameAlignedAttention(nn.Module):
    """Equations 1 and 2. The attention map depends on the reference alone, so it is made once."""

    def __init__(self, width: int, queries: int, heads: int = 1) -> None:
        super().__init__()
        self.heads = heads
        self.query_ND = nn.Parameter(torch.randn(queries, width))
        self.to_key = nn.Linear(width, width, bias=False)
        self.to_value = nn.Linear(width, width, bias=False)

    def attention_map(self, reference_BMD: Tensor) -> Tensor:
        """Softmax(Q K^T / sqrt(d)) over the reference's tokens, (B, heads, N, M)."""
        key = self.to_key(reference_BMD).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        query = self.query_ND.unflatten(-1, (self.heads, -1)).transpose(0, 1)
        logits = query @ key.transpose(-1, -2) / math.sqrt(key.shape[-1])
        return logits.float().softmax(dim=-1).to(key.dtype)

    def forward(self, reference_BMD: Tensor, archive_BAMD: Tensor) -> Tensor:
        """F_ac (B, A, N, D)."""
        value = self.to_value(archive_BAMD).unflatten(-1, (self.heads, -1))
        out = torch.einsum("bhnm,bamhd->banhd", self.attention_map(reference_BMD), value)
        return out.flatten(-2)


class ArchivedClipPrior(ModelMixin, ConfigMixin):
    """Frozen latents of the reference and the archive -> the tokens that CrossAttn_arch reads.

    ``kind`` none (w/o F_a) takes the reference as the archive of one frame.
    """

    config_name = "config.json"

    @register_to_config
    def __init__(
        self,
        latent_channels: int = 4,
        width: int = 768,
        archive_frames: int = 16,
        queries: int = 16,
        patch: int = 4,
        heads: int = 1,
        kind: str = "frame_aligned",
        qformer_layers: int = 2,
        image_width: int = 1024,
    ) -> None:
        super().__init__()
        if kind == "reference_unet":
            self.image_in = nn.Linear(image_width, width)
            self.norm_out = nn.LayerNorm(width)
            return
        # A softmax does not see what all keys have in common: such a bias could not be learned.
        self.patch_reference = nn.Conv2d(
            latent_channels, width, patch, stride=patch, bias=kind == "qformer"
        )
        self.patch_archive = nn.Conv2d(latent_channels, width, patch, stride=patch)
        if kind == "qformer":
            from talkingface_wild.models.mcdm.archived_prior import FrameQFormer

            self.attention: nn.Module = FrameQFormer(width, queries, qformer_layers)
        else:
            self.attention = FrameAlignedAttention(width, queries, heads)
        frames = 1 if kind == "none" else archive_frames
        self.frame_AD = nn.Parameter(torch.randn(frames, width) * 0.02)
        self.norm_out = nn.LayerNorm(width)

    @classmethod
    def of(cls, config: MCDMConfig) -> ArchivedClipPrior:
        """The prior of a configuration."""
        archived = config.archived
        return cls(
            latent_channels=config.picture.latent_channels,
            width=config.trunk.context_width,
            archive_frames=config.clip.archive_frames,
            queries=archived.queries,
            patch=archived.patch,
            heads=archived.heads,
            kind=archived.kind,
            qformer_layers=archived.qformer_layers,
            image_width=config.present.image_width,
        )

    def forward(
        self, reference_BCHW: Tensor, archive_BACHW: Tensor, image_BSD: Tensor | None = None
    ) -> Tensor:
        """F_ac (B, A, N, D); for the reference UNet, image tokens (B, 1, S, D)."""
        kind = self.config.kind
        if kind == "reference_unet":
            if image_BSD is None:
                raise ValueError("the reference UNet's context needs image features (B, S, D)")
            return self.norm_out(self.image_in(image_BSD))[:, None]
        if kind == "none":
            archive_BACHW = reference_BCHW[:, None]
        frames = archive_BACHW.shape[1]
        reference_BMD = self._tokens(self.patch_reference, reference_BCHW)
        archive_BAMD = self._tokens(self.patch_archive, archive_BACHW.flatten(0, 1))
        archive_BAMD = archive_BAMD.unflatten(0, (-1, frames))
        tokens_BAND = self.attention(reference_BMD, archive_BAMD)
        return self.norm_out(tokens_BAND + self.frame_AD[:frames, None])

    def _tokens(self, patchify: nn.Module, latent_BCHW: Tensor) -> Tensor:
        grid_BDHW = patchify(latent_BCHW)
        _, width, rows, columns = grid_BDHW.shape
        places_MD = grid_positions(rows, columns, width).to(grid_BDHW)
        return grid_BDHW.flatten(2).transpose(1, 2) + places_MD
