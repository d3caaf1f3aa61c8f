"""Frames resized to a square in the three ways that FID is computed in. No network, no scaling
of values: bytes go in, grey levels 0–255 come out, and none is rounded.
Shape legend: N frames, H height, W width, C three colours, S the square's side.
"""

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor


def tf1_bilinear(frames_NHWC: Tensor, side: int) -> Tensor:
    """(N, H, W, 3) uint8 → (N, 3, S, S) float32 in 0–255, as TensorFlow 1 resized.

    Place x of the result is read at x · W / S of the frame: pixel corners are aligned at the left
    and top, nothing is smoothed first, and the last row and column repeat. This is the resize of
    torch-fidelity, torchmetrics and StyleGAN's metrics.
    """
    height, width = frames_NHWC.shape[1:3]
    above, below, down = _places(height, side, frames_NHWC.device)
    left, right, across = _places(width, side, frames_NHWC.device)
    rows_NSWC = torch.lerp(
        frames_NHWC.index_select(1, above).float(),
        frames_NHWC.index_select(1, below).float(),
        down[None, :, None, None],
    )
    resized_NSSC = torch.lerp(
        rows_NSWC.index_select(2, left),
        rows_NSWC.index_select(2, right),
        across[None, None, :, None],
    )
    return resized_NSSC.permute(0, 3, 1, 2)


def half_pixel_bilinear(frames_NHWC: Tensor, side: int) -> Tensor:
    """(N, H, W, 3) uint8 → (N, 3, S, S) float32 in 0–255: pixel centres aligned, no smoothing.

    This is the resize of pytorch-fid: torch's bilinear interpolation with ``align_corners`` off.
    """
    frames_NCHW = frames_NHWC.permute(0, 3, 1, 2).float()
    return F.interpolate(frames_NCHW, (side, side), mode="bilinear", align_corners=False)


def pil_bicubic(frames_NHWC: Tensor, side: int) -> Tensor:
    """(N, H, W, 3) uint8 → (N, 3, S, S) float32 in 0–255, smoothed as Pillow's bicubic filter does.

    Each colour is resized by itself in floating point and cut to 0–255, not rounded to bytes: the
    resize of clean-fid (Parmar, Zhang and Zhu, 2022). Pillow works on the CPU whatever the device.
    """
    planes_NCHW = frames_NHWC.permute(0, 3, 1, 2).cpu().numpy()
    resized_NCSS = np.empty((*planes_NCHW.shape[:2], side, side), dtype=np.float32)
    for planes_CHW, resized_CSS in zip(planes_NCHW, resized_NCSS, strict=True):
        for plane_HW, target_SS in zip(planes_CHW, resized_CSS, strict=True):
            picture = Image.fromarray(plane_HW.astype(np.float32))
            target_SS[...] = picture.resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.clip(resized_NCSS, 0, 255)).to(frames_NHWC.device)


def _places(size: int, side: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """For each place of the result: the pixels before and after it, and its way between them."""
    places_S = torch.arange(side, dtype=torch.float64, device=device) * (size / side)
    before_S = places_S.long()
    after_S = (before_S + 1).clamp_max(size - 1)
    return before_S, after_S, (places_S - before_S).float()
