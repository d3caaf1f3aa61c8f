"""SD 1.5's transformer block with MCDM's four attention layers, section 3.1 and Figure 1.

Shapes: B clips, F frames (folded into the batch, BF), N places, C channels, S archived tokens,
K motion tokens, D context width.
"""

from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from talkingface_wild.models.mcdm.temporal_attention import MemoryTemporalAttention
from talkingface_wild.models.networks.reference_unet import attend, key_value, reference_attention

Carried = dict[int, Tensor]
"""Motion memory by block: (B, N, C) the last row, or (B, F, N, C) all rows."""


@dataclass
class ClipContext:
    """Made once per clip, read by every block at every denoising step.

    ``kept`` takes each block's keys and values of the contexts, computed once for all steps; None
    in training, where nothing may be kept.
    """

    frames: int
    archived: Tensor | None
    """(B, S, D), or (B, F, N, D) where frame i reads archived frame i."""
    present_BFKD: Tensor | None = None
    present_on_B: Tensor | None = None
    """1 where a clip has present tokens, 0 where they are dropped; None is all 1."""
    bank: dict[int, Tensor] | None = None
    """The reference UNet's normed rows by block, (B, N, C)."""
    motion: bool = True
    """False leaves present and temporal attention out, as in stage 1."""
    kept: dict[tuple[int, str], tuple[Tensor, Tensor]] | None = None
    carried: Carried | None = None
    left: Carried = field(default_factory=dict)
    watched: list[Tensor] | None = None
    """A list here receives the present attention's probabilities, (B, F, heads, N, K) a block."""


class MCDMTransformerBlock(BasicTransformerBlock):
    """Self, archived parallel to present, memory-efficient temporal attention, feed-forward.

    It is grown in place from a block of SD 1.5, whose names stay: ``attn2`` is CrossAttn_arch.
    """

    number: int
    level: int
    streams: str
    carry: str
    attn_pres: Attention
    mta: MemoryTemporalAttention

    def grow(
        self, number: int, level: int, streams: str, carry: str, temporal: MemoryTemporalAttention
    ) -> None:
        """Add the present and the temporal attention; both ways out start at zero."""
        self.number, self.level, self.streams, self.carry = number, level, streams, carry
        width = self.attn2.to_k.in_features
        self.attn_pres = Attention(
            self.dim,
            cross_attention_dim=width,
            heads=self.attn1.heads,
            dim_head=self.attention_head_dim,
        )
        nn.init.zeros_(self.attn_pres.to_out[0].weight)
        nn.init.zeros_(self.attn_pres.to_out[0].bias)
        self.norm_mta = nn.LayerNorm(self.dim)
        self.mta = temporal

    def forward(
        self,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        timestep: Tensor | None = None,
        cross_attention_kwargs: dict[str, Any] | None = None,
        class_labels: Tensor | None = None,
        added_cond_kwargs: dict[str, Tensor] | None = None,
    ) -> Tensor:
        """(BF, N, C) -> (BF, N, C); the context travels as ``cross_attention_kwargs["mcdm"]``."""
        clip: ClipContext = (cross_attention_kwargs or {})["mcdm"]
        x = hidden_states
        bank = None if clip.bank is None else clip.bank[self.number]
        x = x + reference_attention(self.attn1, self.norm1(x), bank, clip.frames)
        u = self.norm2(x)
        archived = self._archived_attention(u, clip)
        if clip.motion:
            present = self._present_attention(u, clip)
            x = self._temporal(x, archived, present, clip)
        else:
            x = x + archived
        return x + self.ff(self.norm3(x))

    def _archived_attention(self, u: Tensor, clip: ClipContext) -> Tensor:
        """All frames of a clip read the same tokens, so they are one long row of queries."""
        if clip.archived is None:
            return torch.zeros_like(u)
        tokens = clip.archived
        aligned = tokens.ndim == 4
        rows = tokens.flatten(0, 1) if aligned else tokens
        key, value = self._kept(self.attn2, rows, clip, "archived")
        if aligned:
            return attend(self.attn2, u, key, value)
        together = u.reshape(tokens.shape[0], -1, u.shape[-1])
        return attend(self.attn2, together, key, value).reshape(u.shape)

    def _present_attention(self, u: Tensor, clip: ClipContext) -> Tensor | None:
        """Frame i reads its own K tokens."""
        if clip.present_BFKD is None:
            return None
        key, value = self._kept(self.attn_pres, clip.present_BFKD.flatten(0, 1), clip, "present")
        if clip.watched is not None:
            clip.watched.append(self._probabilities(u, key).unflatten(0, (-1, clip.frames)))
        out = attend(self.attn_pres, u, key, value)
        if clip.present_on_B is not None:
            on = clip.present_on_B.to(out.dtype).repeat_interleave(clip.frames)
            out = out * on[:, None, None]
        return out

    def _temporal(
        self, x: Tensor, archived: Tensor, present: Tensor | None, clip: ClipContext
    ) -> Tensor:
        """The sum x + A + P + F_m, the temporal rows as ``streams`` says (docs/mcdm.md, R6)."""
        both = archived if present is None else archived + present
        stream = x + both
        only = torch.zeros_like(x) if present is None else present
        archived_ref, present_ref = {
            "symmetric": (x + archived, x + only),
            "residual": (x + archived, stream),
            "attn_only": (archived, only),
        }[self.streams]
        if not self.mta.memory:
            present_ref = stream
        carried = None if clip.carried is None else clip.carried.get(self.number)
        motion, memory = self.mta(
            archived_ref.unflatten(0, (-1, clip.frames)),
            present_ref.unflatten(0, (-1, clip.frames)),
            self.norm_mta,
            carried,
        )
        if memory is not None and self.carry != "reset" and not torch.is_grad_enabled():
            # A copy, since a view of the last row would keep all rows in memory.
            clip.left[self.number] = memory if self.carry == "full" else memory[:, -1].clone()
        return stream + motion.flatten(0, 1)

    def _kept(
        self, attention: Attention, rows: Tensor, clip: ClipContext, which: str
    ) -> tuple[Tensor, Tensor]:
        if clip.kept is None:
            return key_value(attention, rows)
        key = (self.number, which)
        if key not in clip.kept:
            clip.kept[key] = key_value(attention, rows)
        return clip.kept[key]

    def _probabilities(self, u: Tensor, key: Tensor) -> Tensor:
        """(BF, heads, N, K) of the present attention, for the lips' heat map (Fig. 6)."""
        query = self.attn_pres.to_q(u).unflatten(-1, (self.attn_pres.heads, -1)).transpose(1, 2)
        return (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).float().softmax(dim=-1)
