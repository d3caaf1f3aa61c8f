"""Stable Diffusion 1.5's UNet and VAE: diffusers folders, single files, fine-tuned ones."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL
from torch import Tensor, nn

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions.picture_config import PictureConfig
from talkingface_wild.models.loading.locating import FileLayout
from talkingface_wild.models.loading.match_tensors import Names, Placement, place
from talkingface_wild.models.loading.original_names import unet_name, vae_name
from talkingface_wild.models.loading.tensor_files import read_json
from talkingface_wild.models.networks.trunk import TrunkConfig

UNET_LAYOUT = FileLayout(
    "Stable Diffusion 1.5's UNet",
    ("diffusion_pytorch_model",),
    ("unet", ""),
    ("v1-5-pruned-emaonly.safetensors", "v1-5-pruned.safetensors"),
)
VAE_LAYOUT = FileLayout(
    "Stable Diffusion's VAE",
    ("diffusion_pytorch_model",),
    ("vae", ""),
    (
        "vae-ft-mse-840000-ema-pruned.safetensors",
        "v1-5-pruned-emaonly.safetensors",
        "v1-5-pruned.safetensors",
    ),
)
ADVICE = "take a complete Stable Diffusion 1.5, such as stable-diffusion-v1-5/stable-diffusion-v1-5"
_SCHEDULE = r"^(alphas|betas|log_|logvar|lvlb|posterior_|sqrt_|scale_factor)"
_NOT_UNET = (
    rf"^(first_stage_model|cond_stage_model|model_ema|loss)\.|\.motion_modules\.|{_SCHEDULE}"
)
_NOT_VAE = rf"^(model|cond_stage_model|model_ema|loss)\.|{_SCHEDULE}"
_SD15_VAE: dict[str, Any] = {
    "block_out_channels": (128, 256, 512, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "layers_per_block": 2,
    "latent_channels": 4,
}


def trunk_names(unet: nn.Module, trunk: TrunkConfig, own: str = "") -> Names:
    """The 686 tensors (at full size) that SD 1.5 has, out of those of a UNet.

    ``own`` is a pattern of the tensors that the network has beside them.
    """
    names = {}
    for name in unet.state_dict():
        if not (own and re.search(own, name)):
            original = unet_name(name, trunk.layers, trunk.attention)
            names[name] = (name, f"model.diffusion_model.{original}", original)
    return names


def place_trunk(
    unet: nn.Module,
    trunk: TrunkConfig,
    tensors: Mapping[str, Tensor],
    source: str,
    *,
    own: str = "",
    group: str = "unet trunk",
    idle: str | None = None,
) -> Placement:
    """A UNet's trunk; ``own`` as in ``trunk_names``, ``idle`` as in ``place``."""
    names = trunk_names(unet, trunk, own)
    return place(group, source, unet, names, tensors, left_out=_NOT_UNET, idle=idle, advice=ADVICE)


def place_reference(
    unet: nn.Module, trunk: TrunkConfig, tensors: Mapping[str, Tensor], source: str
) -> Placement:
    """A reference UNet; Moore's file has no way out, and nothing reads it."""
    way_out = r"^conv_(norm_)?out\."
    return place_trunk(unet, trunk, tensors, source, group="reference_unet", idle=way_out)


def vae_names(vae: nn.Module, levels: int) -> Names:
    """The VAE's tensors, under today's names, those before diffusers 0.15, and the original's."""
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    names = {}
    for name in vae.state_dict():
        original = vae_name(name, levels)
        before = name
        if ".attentions." in name:
            for new, former in old.items():
                before = before.replace(f".{new}.", f".{former}.")
        names[name] = (name, before, f"first_stage_model.{original}", original)
    return names


def place_vae(
    tensors: Mapping[str, Tensor],
    file: Path,
    picture: PictureConfig,
    source: str,
    attach: Callable[[nn.Module], None],
) -> Placement:
    """A new frozen VAE by the ``config.json`` beside the file, SD's where there is none.

    Raises InputUnreadable when its latents are not those of the configuration.
    """
    beside = file.with_name("config.json")
    raw = read_json(beside) if beside.is_file() else _SD15_VAE
    try:
        vae = AutoencoderKL.from_config(
            {key: value for key, value in raw.items() if not key.startswith("_")}
        )
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InputUnreadable(
            f"Expected the configuration of an AutoencoderKL in {beside}, found another "
            f"({error}); take Stable Diffusion's vae folder or stabilityai/sd-vae-ft-mse."
        ) from error
    levels = len(vae.config.block_out_channels)
    latents = (vae.config.latent_channels, 2 ** (levels - 1))
    if latents != (picture.latent_channels, picture.shrink):
        raise InputUnreadable(
            f"Expected latents of {picture.latent_channels} channels, {picture.shrink} times "
            f"smaller than frames, found a VAE of {latents[0]} channels and {latents[1]} times in "
            f"{source}; take Stable Diffusion's vae folder or stabilityai/sd-vae-ft-mse."
        )
    return place(
        "vae",
        source,
        vae,
        vae_names(vae, levels),
        tensors,
        left_out=_NOT_VAE,
        advice="take Stable Diffusion's vae folder or stabilityai/sd-vae-ft-mse",
        attach=attach,
    )
