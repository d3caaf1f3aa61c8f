"""Stable Diffusion's own tensor names, as single files such as v1-5-pruned.safetensors have them.

They are given for diffusers' names, which our networks keep.
"""

import re

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
