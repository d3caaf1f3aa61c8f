"""Frames, and the latents that stand for them."""

from dataclasses import dataclass
from typing import Literal

from talkingface_wild.core.config import Count


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
