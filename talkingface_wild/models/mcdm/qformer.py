"""Variant B1 of the paper's Table 5: a Q-Former in place of frame-aligned attention.

Queries read keys and values both from the archived frame; the reference is one more frame's tokens.
Shapes: B clips, A archived frames, M tokens of a frame, N queries, D width.
"""

import torch
from torch import Tensor, nn


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
