"""Stable Diffusion 1.5's UNet and VAE: diffusers folders, single files, fine-tuned ones.

Our networks keep diffusers' names; single files such as v1-5-pruned.safetensors have the original
ones, which ``unet_name`` and ``vae_name`` give.
"""

import re
from collections.abc import Callable
from typing import Any

from diffusers import AutoencoderKL
from torch import nn

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions.pictures import PictureConfig
from talkingface_wild.models.loading.match_tensors import Names, Placement, WeightFile, place
from talkingface_wild.models.loading.tensor_files import read_json
from talkingface_wild.models.networks.trunk import TrunkConfig

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
_UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
    "mid_block.resnets.0": "middle_block.0",
    "mid_block.attentions.0": "middle_block.1",
    "mid_block.resnets.1": "middle_block.2",
}
_UNET_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_VAE_ATTENTION = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}
_SIDE = re.compile(r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)")


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
    file: WeightFile,
    *,
    own: str = "",
    group: str = "unet trunk",
    idle: str | None = None,
) -> Placement:
    """A UNet's trunk; ``own`` as in ``trunk_names``, ``idle`` as in ``place``."""
    names = trunk_names(unet, trunk, own)
    return place(
        group, file.source, unet, names, file.tensors, left_out=_NOT_UNET, idle=idle, advice=ADVICE
    )


def place_reference(unet: nn.Module, trunk: TrunkConfig, file: WeightFile) -> Placement:
    """A reference UNet; Moore's file has no way out, and nothing reads it."""
    way_out = r"^conv_(norm_)?out\."
    return place_trunk(unet, trunk, file, group="reference_unet", idle=way_out)


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
    file: WeightFile, picture: PictureConfig, attach: Callable[[nn.Module], None]
) -> Placement:
    """A new frozen VAE by the ``config.json`` beside the file, SD's where there is none.

    Raises InputUnreadable when its latents are not those of the configuration.
    """
    beside = file.path.with_name("config.json")
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
            f"{file.source}; take Stable Diffusion's vae folder or stabilityai/sd-vae-ft-mse."
        )
    return place(
        "vae",
        file.source,
        vae,
        vae_names(vae, levels),
        file.tensors,
        left_out=_NOT_VAE,
        advice="take Stable Diffusion's vae folder or stabilityai/sd-vae-ft-mse",
        attach=attach,
    )


def unet_name(name: str, layers: int, attention: tuple[bool, ...]) -> str:
    """The name of a UNet's tensor below ``model.diffusion_model.``.

    ``layers`` is the residual blocks of a level, ``attention`` which levels have transformers.
    """
    for ours, theirs in _UNET_ENDS.items():
        if name.startswith(f"{ours}."):
            moved = theirs + name.removeprefix(ours)
            return _renamed(moved, _UNET_RESNET) if ".resnets." in ours else moved
    side = _SIDE.match(name)
    if side is None:
        return name
    which, level, kind, number = side[1], int(side[2]), side[3], int(side[4])
    rest = name[side.end() :]
    if which == "down":
        if kind == "downsamplers":
            return f"input_blocks.{(level + 1) * (layers + 1)}.0.op{rest.removeprefix('.conv')}"
        place = f"input_blocks.{1 + level * (layers + 1) + number}"
    else:
        place = (
            f"output_blocks.{level * (layers + 1) + (layers if kind == 'upsamplers' else number)}"
        )
        if kind == "upsamplers":
            return f"{place}.{2 if attention[::-1][level] else 1}{rest}"
    if kind == "attentions":
        return f"{place}.1{rest}"
    return _renamed(f"{place}.0{rest}", _UNET_RESNET)


def vae_name(name: str, levels: int) -> str:
    """The name of an autoencoder's tensor below ``first_stage_model.``."""
    half, _, inside = name.partition(".")
    if half not in ("encoder", "decoder"):
        return name
    if inside.startswith("conv_norm_out."):
        return f"{half}.{inside.removeprefix('conv_')}"
    if middle := re.match(r"mid_block\.(resnets|attentions)\.(\d+)", inside):
        rest = inside[middle.end() :]
        if middle[1] == "attentions":
            return _renamed(f"{half}.mid.attn_1{rest}", _VAE_ATTENTION)
        return f"{half}.mid.block_{int(middle[2]) + 1}{_shortcut(rest)}"
    side = _SIDE.match(inside)
    if side is None:
        return name
    level = int(side[2]) if side[1] == "down" else levels - 1 - int(side[2])
    rest = inside[side.end() :]
    if side[3] in ("downsamplers", "upsamplers"):
        return f"{half}.{side[1]}.{level}.{side[1]}sample{rest}"
    return f"{half}.{side[1]}.{level}.block.{side[4]}{_shortcut(rest)}"


def _renamed(name: str, renamed: dict[str, str]) -> str:
    """The parts of a block under the names they had."""
    for ours, theirs in renamed.items():
        if (start := name.find(f".{ours}.")) >= 0:
            return f"{name[:start]}.{theirs}.{name[start + len(ours) + 2 :]}"
    return name


def _shortcut(rest: str) -> str:
    return rest.replace(".conv_shortcut.", ".nin_shortcut.")
