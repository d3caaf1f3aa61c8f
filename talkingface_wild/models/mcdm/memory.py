"""The motion memory of equations 4 and 5, in closed form: one triangular matrix, no loop.

Shapes: B batch, F frames, N places, C channels. Frames count from 0 here, from 1 in the paper.
"""

import torch
from torch import Tensor


def update_matrix(frames: int, alpha: float, carried: bool, device: torch.device) -> Tensor:
    """T (F, F), lower triangular, with M = T @ F_ac.

    M_0 = F_ac_0 and M_j = alpha M_{j-1} + (1 - alpha) F_ac_j give T[j, i] = (1 - alpha) alpha^(j-i)
    and T[j, 0] = alpha^j; with a carried memory the first frame is weighed like all others.
    """
    index = torch.arange(frames, device=device)
    age_FF = index[:, None] - index[None, :]
    powers_FF = torch.where(age_FF >= 0, float(alpha) ** age_FF.clamp(min=0), 0.0)
    matrix_FF = (1 - alpha) * powers_FF
    if not carried:
        matrix_FF[:, 0] = powers_FF[:, 0]
    return matrix_FF


def motion_memory(archived_BFNC: Tensor, alpha: float, carried: Tensor | None = None) -> Tensor:
    """M (B, F, N, C) of equations 4 and 5.

    ``carried`` is what the clip before left: (B, N, C), its last row, which goes on as M_{-1};
    or (B, F, N, C), all its rows, then M_j = alpha carried_j + (1 - alpha) F_ac_j.
    """
    if carried is not None and carried.ndim == archived_BFNC.ndim:
        return alpha * carried + (1 - alpha) * archived_BFNC
    frames = archived_BFNC.shape[1]
    matrix_FF = update_matrix(frames, alpha, carried is not None, archived_BFNC.device)
    memory = torch.einsum("ji,binc->bjnc", matrix_FF.to(archived_BFNC.dtype), archived_BFNC)
    if carried is None:
        return memory
    decay_F = float(alpha) ** torch.arange(1, frames + 1, device=memory.device)
    return memory + decay_F.to(memory.dtype)[None, :, None, None] * carried[:, None]
