"""Features of the reference picture that the present-clip prior is told.

Shapes: T frames, H W pixels (uint8 RGB), C h w a latent, E width of the features.
"""

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional


class ImageFeatures(Protocol):
    """Frozen features of a picture."""

    width: int

    def rows(self, frames_THWC: Tensor, latents_TCHW: Tensor) -> Tensor:
        """(T, E) float32 of each frame, from its pixels or its latents."""
        ...


class LatentFeatures:
    """A latent pooled to 4 x 4 places; needs no weights."""

    SIDE = 4

    def __init__(self, latent_channels: int) -> None:
        self.width = latent_channels * self.SIDE**2

    def rows(self, frames_THWC: Tensor, latents_TCHW: Tensor) -> Tensor:
        """(T, 16 C)."""
        return functional.adaptive_avg_pool2d(latents_TCHW.float(), self.SIDE).flatten(1)


class ClipImageFeatures:
    """CLIP's pooled picture embedding before its projection, 1024 wide for ViT-L/14."""

    MEAN = (0.48145466, 0.4578275, 0.40821073)
    STD = (0.26862954, 0.26130258, 0.27577711)
    BATCH = 16

    def __init__(self, model: Any) -> None:
        self.model = model
        self.width = int(self.model.config.hidden_size)
        self.side = int(self.model.config.image_size)

    @torch.no_grad()
    def rows(self, frames_THWC: Tensor, latents_TCHW: Tensor) -> Tensor:
        """(T, 1024)."""
        batches = [self._batch(part) for part in frames_THWC.split(self.BATCH)]
        return torch.cat(batches)

    def _batch(self, frames_THWC: Tensor) -> Tensor:
        device, dtype = self.model.device, self.model.dtype
        pixels = frames_THWC.to(device).movedim(-1, 1).float() / 255
        size = (self.side, self.side)
        pixels = functional.interpolate(pixels, size, mode="bicubic", antialias=True).clamp(0, 1)
        mean, std = (pixels.new_tensor(v)[:, None, None] for v in (self.MEAN, self.STD))
        vision = getattr(self.model, "vision_model", self.model)
        return vision(((pixels - mean) / std).to(dtype)).pooler_output.float().cpu()
