"""Items and stages: the contract of the engine with what it runs. Knows no video, no scores."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Outcome, Value
from talkingface_wild.core.reasons import Reason

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["split", "measure", "whole"]
SILENT = {"silent": True}
"""Metadata of a config field that changes how work is done but never its result."""


@dataclass(frozen=True)
class Item:
    """One thing to work on: its id, what it is (plain JSON), and the values measured so far.

    ``level`` says which stages see it: a stage with the same level. Items carry references and
    small columns, never media.
    """

    id: str
    level: str
    group: str
    """Key of the gates' per-group bounds; the language, in curation."""
    payload: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Resources:
    """What one worker of a stage asks for; ``gpus`` is used where the machine has one."""

    cpus: float = 1.0
    gpus: float = 0.0
    network: bool = False


@dataclass(frozen=True)
class Workplace:
    """Where a stage may read and write: the output folder ``out``; ``scratch`` may be deleted."""

    out: Path
    device: str = "cpu"
    threads: int = 1
    run: str = ""
    """A name of this run, for what must be shared by its workers."""
    caches: frozenset[str] = frozenset()
    """Names of the caches that stages of this segment read: who fills one may fill another along.
    """

    @property
    def scratch(self) -> Path:
        """The run's own working files: markers, the request to stop."""
        return self.out / "work"

    @property
    def cache(self) -> Path:
        """Files that stages make again when they are missing; emptied after each round of work."""
        return self.out / "work" / "cache"


@dataclass(frozen=True)
class Cache:
    """Files of one item that several stages look at, filled by the first of them, in a folder of
    their own. Its content depends on the columns that it ``needs`` and on its ``version`` alone.
    """

    name: str
    version: int = 1
    needs: tuple[str, ...] = ()

    def folder(self, item: Item, place: Workplace) -> Path:
        """Where it lies; the engine deletes it once no later stage of the segment reads it."""
        return place.cache / self.name / item.id


def config_data(config: Any) -> dict[str, Any]:
    """The fields of a config dataclass that can change a result."""
    return {
        field.name: getattr(config, field.name)
        for field in dataclasses.fields(config)
        if not field.metadata.get("silent")
    }


@dataclass(frozen=True)
class NoSettings:
    """The configuration of a stage with nothing to set: what is accepted is a matter of gates."""


class _Configured(abc.ABC):
    """What a stage over items and one over the whole table declare alike."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    kind: ClassVar[Kind]
    level: ClassVar[str] = "clip"
    needs: ClassVar[tuple[str, ...]] = ()
    """Columns of earlier stages that it reads: their fingerprints become part of its own. Items
    come with the values of these, of what its caches need, and of columns that locate files."""
    columns: ClassVar[tuple[Column, ...]] = ()
    Config: ClassVar[type] = NoSettings
    settings_from: ClassVar[str] = ""
    """A stage whose settings of the same names hold for this one where it sets none itself."""

    def __init__(self, config: Any, place: Workplace) -> None:
        self.config = config
        self.place = place

    @classmethod
    def on_this_machine(cls, config: Any) -> Any:
        """The configuration with what it leaves open chosen by what is here; it is what runs."""
        return config

    @classmethod
    def weights(cls, config: Any) -> tuple[str, ...]:
        """Names in the weights manifest that this configuration loads."""
        return ()

    @classmethod
    def requires(cls, config: Any) -> tuple[str, ...]:
        """Optional packages (import names) that this configuration needs."""
        return ()


class Stage(_Configured):
    """A Split or a Measure over items. Pure given (item, config, weights), so retried and cached.

    ``process`` answers one Outcome per item, in order. It never applies a gate. A stage that needs
    a weight says so by ``weights``; ``open`` loads it, once per worker.
    """

    kind: ClassVar[Kind] = "measure"
    covers: ClassVar[tuple[str, ...]] = ()
    """Columns of earlier stages that its own results hold for: who needs one of them behind it
    depends on this stage instead."""
    reads: ClassVar[tuple[Cache, ...]] = ()
    """The caches that it looks into; what they need, it needs."""
    reasons: ClassVar[tuple[Reason, ...]] = ()
    """Reasons of its own, beside those of ``core/reasons.py``, for which it or a gate rejects."""
    resources: ClassVar[Resources] = Resources()
    batch_size: ClassVar[int] = 1
    scored: ClassVar[bool] = True
    """Whether ``--score-all`` runs it on rejects too; false for what makes files of kept ones."""
    files: ClassVar[tuple[str, ...]] = ()
    """Columns that name files it writes under the output folder, each under a name that no other
    bytes will have: a result counts while its files are there."""

    @classmethod
    def identity(cls, config: Any) -> dict[str, Any]:
        """The settings that can change a result, for the fingerprint."""
        return config_data(config)

    def open(self) -> None:
        """Load what ``process`` needs; called once in each worker before the first item."""
        return

    @abc.abstractmethod
    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One outcome per item, in order."""


class Whole(_Configured):
    """A stage over the whole table of items that are still kept: identities, duplicates, split.

    Cheap and pure: computed anew for every commit, never journaled. Its answer must not depend on
    the order of the rows.
    """

    kind: ClassVar[Kind] = "whole"

    @abc.abstractmethod
    def compute(self, table: pd.DataFrame) -> pd.DataFrame:
        """Values for all: a frame with this stage's columns and the index (item ids) of ``table``.

        ``table`` holds who the items are (item_id, level, parent_id, root_id, born, group) and the
        columns that the stage ``needs``, no others.
        """
