"""FAVOR+, attention by positive random features (Choromanski et al. 2020), in float32.

Shapes: B batch, H heads, L rows, D width of a head, R random features.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

EPSILON = 1e-4


def feature_count(head_width: int) -> int:
    """r = floor(d_h ln d_h), the paper's recommendation: 147, 350, 812 for SD 1.5's heads."""
    return max(1, int(head_width * math.log(head_width)))


def orthogonal_features(count: int, head_width: int, generator: torch.Generator) -> Tensor:
    """(R, D) Gaussian rows, orthogonal in blocks of D, each as long as a Gaussian vector is."""
    blocks = []
    for _ in range(math.ceil(count / head_width)):
        gaussian_DD = torch.randn(head_width, head_width, generator=generator, dtype=torch.float64)
        blocks.append(torch.linalg.qr(gaussian_DD).Q.T)
    directions_RD = torch.cat(blocks)[:count]
    lengths_R = torch.randn(count, head_width, generator=generator, dtype=torch.float64).norm(dim=1)
    return (directions_RD * lengths_R[:, None]).float()


def positive_features(
    rows_BHLD: Tensor, features_RD: Tensor, *, queries: bool, epsilon: float = EPSILON
) -> Tensor:
    """phi(x) = exp(W x - |x|^2 / 2 - c) / sqrt(r), (B, H, L, R).

    E[phi(q) phi(k)] is exp(q k). The constant c cancels in the attention: a row's greatest exponent
    for queries, a head's for keys, so that no batch item changes another.
    """
    rows_BHLD = rows_BHLD.float()
    features_RD = features_RD.float()
    exponent_BHLR = rows_BHLD @ features_RD.T - rows_BHLD.square().sum(-1, keepdim=True) / 2
    over = (-1,) if queries else (-2, -1)
    stable_BHLR = exponent_BHLR - exponent_BHLR.detach().amax(dim=over, keepdim=True)
    return (stable_BHLR.exp() + epsilon) / math.sqrt(features_RD.shape[0])


def favor_attention(
    query_BHQD: Tensor,
    key_BHLD: Tensor,
    value_BHLD: Tensor,
    features_RD: Tensor,
    mask_QL: Tensor | None = None,
    epsilon: float = EPSILON,
) -> Tensor:
    """Attention with kernel exp(q k), (B, H, Q, D) in the values' type.

    Without a mask phi(K)^T V is made first, which is linear in L. ``mask_QL`` is True where a query
    may see a key; then the kernel matrix is made, which for the rows of a clip is small.
    """
    with torch.autocast(query_BHQD.device.type, enabled=False):
        phi_query = positive_features(query_BHQD, features_RD, queries=True, epsilon=epsilon)
        phi_key = positive_features(key_BHLD, features_RD, queries=False, epsilon=epsilon)
        value = value_BHLD.float()
        if mask_QL is None:
            numerator = phi_query @ (phi_key.transpose(-1, -2) @ value)
            denominator = phi_query @ phi_key.sum(dim=-2, keepdim=True).transpose(-1, -2)
        else:
            kernel = (phi_query @ phi_key.transpose(-1, -2)) * mask_QL
            numerator = kernel @ value
            denominator = kernel.sum(dim=-1, keepdim=True)
        return (numerator / denominator).to(value_BHLD.dtype)
