"""Fills a model's slots from published checkpoints: all is checked before anything is changed.

A model declares which slots it has; here it is only known how files are put into one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from torch import Tensor

from talkingface_wild.models.loading.coverage import LEAST, Coverage
from talkingface_wild.models.loading.locating import locate
from talkingface_wild.models.loading.match_tensors import Placement
from talkingface_wild.models.loading.sources import layouts
from talkingface_wild.models.loading.tensor_files import read_tensors


class WeightFile(NamedTuple):
    """The tensors of a published file, where it lies, and how a sentence names it."""

    tensors: Mapping[str, Tensor]
    path: Path
    source: str


@dataclass(frozen=True)
class Slot:
    """A place of a model that published weights may fill."""

    place: Callable[[WeightFile], list[Placement]]
    """Pairs a file's tensors with the model's; nothing is changed yet."""
    lacking: str = ""
    """Why this model has no such place, as the end of "found that …"; empty where it has it."""


class HasSlots(Protocol):
    """A model that takes published weights; slots are named as in ``sources``."""

    def slots(self) -> Mapping[str, Slot]:
        """Its slots, those that it lacks included."""
        ...


def cover_weights(model: HasSlots, sources: Mapping[str, str]) -> list[Coverage]:
    """What ``load_weights`` would load; the model is left as it is."""
    return [placement.coverage for placement in _placements(model, sources)]


def load_weights(
    model: HasSlots, sources: Mapping[str, str], least: float = LEAST
) -> list[Coverage]:
    """Fill the networks from ``sources``, name to folder, file or hub name (see ``sources``).

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
