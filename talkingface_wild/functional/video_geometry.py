"""Clips brought to the 224 × 224 pixels and the range of values that each FVD protocol feeds I3D.
It neither picks the frames nor crops faces, and it knows no network.
Shape legend: N clips, T frames, H height, W width, C three colours; S is 224.
"""

import math
from collections.abc import Callable, Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

SIDE = 224
"""Side of what I3D sees, in pixels."""

Geometry = Literal["tfw", "stylegan-v", "videogpt", "cd-fvd", "latentsync"]


def squares(clips_NTHWC: Tensor) -> Tensor:
    """tfw-v1: (N, T, H, H, 3) uint8 → (N, 3, T, 224, 224) float32 in −1–1, bilinear, no smoothing.

    Raises ValueError when the frames are not square.
    """
    height, width = clips_NTHWC.shape[2:4]
    if height != width:
        raise ValueError(
            f"Expected square frames, found {width} × {height}; crop them to the canvas first, or "
            "take the geometry 'cd-fvd', which ignores the aspect."
        )
    return stretched(clips_NTHWC)


def stretched(clips_NTHWC: Tensor) -> Tensor:
    """CD-FVD: (N, T, H, W, 3) uint8 → (N, 3, T, 224, 224) float32 in −1–1, aspect ignored."""
    return _bilinear(clips_NTHWC, SIDE, SIDE).mul_(2 / 255).sub_(1)


def centre_cropped(clips_NTHWC: Tensor) -> Tensor:
    """StyleGAN-V and VideoGPT: the shorter side to 224, the middle of the longer one, in −1–1.

    (N, T, H, W, 3) uint8 → (N, 3, T, 224, 224) float32. The longer side is rounded up. Both codes
    give the same values when they begin with bytes.
    """
    height, width = clips_NTHWC.shape[2:4]
    scale = SIDE / min(height, width)
    if height < width:
        resized = _bilinear(clips_NTHWC, SIDE, math.ceil(width * scale))
    else:
        resized = _bilinear(clips_NTHWC, math.ceil(height * scale), SIDE)
    top, left = (resized.shape[3] - SIDE) // 2, (resized.shape[4] - SIDE) // 2
    cropped = resized[:, :, :, top : top + SIDE, left : left + SIDE]
    return cropped.mul(2 / 255).sub_(1)


def averaged(clips_NTHWC: Tensor) -> Tensor:
    """LatentSync: (N, T, H, W, 3) uint8 face crops → (N, 3, T, 224, 224) float32 in 0–1.

    Pixels are averaged over areas by OpenCV. The network was trained on −1–1; LatentSync feeds it
    0–1 all the same, so its values compare with no other protocol's.
    """
    import cv2

    frames = clips_NTHWC.flatten(0, 1).cpu().numpy()
    resized = [
        torch.from_numpy(cv2.resize(frame, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
        for frame in frames
    ]
    clips_NTSSC = torch.stack(resized).view(*clips_NTHWC.shape[:2], SIDE, SIDE, 3)
    return clips_NTSSC.permute(0, 4, 1, 2, 3).to(clips_NTHWC.device).float() / 255


GEOMETRIES: Mapping[Geometry, Callable[[Tensor], Tensor]] = {
    "tfw": squares,
    "stylegan-v": centre_cropped,
    "videogpt": centre_cropped,
    "cd-fvd": stretched,
    "latentsync": averaged,
}
"""The protocols by name; each takes bytes and gives what its network is fed."""


def _bilinear(clips_NTHWC: Tensor, height: int, width: int) -> Tensor:
    """(N, T, H, W, 3) uint8 → (N, 3, T, height, width) float32 in 0–255, pixel centres aligned."""
    frames_NCHW = clips_NTHWC.flatten(0, 1).permute(0, 3, 1, 2).float()
    resized = F.interpolate(frames_NCHW, (height, width), mode="bilinear", align_corners=False)
    return resized.reshape(*clips_NTHWC.shape[:2], 3, height, width).transpose(1, 2)
