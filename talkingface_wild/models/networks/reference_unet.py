"""AnimateAnyone's reference UNet, and the attention that reads its bank, which may be left out.

MCDM has it as variant B2 of the paper's Table 5. Shapes: B clips, F frames (folded into the batch,
BF), C H W a latent, N places, S context tokens, D width; in attention C is the channels.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from torch.nn import functional

from talkingface_wild.models.networks.trunk import (
    TrunkConfig,
    blocks_of,
    transformer_blocks,
    trunk_sides,
)


class ReferenceUNet(UNet2DConditionModel):
    """SD 1.5's UNet run once on the reference; its blocks' normed rows join self-attention."""

    @classmethod
    def of(cls, trunk: TrunkConfig, latent_channels: int, latent_side: int) -> ReferenceUNet:
        """The reference network beside a trunk."""
        return cls(**trunk.unet_settings(latent_channels, latent_side))

    def bank(self, reference_BCHW: Tensor, context_BSD: Tensor) -> dict[int, Tensor]:
        """Rows (B, N, C) after the first norm of each block, by the block's number in the trunk."""
        rows: dict[int, Tensor] = {}
        hooks = []
        for number, (_, block) in enumerate(transformer_blocks(self)):

            def note(_m: Any, _i: Any, out: Tensor, number: int = number) -> None:
                rows[number] = out

            hooks.append(block.norm1.register_forward_hook(note))
        try:
            time_B = torch.zeros(len(reference_BCHW), device=reference_BCHW.device)
            latent_BCHW, context_BSD = reference_BCHW.to(self.dtype), context_BSD.to(self.dtype)
            super().forward(latent_BCHW, time_B, context_BSD, return_dict=False)
        finally:
            for hook in hooks:
                hook.remove()
        return rows

    def used_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that the bank depends on, by name.

        What the network computes after the last block's first norm reaches no loss.
        """
        sides = [side for _, side in trunk_sides(self)]
        last = max(place for place, side in enumerate(sides) if blocks_of(side))
        side, block = sides[last], blocks_of(sides[last])[-1]
        after = [*sides[last + 1 :], self.conv_norm_out, self.conv_out]
        after += [part for name, part in block.named_children() if name != "norm1"]
        after.append(side.attentions[-1].proj_out)
        if side is self.mid_block:
            after.append(side.resnets[-1])
        else:
            after.append(side.upsamplers)
        unused = {id(p) for part in after if part is not None for p in part.parameters()}
        return {name: p for name, p in self.named_parameters() if id(p) not in unused}


def key_value(attention: Attention, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Keys and values of rows (E, L, C), each (E, heads, L, width of a head)."""
    split = (attention.heads, -1)
    key = attention.to_k(rows).unflatten(-1, split).transpose(1, 2)
    return key, attention.to_v(rows).unflatten(-1, split).transpose(1, 2)


def attend(attention: Attention, rows: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """What rows (E, L, C) read of keys and values, through the way out, (E, L, C)."""
    query = attention.to_q(rows).unflatten(-1, (attention.heads, -1)).transpose(1, 2)
    out = functional.scaled_dot_product_attention(query, key, value)
    return attention.to_out[0](out.transpose(1, 2).flatten(-2))


def reference_attention(
    attention: Attention, rows_ENC: Tensor, bank_BNC: Tensor | None, frames: int
) -> Tensor:
    """Self-attention of the frames' rows (BF, N, C) over themselves and their clip's bank.

    Without a bank it is plain self-attention, as where guidance drops the reference.
    """
    read = rows_ENC
    if bank_BNC is not None:
        bank = bank_BNC[:, None].expand(-1, frames, -1, -1).flatten(0, 1)
        read = torch.cat([rows_ENC, bank.to(rows_ENC.dtype)], dim=1)
    return attend(attention, rows_ENC, *key_value(attention, read))
