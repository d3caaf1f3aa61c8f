"""FAVOR+, attention by positive random features (Choromanski et al. 2020), in float32.

Shapes: B batch, H heads, L rows, D width of a head, R random features.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

EPSILON = 1e-4


def feature_count(head_width: int) -> int:
    """The count r = floor(d_h ln d_h) of the paper: 147, 350, 812 for SD 1.5's heads."""
    return max(1, int(head_width * math.log(head_width)))


def orthogonal_features(count: int, head_width: int, generator: torch.Generator) -> Tensor:
    """(R, D) Gaussian rows, orthogonal in blocks of D, each as long as a Gaussian vector is."""
    blocks = []
    for _ in range(math.ceil(count / head_width)):
        gaussian_DD = torch.randn(head_width, head_width, generator=generator, dtype=torch.float64)
        basis_DD, triangle_DD = torch.linalg.qr(gaussian_DD)
        # QR alone fixes signs, and then exp(W x) has not the mean it needs (Mezzadri 2007).
        blocks.append((basis_DD * triangle_DD.diagonal().sign()).T)
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
    exponent_BHLR = _exponents(rows_BHLD, features_RD)
    over = (-1,) if queries else (-2, -1)
    return _from_exponents(exponent_BHLR, exponent_BHLR.detach().amax(over, True), epsilon)


def _exponents(rows_BHLD: Tensor, features_RD: Tensor) -> Tensor:
    rows_BHLD = rows_BHLD.float()
    return rows_BHLD @ features_RD.float().T - rows_BHLD.square().sum(-1, keepdim=True) / 2


def _from_exponents(exponent_BHLR: Tensor, constant: Tensor, epsilon: float) -> Tensor:
    return ((exponent_BHLR - constant).exp() + epsilon) / math.sqrt(exponent_BHLR.shape[-1])


def _seen_kernel(
    phi_query_BHQR: Tensor, exponent_BHLR: Tensor, mask_QL: Tensor, epsilon: float
) -> Tensor:
    """phi(Q) phi(K)^T (B, H, Q, L) where seen, with constants that no unseen key has a part in."""
    peak_BHL1 = exponent_BHLR.detach().amax(dim=-1, keepdim=True)
    phi_key_BHLR = _from_exponents(exponent_BHLR, peak_BHL1, epsilon)
    peak_BHQL = peak_BHL1.transpose(-1, -2).masked_fill(~mask_QL, -torch.inf)
    share_BHQL = (peak_BHQL - peak_BHQL.amax(dim=-1, keepdim=True)).exp()
    return phi_query_BHQR @ phi_key_BHLR.transpose(-1, -2) * share_BHQL


def _in_full_precision(device: torch.device) -> AbstractContextManager[Any]:
    """Autocast off, where the device has any (the meta device has none)."""
    if torch.amp.is_autocast_available(device.type):
        return torch.autocast(device.type, enabled=False)
    return nullcontext()


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
    may see a key, at least one; then the kernel matrix is made, which for a clip's rows is small.
    """
    with _in_full_precision(query_BHQD.device):
        phi_query = positive_features(query_BHQD, features_RD, queries=True, epsilon=epsilon)
        value = value_BHLD.float()
        if mask_QL is None:
            phi_key = positive_features(key_BHLD, features_RD, queries=False, epsilon=epsilon)
            numerator = phi_query @ (phi_key.transpose(-1, -2) @ value)
            denominator = phi_query @ phi_key.sum(dim=-2, keepdim=True).transpose(-1, -2)
        else:
            exponent_BHLR = _exponents(key_BHLD, features_RD)
            kernel = _seen_kernel(phi_query, exponent_BHLR, mask_QL, epsilon)
            numerator = kernel @ value
            denominator = kernel.sum(dim=-1, keepdim=True)
        return (numerator / denominator).to(value_BHLD.dtype)
