"""Fills a model's slots from published checkpoints: all is checked before anything is changed.

A model declares which slots it has. Published weights go by these names:

==================  ===================================================
name                fills
==================  ===================================================
``sd15``            unet trunk, and present q,k,v from its text
                    attention; reference UNet if there is one
``unet``            unet trunk, present q,k,v
``reference_unet``  reference UNet (variant B2)
``vae``             VAE
``animatediff``     temporal q,k,v and norm, from 16 of its 21 modules
``moore``           unet trunk, present q,k,v; reference UNet and
                    landmark guider if there are; temporal q,k,v, norm
``pose_guider``     landmark guider
``clip``            image encoder
``wav2vec2``        audio encoder
==================  ===================================================

Where each is published stands in the manifest (``weights/manifest.yaml``).
A value is a folder, a file, or a hub name, with ``@revision`` where one is pinned; an empty one is
the manifest's own.
``image_encoder``, ``audio_encoder`` and ``landmark_guider`` are other names of ``clip``,
``wav2vec2`` and ``pose_guider``. Where two fill the same network, one that fills nothing else goes
before ``moore``, and ``moore`` before ``sd15``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.models.loading.coverage import LEAST, Coverage
from talkingface_wild.models.loading.match_tensors import Placement, WeightFile
from talkingface_wild.models.loading.tensor_files import read_tensors
from talkingface_wild.weights.hub import locate
from talkingface_wild.weights.manifest import HubWeight, hub_entries

ALIASES = {"image_encoder": "clip", "audio_encoder": "wav2vec2", "landmark_guider": "pose_guider"}

_FILLS: dict[str, dict[str, str]] = {
    "sd15": {"unet": "sd15", "reference_unet": "sd15"},
    "moore": {
        "unet": "moore_unet",
        "reference_unet": "moore_reference_unet",
        "pose_guider": "pose_guider",
        "temporal": "moore_motion_module",
    },
    "unet": {"unet": "sd15"},
    "reference_unet": {"reference_unet": "sd15"},
    "vae": {"vae": "vae"},
    "animatediff": {"temporal": "animatediff"},
    "pose_guider": {"pose_guider": "pose_guider"},
    "clip": {"clip": "clip"},
    "wav2vec2": {"wav2vec2": "wav2vec2"},
}
"""The slots that each name fills, by which entry of the manifest. Later names go first."""
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
    for name, (source, weight, guess) in _fills(reasons, sources).items():
        path, shown = locate(source, weight, guess)
        placements += slots[name].place(WeightFile(read_tensors(path), path, shown))
    return placements


class _Fill(NamedTuple):
    """What fills a slot: where from, the entry of the manifest, whether any file name will do."""

    source: str
    weight: HubWeight
    guess: bool


def _fills(lacking: Mapping[str, str], sources: Mapping[str, str]) -> dict[str, _Fill]:
    """What fills which slot.

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
    filled: dict[str, _Fill] = {}
    for name, fills in _FILLS.items():
        if name not in by_name:
            continue
        for slot, entry in fills.items():
            reason, weight = lacking.get(slot, f"it has no {slot}"), hub_entries()[entry]
            if not reason:
                guess = len(set(fills.values())) == 1
                filled[slot] = _Fill(by_name[name] or weight.hub, weight, guess)
            elif len(fills) == 1:
                raise UsageError(
                    f"Expected a model that takes the weights {name!r}, found that {reason}; "
                    "leave them out, or take another preset or variant."
                )
    return filled
