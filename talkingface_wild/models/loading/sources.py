"""The names under which published weights may be asked for, and what each of them fills.

==================  ==============================================  ===============================
name                published as, on the Hugging Face hub           fills
==================  ==============================================  ===============================
``sd15``            stable-diffusion-v1-5/stable-diffusion-v1-5     unet trunk, and present q,k,v
                    (runwayml's own is gone): ``unet/``, or         from its text attention;
                    v1-5-pruned-emaonly.safetensors                 reference UNet if there is one
``unet``            the same, or one fine-tuned from it             unet trunk, present q,k,v
``reference_unet``  the same, or Moore's reference_unet.pth         reference UNet (variant B2)
``vae``             stabilityai/sd-vae-ft-mse, or ``vae/`` of       VAE
                    Stable Diffusion 1.5
``animatediff``     guoyww/animatediff: mm_sd_v15_v2.ckpt, or       temporal q,k,v and norm, from 16
                    guoyww/animatediff-motion-adapter-v1-5-2        of its 21 modules
``moore``           patrolli/AnimateAnyone:
                    denoising_unet.pth                              unet trunk, present q,k,v
                    reference_unet.pth                              reference UNet if there is one
                    pose_guider.pth                                 landmark guider if there is one
                    motion_module.pth                               temporal q,k,v and norm
``pose_guider``     pose_guider.pth of the same                     landmark guider
``clip``            openai/clip-vit-large-patch14, its vision part  image encoder
``wav2vec2``        facebook/wav2vec2-base-960h                     audio encoder
==================  ==============================================  ===============================

A value is a folder, a file, or a hub name, with ``@revision`` where one is pinned.
``image_encoder``, ``audio_encoder`` and ``landmark_guider`` are other names of ``clip``,
``wav2vec2`` and ``pose_guider``. Where two fill the same network, one that fills nothing else goes
before ``moore``, and ``moore`` before ``sd15``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.models.loading import animatediff, frozen, moore, stable_diffusion
from talkingface_wild.models.loading.locating import Layout
from talkingface_wild.models.mcdm.parts import MCDMParts

ALIASES = {
    "image_encoder": "clip",
    "audio_encoder": "wav2vec2",
    "landmark_guider": "pose_guider",
}

_FILLS: dict[str, dict[str, Layout]] = {
    "sd15": {
        "unet": stable_diffusion.UNET_LAYOUT,
        "reference_unet": stable_diffusion.UNET_LAYOUT,
    },
    "moore": {
        "unet": moore.TRUNK_LAYOUT,
        "reference_unet": moore.REFERENCE_LAYOUT,
        "pose_guider": moore.GUIDER_LAYOUT,
        "temporal": moore.TEMPORAL_LAYOUT,
    },
    "unet": {"unet": stable_diffusion.UNET_LAYOUT},
    "reference_unet": {"reference_unet": stable_diffusion.UNET_LAYOUT},
    "vae": {"vae": stable_diffusion.VAE_LAYOUT},
    "animatediff": {"temporal": animatediff.LAYOUT},
    "pose_guider": {"pose_guider": moore.ONE_GUIDER_LAYOUT},
    "clip": {"clip": frozen.CLIP_LAYOUT},
    "wav2vec2": {"wav2vec2": frozen.WAV2VEC2_LAYOUT},
}
"""The networks that each name fills, and where it has them. Later names go before earlier ones."""
NAMES = (*_FILLS, *ALIASES)
"""Every name that may be asked for."""


@dataclass(frozen=True)
class Request:
    """One network, the source it is filled from, and where that has it."""

    network: str
    source: str
    layout: Layout


def requests(parts: MCDMParts, sources: Mapping[str, str]) -> list[Request]:
    """What fills what. Raises UsageError for an unknown name, or one that this model can't take."""
    asked: dict[str, str] = {}
    for name, source in sources.items():
        known = ALIASES.get(name, name)
        if known not in _FILLS:
            raise UsageError(
                f"Expected weights of {', '.join(NAMES)}, found {name!r}{nearest(name, NAMES)}."
            )
        if known in asked:
            raise UsageError(
                f"Expected one source of weights for {known!r}, found two; leave one of them out."
            )
        asked[known] = source
    found: dict[str, Request] = {}
    for name, fills in _FILLS.items():
        if name not in asked:
            continue
        for network, layout in fills.items():
            lacking = _lacking(parts, network)
            if lacking is None:
                found[network] = Request(network, asked[name], layout)
            elif len(fills) == 1:
                raise UsageError(
                    f"Expected a model that takes the weights {name!r}, found that {lacking}; "
                    "leave them out, or take another preset or variant."
                )
    return list(found.values())


def _lacking(parts: MCDMParts, network: str) -> str | None:
    """Why this model has no place for a network's weights, or None."""
    picture, present = parts.config.picture, parts.config.present
    reasons = {
        "reference_unet": (parts.reference_unet is None, "this variant has no reference UNet"),
        "pose_guider": (parts.landmark_guider is None, f"its head tokens come from {present.head}"),
        "vae": (picture.codec != "vae", f"its codec is {picture.codec}"),
        "clip": (present.image != "clip", f"its image features are {present.image}"),
        "wav2vec2": (present.audio != "wav2vec2", f"its sound features are {present.audio}"),
    }
    lacks, reason = reasons.get(network, (False, ""))
    return reason if lacks else None
