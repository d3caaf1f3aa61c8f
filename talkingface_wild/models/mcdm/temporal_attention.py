"""Memory-efficient temporal attention, section 3.4: memory and present rows, along time.

Its kernel is FAVOR+, attention by positive random features (Choromanski et al. 2020), in float32.
Shapes: B clips, F frames, N places, C channels, H heads, D width of a head, L rows, R features.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

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


def motion_memory(archived_BFNC: Tensor, alpha: float, carried: Tensor | None = None) -> Tensor:
    """M (B, F, N, C) of equations 4 and 5, in closed form: M = T @ F_ac, T (F, F) triangular.

    M_0 = F_ac_0 and M_j = alpha M_{j-1} + (1 - alpha) F_ac_j give T[j, i] = (1 - alpha) alpha^(j-i)
    and T[j, 0] = alpha^j (frames count from 0 here, from 1 in the paper). ``carried`` is what the
    clip before left: (B, N, C), its last row, which goes on as M_{-1}, so that the first frame is
    weighed like all others; or (B, F, N, C), all its rows, then M_j = alpha carried_j +
    (1 - alpha) F_ac_j.
    """
    if carried is not None and carried.ndim == archived_BFNC.ndim:
        return alpha * carried + (1 - alpha) * archived_BFNC
    frames = archived_BFNC.shape[1]
    index = torch.arange(frames, device=archived_BFNC.device)
    age_FF = index[:, None] - index[None, :]
    powers_FF = torch.where(age_FF >= 0, float(alpha) ** age_FF.clamp(min=0), 0.0)
    matrix_FF = (1 - alpha) * powers_FF
    if carried is None:
        matrix_FF[:, 0] = powers_FF[:, 0]
    memory = torch.einsum("ji,binc->bjnc", matrix_FF.to(archived_BFNC.dtype), archived_BFNC)
    if carried is None:
        return memory
    decay_F = float(alpha) ** torch.arange(1, frames + 1, device=memory.device)
    return memory + decay_F.to(memory.dtype)[None, :, None, None] * carried[:, None]


FEATURES_AT_ONCE = 2_400_000
"""Heads times random features times places that attend together at inference: of all places at once
they would take gigabytes."""
LARGEST_NORM = 1.2
"""Longest query or key: FAVOR+'s variance grows as exp of the squared length (docs/mcdm.md)."""


def sinusoidal_positions(length: int, width: int) -> Tensor:
    """(length, width): sines on even, cosines on odd channels (Vaswani et al. 2017)."""
    place_L1 = torch.arange(length, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10_000.0) / width))
    positions_LC = torch.zeros(length, width)
    positions_LC[:, 0::2] = torch.sin(place_L1 * rate)
    positions_LC[:, 1::2] = torch.cos(place_L1 * rate[: width // 2])
    return positions_LC


class MemoryTemporalAttention(nn.Module):
    """F_m = the present half of attention over concat_time[M; F_pc^ref]; its way out starts at 0.

    ``memory=False`` is the variant without it: softmax attention over the present rows alone.
    """

    features_RD: Tensor | None
    positions_LC: Tensor

    def __init__(
        self,
        channels: int,
        heads: int,
        frames: int,
        *,
        memory: bool = True,
        attention: str = "favor",
        features: int = 0,
        alpha: float = 0.1,
        output: str = "present",
        qk_norm: bool = True,
        causal: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.heads, self.head_width = heads, channels // heads
        self.frames, self.memory, self.alpha = frames, memory, alpha
        self.favor = memory and attention == "favor"
        self.output, self.qk_norm, self.causal = output, qk_norm and memory, causal
        self.to_q = nn.Linear(channels, channels, bias=False)
        self.to_k = nn.Linear(channels, channels, bias=False)
        self.to_v = nn.Linear(channels, channels, bias=False)
        out = nn.Linear(channels, channels)
        nn.init.zeros_(out.weight)
        nn.init.zeros_(out.bias)
        self.to_out = nn.ModuleList([out])
        if self.qk_norm:
            self.norm_logit_2H = nn.Parameter(torch.full((2, heads), math.log(1.0 / 0.2)))
        count = features or feature_count(self.head_width)
        drawn_RD = torch.empty(count, self.head_width) if self.favor else None
        self.register_buffer("features_RD", drawn_RD)
        self.register_buffer("positions_LC", torch.empty(2 * frames, channels))
        # On the meta device a checkpoint fills the buffers.
        if not self.positions_LC.is_meta:
            self.positions_LC.copy_(sinusoidal_positions(2 * frames, channels))
            self.redraw(torch.Generator().manual_seed(seed))

    def redraw(self, generator: torch.Generator) -> None:
        """New random features; once made they stay, in training and at inference."""
        if self.features_RD is not None:
            count, width = self.features_RD.shape
            self.features_RD.copy_(orthogonal_features(count, width, generator))

    def forward(
        self,
        archived_BFNC: Tensor,
        present_BFNC: Tensor,
        norm: nn.Module,
        carried: Tensor | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """F_m (B, F, N, C), and the memory M (B, F, N, C), none without memory.

        ``carried`` is what ``motion_memory`` takes of the clip before.
        """
        batch, frames, places, channels = present_BFNC.shape
        memory_BFNC = None
        rows = present_BFNC
        if self.memory:
            memory_BFNC = motion_memory(archived_BFNC, self.alpha, carried)
            rows = torch.cat([memory_BFNC, present_BFNC], dim=1)
        length = rows.shape[1]
        rows_MLC = rows.transpose(1, 2).reshape(batch * places, length, channels)
        rows_MLC = norm(rows_MLC) + self._positions(frames, length).to(rows_MLC.dtype)
        read = slice(0, frames) if self.output == "memory" else slice(length - frames, length)
        # Places know nothing of one another: without gradients they go in parts, to spare memory.
        at_once = len(rows_MLC)
        if self.features_RD is not None and not torch.is_grad_enabled():
            at_once = max(1, FEATURES_AT_ONCE // (self.heads * len(self.features_RD)))
        done = [self._attend(part[:, read], part, frames) for part in rows_MLC.split(at_once)]
        out_MFC = self.to_out[0](torch.cat(done))
        return out_MFC.reshape(batch, places, frames, channels).transpose(1, 2), memory_BFNC

    def _positions(self, frames: int, length: int) -> Tensor:
        """Memory rows count from 0, present rows from F on, whatever the clip's length."""
        if length == frames:
            return self.positions_LC[:frames]
        start = self.frames
        return torch.cat([self.positions_LC[:frames], self.positions_LC[start : start + frames]])

    def _attend(self, reading_MQC: Tensor, rows_MLC: Tensor, frames: int) -> Tensor:
        query = self._heads(self.to_q(reading_MQC), 0)
        key = self._heads(self.to_k(rows_MLC), 1)
        value = self._heads(self.to_v(rows_MLC), None)
        mask_QL = self._mask(frames, key.shape[-2], query.device) if self.causal else None
        if self.features_RD is not None:
            if not self.qk_norm:
                scale = self.head_width**-0.25
                query, key = query * scale, key * scale
            out = favor_attention(query, key, value, self.features_RD, mask_QL)
        else:
            scale = 1.0 if self.qk_norm else self.head_width**-0.5
            out = functional.scaled_dot_product_attention(
                query, key, value, attn_mask=mask_QL, scale=scale
            )
        return out.transpose(1, 2).reshape(reading_MQC.shape)

    def _heads(self, projected_MLC: Tensor, which: int | None) -> Tensor:
        split = projected_MLC.unflatten(-1, (self.heads, self.head_width)).transpose(1, 2)
        if which is None or not self.qk_norm:
            return split
        length_H = LARGEST_NORM * torch.sigmoid(self.norm_logit_2H[which])
        unit = functional.normalize(split.float(), dim=-1)
        return (unit * length_H[:, None, None]).to(split.dtype)

    def _mask(self, frames: int, length: int, device: torch.device) -> Tensor:
        """True where frame i may see a row of frame j <= i, in either half."""
        index = torch.arange(frames, device=device)
        seen_FF = index[:, None] >= index[None, :]
        return torch.cat([seen_FF] * (length // frames), dim=1)
