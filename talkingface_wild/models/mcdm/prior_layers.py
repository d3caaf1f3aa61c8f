"""The two layers that the present-clip prior alternates: multimodal causal, and temporal.

Shapes: B clips, F frames, S tokens of a frame's sequence, D width.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from talkingface_wild.models.mcdm.temporal_attention import sinusoidal_positions


class _Attention(nn.Module):
    """Multi-head self-attention over the next-to-last axis, with an optional mask."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_qkv = nn.Linear(width, 3 * width)
        self.to_out = nn.Linear(width, width)

    def forward(self, rows_ELD: Tensor, mask: Tensor | None = None) -> Tensor:
        split = self.to_qkv(rows_ELD).unflatten(-1, (3, self.heads, -1))
        query, key, value = split.permute(2, 0, 3, 1, 4)
        out = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.to_out(out.transpose(1, 2).flatten(-2))


def _feed_forward(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
    )


class MultimodalCausalBlock(nn.Module):
    """A DiT block (Peebles & Xie 2023, adaLN-zero on t) whose attention runs along the tokens."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_attend = nn.LayerNorm(width, elementwise_affine=False)
        self.attend = _Attention(width, heads)
        self.norm_feed = nn.LayerNorm(width, elementwise_affine=False)
        self.feed = _feed_forward(width)
        self.modulate = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, rows_BFSD: Tensor, time_BD: Tensor, seen_BSS: Tensor) -> Tensor:
        """``seen_BSS`` is True where a token may see another of its frame."""
        batch, frames = rows_BFSD.shape[:2]
        turned = self.modulate(functional.silu(time_BD))[:, None, None]
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = turned.chunk(6, dim=-1)
        inside = self.norm_attend(rows_BFSD) * (1 + scale_a) + shift_a
        mask = seen_BSS.repeat_interleave(frames, dim=0)[:, None]
        out = self.attend(inside.flatten(0, 1), mask).unflatten(0, (batch, frames))
        rows_BFSD = rows_BFSD + gate_a * out
        inside = self.norm_feed(rows_BFSD) * (1 + scale_f) + shift_f
        return rows_BFSD + gate_f * self.feed(inside)


class TemporalInteractionBlock(nn.Module):
    """Self-attention over time for each token's place (as AnimateDiff), and a feed-forward."""

    def __init__(self, width: int, heads: int, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal
        self.norm_attend = nn.LayerNorm(width)
        self.attend = _Attention(width, heads)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = _feed_forward(width)
        for layer in (self.attend.to_out, self.feed[-1]):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, rows_BFSD: Tensor) -> Tensor:
        """(B, F, S, D), each token's place on its own."""
        batch, frames, tokens, width = rows_BFSD.shape
        places = sinusoidal_positions(frames, width).to(rows_BFSD)
        along = self.norm_attend(rows_BFSD) + places[:, None]
        along = along.transpose(1, 2).reshape(batch * tokens, frames, width)
        mask = None
        if self.causal:
            mask = torch.ones(frames, frames, dtype=torch.bool, device=along.device).tril()
        out = self.attend(along, mask).unflatten(0, (batch, tokens)).transpose(1, 2)
        rows_BFSD = rows_BFSD + out
        return rows_BFSD + self.feed(self.norm_feed(rows_BFSD))
