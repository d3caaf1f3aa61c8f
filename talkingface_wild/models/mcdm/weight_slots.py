"""Where published weights go in an MCDM: trunk, present and temporal attention, frozen networks.

CrossAttn_pres starts as a copy of the text attention's q, k, v; ways out stay at zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from torch import nn

from talkingface_wild.models.loading.animation import place_guider, place_temporal
from talkingface_wild.models.loading.frozen import place_clip, place_wav2vec2
from talkingface_wild.models.loading.match_tensors import Placement, WeightFile, place
from talkingface_wild.models.loading.slots import Slot
from talkingface_wild.models.loading.stable_diffusion import (
    place_reference,
    place_trunk,
    place_vae,
    trunk_names,
)
from talkingface_wild.models.networks.trunk import TrunkConfig

if TYPE_CHECKING:
    from talkingface_wild.models.mcdm.networks import MCDMParts

OWN = r"\.(attn_pres|mta|norm_mta)\.|^(motion_in|sound_in)\."
"""Tensors of the UNet that Stable Diffusion has not."""
TEMPORAL = {f"mta.to_{way}": f"attn1.to_{way}" for way in "qkv"} | {"norm_mta": "norm1"}
"""Layers of a block, and AnimateDiff's that they start from."""


def place_unet(unet: nn.Module, trunk: TrunkConfig, file: WeightFile) -> list[Placement]:
    """The denoising UNet's trunk, and CrossAttn_pres from its text attention."""
    names = trunk_names(unet, trunk, OWN)
    present = {
        name: names[name.replace(".attn_pres.", ".attn2.")]
        for name in unet.state_dict()
        if re.search(r"\.attn_pres\.to_[qkv]\.weight$", name)
    }
    return [
        place_trunk(unet, trunk, file, own=OWN),
        place(
            "present q,k,v", file.source, unet, present, file.tensors, left_out=".", derived=True
        ),
    ]


def slots_of(parts: MCDMParts) -> dict[str, Slot]:
    """The slots of a model, and why it lacks those that it lacks."""
    config = parts.config
    picture, present, trunk = config.picture, config.present, config.trunk
    networks = parts.modules()

    def attach(name: str) -> Callable[[nn.Module], None]:
        """Makes a new frozen network one of the model's."""
        return lambda module: setattr(
            parts, name, module.to(parts.device).eval().requires_grad_(False)
        )

    def reason(lacks: bool, why: str) -> str:
        return why if lacks else ""

    return {
        "unet": Slot(lambda f: place_unet(networks["unet"], trunk, f)),
        "reference_unet": Slot(
            lambda f: [place_reference(networks["reference_unet"], trunk, f)],
            reason("reference_unet" not in networks, "this variant has no reference UNet"),
        ),
        "temporal": Slot(lambda f: [place_temporal(networks["unet"], TEMPORAL, f)]),
        "pose_guider": Slot(
            lambda f: [place_guider(networks["landmark_guider"], f)],
            reason("landmark_guider" not in networks, f"its head tokens come from {present.head}"),
        ),
        "vae": Slot(
            lambda f: [place_vae(f, picture, attach("vae"))],
            reason(picture.codec != "vae", f"its codec is {picture.codec}"),
        ),
        "clip": Slot(
            lambda f: [place_clip(f, present.image_width, attach("image_encoder"))],
            reason(present.image != "clip", f"its image features are {present.image}"),
        ),
        "wav2vec2": Slot(
            lambda f: [place_wav2vec2(f, present.audio_width, attach("audio_encoder"))],
            reason(present.audio != "wav2vec2", f"its sound features are {present.audio}"),
        ),
    }
