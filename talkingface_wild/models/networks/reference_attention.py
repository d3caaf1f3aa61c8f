"""Attention that also reads a reference's rows: AnimateAnyone's bank, which may be left out.

Shapes: B clips, F frames (folded into the batch, BF), N places, C channels.
"""

import torch
from diffusers.models.attention_processor import Attention
from torch import Tensor
from torch.nn import functional


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
