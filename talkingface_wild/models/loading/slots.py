"""Fills a model's slots from published checkpoints: all is checked before anything is changed.

A model declares which slots it has. Published weights go by these names:

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

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.models.loading import animation, frozen, stable_diffusion
from talkingface_wild.models.loading.coverage import LEAST, Coverage
from talkingface_wild.models.loading.locating import FileLayout, locate
from talkingface_wild.models.loading.match_tensors import Placement, WeightFile
from talkingface_wild.models.loading.tensor_files import read_tensors

ALIASES = {"image_encoder": "clip", "audio_encoder": "wav2vec2", "landmark_guider": "pose_guider"}

_FILLS: dict[str, dict[str, FileLayout]] = {
    "sd15": {"unet": stable_diffusion.UNET_LAYOUT, "reference_unet": stable_diffusion.UNET_LAYOUT},
    "moore": {
        "unet": animation.TRUNK_LAYOUT,
        "reference_unet": animation.REFERENCE_LAYOUT,
        "pose_guider": animation.GUIDER_LAYOUT,
        "temporal": animation.TEMPORAL_LAYOUT,
    },
    "unet": {"unet": stable_diffusion.UNET_LAYOUT},
    "reference_unet": {"reference_unet": stable_diffusion.UNET_LAYOUT},
    "vae": {"vae": stable_diffusion.VAE_LAYOUT},
    "animatediff": {"temporal": animation.MOTION_LAYOUT},
    "pose_guider": {"pose_guider": animation.ONE_GUIDER_LAYOUT},
    "clip": {"clip": frozen.CLIP_LAYOUT},
    "wav2vec2": {"wav2vec2": frozen.WAV2VEC2_LAYOUT},
}
"""The slots that each name fills, and where it has them. Later names go before earlier ones."""
NAMES = (*_FILLS, *ALIASES)
"""Every name that may be asked for."""


@dataclass(frozen=True)
class Slot:
    """A place of a model that published weights may fill."""

    place: Callable[[WeightFile], list[Placement]]
    """Pairs a file's tensors with the model's; nothing is changed yet."""
    lacking: str = ""
    """Why this model has no such place, as the end of "found that …"; empty where it has it."""


class HasSlots(Protocol):
    """A model that takes published weights; slots are named as in ``_FILLS``."""

    def slots(self) -> Mapping[str, Slot]:
        """Its slots, those that it lacks included."""
        ...


def cover_weights(model: HasSlots, sources: Mapping[str, str]) -> list[Coverage]:
    """What ``load_weights`` would load; the model is left as it is."""
    return [placement.coverage for placement in _placements(model, sources)]


def load_weights(
    model: HasSlots, sources: Mapping[str, str], least: float = LEAST
) -> list[Coverage]:
    """Fill the networks from ``sources``, name to folder, file or hub name (the module's table).

    Returns:
        The coverage of each group that was asked for.

    Raises:
        UsageError: an unknown name, or one that this model has no place for.
        WeightMissing, InputUnreadable: a file is not there, is broken, or covers less than
            ``least`` of its group. Then nothing was changed.
        NetworkUnavailable: a hub name that is not on this machine, and no network.
    """
    placements = _placements(model, sources)
    for placement in placements:
        placement.coverage.check(least)
    if any(tensor.is_meta for p in placements for tensor in p.module.state_dict().values()):
        raise ValueError("the model is on the meta device, which holds no weights")
    for placement in placements:
        placement.put()
    return [placement.coverage for placement in placements]


def _placements(model: HasSlots, sources: Mapping[str, str]) -> list[Placement]:
    slots, placements = model.slots(), []
    reasons = {name: slot.lacking for name, slot in slots.items()}
    for name, (source, layout) in layouts(reasons, sources).items():
        path, shown = locate(source, layout)
        placements += slots[name].place(WeightFile(read_tensors(path), path, shown))
    return placements


def layouts(
    lacking: Mapping[str, str], sources: Mapping[str, str]
) -> dict[str, tuple[str, FileLayout]]:
    """What fills which slot: by its name the source, and where that has it.

    ``lacking`` says of each slot of a model why it has none, nothing where it has one.
    Raises UsageError for an unknown name, or one that the model can't take.
    """
    by_name: dict[str, str] = {}
    for alias, source in sources.items():
        name = ALIASES.get(alias, alias)
        if name not in _FILLS:
            raise UsageError(
                f"Expected weights of {', '.join(NAMES)}, found {alias!r}{nearest(alias, NAMES)}."
            )
        if name in by_name:
            raise UsageError(
                f"Expected one source of weights for {name!r}, found two; leave one of them out."
            )
        by_name[name] = source
    filled: dict[str, tuple[str, FileLayout]] = {}
    for name, fills in _FILLS.items():
        if name not in by_name:
            continue
        for slot, layout in fills.items():
            reason = lacking.get(slot, f"it has no {slot}")
            if not reason:
                filled[slot] = (by_name[name], layout)
            elif len(fills) == 1:
                raise UsageError(
                    f"Expected a model that takes the weights {name!r}, found that {reason}; "
                    "leave them out, or take another preset or variant."
                )
    return filled
