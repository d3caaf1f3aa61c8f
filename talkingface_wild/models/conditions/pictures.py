"""Frames of a model, and pictures on the way into it and out: squares of its side, other sizes.

Shapes: T frames, H W pixels (uint8 RGB), S the side of a square.
"""

from typing import Any, Literal

import numpy as np
import torch
from pydantic.dataclasses import dataclass
from torch import Tensor
from torch.nn import functional

from talkingface_wild.core.config import Count
from talkingface_wild.core.errors import InputUnreadable


@dataclass(frozen=True)
class PictureConfig:
    """Frames and what stands for them in latent space."""

    side: Count = 512
    """Width and height of a frame in pixels."""
    fps: Count = 25
    """Frames a second (R24)."""
    codec: Literal["vae", "pca"] = "vae"
    """``vae``: Stable Diffusion's frozen VAE (R27); ``pca``: closed-form patches, for a CPU."""
    latent_channels: Count = 4
    """Channels of a latent."""
    shrink: Count = 8
    """Pixels on a side for one latent on a side."""

    @property
    def latent_side(self) -> int:
        """Width and height of a latent."""
        return self.side // self.shrink


def resized(frames_THWC: Tensor, height: int, width: int) -> Tensor:
    """Frames of another size, bicubic and smoothed where they shrink; uint8."""
    if tuple(frames_THWC.shape[1:3]) == (height, width):
        return frames_THWC
    pixels_TCHW = frames_THWC.movedim(-1, 1).float()
    scaled = functional.interpolate(pixels_TCHW, (height, width), mode="bicubic", antialias=True)
    return scaled.round().clamp(0, 255).to(torch.uint8).movedim(1, -1)


def portrait_tensor(portrait: Any, side: int) -> Tensor:
    """(S, S, 3) of a square picture, an array or PIL. Raises InputUnreadable for another."""
    picture = torch.as_tensor(np.array(portrait))
    if picture.ndim != 3 or picture.shape[-1] != 3 or picture.dtype != torch.uint8:
        raise InputUnreadable(
            f"Expected a picture (side, side, 3) of uint8, found {tuple(picture.shape)} of "
            f"{str(picture.dtype).removeprefix('torch.')}; give it as RGB."
        )
    height, width = picture.shape[:2]
    if height != width:
        raise InputUnreadable(
            f"Expected a square picture of a face, found {width} x {height}; cut the face out, "
            "as 'tfw generate' does."
        )
    return resized(picture[None], side, side)[0]


def padded_square(picture_HWC: Tensor) -> tuple[Tensor, tuple[int, int]]:
    """A picture in the middle of a black square, and its top and left there."""
    height, width = picture_HWC.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    square = picture_HWC.new_zeros(side, side, 3)
    square[top : top + height, left : left + width] = picture_HWC
    return square, (top, left)
