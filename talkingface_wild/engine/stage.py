"""Items and stages: the contract between the engine and what it runs. Knows nothing of video or scores."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Outcome, Value

Kind = Literal["split", "measure", "whole"]


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
    """Where a stage may read and write: ``out`` is the output folder, ``scratch`` may be deleted at any time."""

    out: Path
    device: str = "cpu"
    threads: int = 1

    @property
    def scratch(self) -> Path:
        """Caches that stages make again when they are missing."""
        return self.out / "work"


class Stage(abc.ABC):
    """A Split or a Measure over items. Pure given (item, config, weights): may be retried and cached.

    ``process`` answers one Outcome per item, in order. It never applies a gate. A stage that needs
    a weight says so by ``weights``; ``open`` loads it, once per worker.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    kind: ClassVar[Kind] = "measure"
    level: ClassVar[str] = "clip"
    needs: ClassVar[tuple[str, ...]] = ()
    """Columns of earlier stages that this one reads: their stages' fingerprints become part of its own."""
    columns: ClassVar[tuple[Column, ...]] = ()
    resources: ClassVar[Resources] = Resources()
    batch_size: ClassVar[int] = 1
    Config: ClassVar[type]

    def __init__(self, config: Any, place: Workplace) -> None:
        self.config = config
        self.place = place

    @classmethod
    def weights(cls, config: Any) -> tuple[str, ...]:
        """Names in the weights manifest that this configuration loads."""
        return ()

    @classmethod
    def requires(cls, config: Any) -> tuple[str, ...]:
        """Optional packages (import names) that this configuration needs."""
        return ()

    def open(self) -> None:
        """Load what ``process`` needs; called once in each worker before the first item."""
        return None

    @abc.abstractmethod
    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One outcome per item, in order."""
