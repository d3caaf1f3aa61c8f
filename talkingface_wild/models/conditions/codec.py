"""What stands for frames in latent space: Stable Diffusion's VAE, or patches in closed form.

Shapes: T frames, H W pixels (uint8 RGB in and out), C h w a latent.
"""

from typing import Protocol

import torch
from diffusers import AutoencoderKL
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor
from torch.nn import functional


class Codec(Protocol):
    """Frozen both ways."""

    def encode(self, frames_THWC: Tensor) -> Tensor:
        """uint8 (T, H, W, 3) -> latents (T, C, h, w)."""
        ...

    def decode(self, latents_TCHW: Tensor) -> Tensor:
        """Latents -> uint8 (T, H, W, 3)."""
        ...


def to_unit(frames_THWC: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 (..., H, W, 3) -> (..., 3, H, W) in [-1, 1]."""
    return frames_THWC.movedim(-1, -3).to(dtype) / 127.5 - 1


def to_bytes(unit_TCHW: Tensor) -> Tensor:
    """(..., 3, H, W) in [-1, 1] -> uint8 (..., H, W, 3)."""
    scaled = (unit_TCHW.float().clamp(-1, 1) + 1) * 127.5
    return scaled.round().to(torch.uint8).movedim(-3, -1)


class VaeCodec:
    """The mean of the VAE's posterior, scaled; frames go one slice at a time to spare memory."""

    def __init__(self, vae: AutoencoderKL, slice_frames: int = 1) -> None:
        self.vae, self.slice_frames = vae, slice_frames
        self.scale = float(vae.config.scaling_factor)

    @torch.no_grad()
    def encode(self, frames_THWC: Tensor) -> Tensor:
        """uint8 (T, H, W, 3) -> (T, 4, H / 8, W / 8)."""
        unit = to_unit(frames_THWC.to(self.vae.device), self.vae.dtype)
        slices = unit.split(self.slice_frames)
        return torch.cat([self.vae.encode(s).latent_dist.mean for s in slices]) * self.scale

    @torch.no_grad()
    def decode(self, latents_TCHW: Tensor) -> Tensor:
        """(T, 4, h, w) -> uint8 (T, 8 h, 8 w, 3)."""
        slices = (latents_TCHW.to(self.vae.dtype) / self.scale).split(self.slice_frames)
        return torch.cat([to_bytes(self.vae.decode(s).sample) for s in slices])


class PatchCodec(ModelMixin, ConfigMixin):
    """Principal components of square patches: no training, one ``fit``; for the CPU's preset.

    Latents share one scale, so that their components keep their weights: whitened latents make a
    denoiser spend itself on noise (measured by the prototype, docs/mcdm.md).
    """

    config_name = "config.json"
    mean_P: Tensor
    basis_CP: Tensor
    scale: Tensor

    @register_to_config
    def __init__(self, patch: int = 4, channels: int = 8) -> None:
        super().__init__()
        self.register_buffer("mean_P", torch.zeros(3 * patch * patch))
        self.register_buffer("basis_CP", torch.zeros(channels, 3 * patch * patch))
        self.register_buffer("scale", torch.ones(1))

    def fit(self, frames_THWC: Tensor) -> None:
        """Take mean, components and the scale (their root mean square) from frames."""
        patches_NP = self._patches(to_unit(frames_THWC)).transpose(1, 2).flatten(0, 1).double()
        mean_P = patches_NP.mean(dim=0)
        centred = patches_NP - mean_P
        covariance_PP = centred.T @ centred / len(centred)
        basis_CP = torch.linalg.eigh(covariance_PP).eigenvectors.flip(-1).T[: len(self.basis_CP)]
        # A sign convention, so that the same frames give the same basis on every machine.
        largest = basis_CP.abs().argmax(dim=1, keepdim=True)
        basis_CP = basis_CP * basis_CP.gather(1, largest).sign()
        self.mean_P.copy_(mean_P)
        self.basis_CP.copy_(basis_CP)
        self.scale.copy_((centred @ basis_CP.T).square().mean().sqrt().clamp(min=1e-6))

    @torch.no_grad()
    def encode(self, frames_THWC: Tensor) -> Tensor:
        """uint8 (T, H, W, 3) -> (T, C, h, w)."""
        unit = to_unit(frames_THWC.to(self.mean_P.device))
        rows, columns = (side // self.config.patch for side in unit.shape[-2:])
        patches_TNP = self._patches(unit).transpose(1, 2)
        latents_TNC = (patches_TNP - self.mean_P) @ self.basis_CP.T / self.scale
        return latents_TNC.transpose(1, 2).unflatten(-1, (rows, columns))

    @torch.no_grad()
    def decode(self, latents_TCHW: Tensor) -> Tensor:
        """(T, C, h, w) -> uint8 (T, H, W, 3)."""
        rows, columns = (side * self.config.patch for side in latents_TCHW.shape[-2:])
        latents_TNC = latents_TCHW.float().flatten(2).transpose(1, 2) * self.scale
        patches_TNP = latents_TNC @ self.basis_CP + self.mean_P
        unit = functional.fold(
            patches_TNP.transpose(1, 2),
            (rows, columns),
            self.config.patch,
            stride=self.config.patch,
        )
        return to_bytes(unit)

    def _patches(self, unit_TCHW: Tensor) -> Tensor:
        """(T, 3 p p, N)."""
        return functional.unfold(unit_TCHW, self.config.patch, stride=self.config.patch)
