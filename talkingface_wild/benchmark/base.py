"""The nouns of scoring: a sample, a score, a metric. No files, no networks, no videos here."""

from __future__ import annotations

import abc
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.counting import counted
from talkingface_wild.core.fingerprint import digest

if TYPE_CHECKING:
    from talkingface_wild.benchmark.extractors.extractor import Extractor
    from talkingface_wild.benchmark.protocol import Protocol

Features = Mapping[str, npt.NDArray[Any]]
"""Named arrays of one extractor for one video or pair; see each extractor for names and shapes."""
Better = Literal["lower", "higher", "one", "none"]
"""Which value is best; ``one``: nearest to 1; ``none``: never ranked."""


@dataclass(frozen=True)
class Sample:
    """What a metric sees of one clip: features by extractor name, and whose face it is.

    A side is empty where it has no video (split halves) or an extractor refused it; ``refused``
    then says why, by ``side/extractor``.
    """

    clip: str
    group: str
    """The identity; clips of one identity are never taken for independent."""
    language: str = ""
    generated: Mapping[str, Features] = field(default_factory=dict)
    reference: Mapping[str, Features] = field(default_factory=dict)
    pair: Mapping[str, Features] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    """Metrics that may not be measured on this clip (a re-framed video and SSIM)."""
    seed: int = 0
    open_set: bool = False
    """There is no real video: what stands on the reference side is the portrait."""

    def refusal(self, side: str, extractor: str) -> str:
        """Why there are no features of ``side``."""
        missing = "there is no video" if side == "generated" else "there is no reference"
        return self.refused.get(f"{side}/{extractor}", missing)


@dataclass(frozen=True)
class Score:
    """A number with what made it. None values are explained by ``note``.

    ``low`` and ``high`` bound the 95 % interval; ``n`` counts ``unit``. ``clips`` holds per-clip
    values where the metric has them, ``replicates`` the leave-one-fold-out values where it is a
    distance between sets. ``raw`` is the value before a negative rounding error is shown as 0.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unit: str
    signature: str = ""
    better: Better = "none"
    note: str = ""
    warnings: tuple[str, ...] = ()
    unofficial: tuple[str, ...] = ()
    """Weights that are not the published ones."""
    raw: float | None = None
    deviation: float | None = None
    """Standard deviation between the seeds of a stochastic method."""
    replicates: Mapping[str, float] = field(default_factory=dict)
    clips: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Further plain data of this metric: the drift curve, a share, a count."""

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``scores.json``; per-clip values live in ``clips.parquet`` instead."""
        data = asdict(self)
        data.pop("clips")
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The score that ``to_json`` wrote."""
        fields = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        for name in ("warnings", "unofficial"):
            fields[name] = tuple(fields.get(name, ()))
        return cls(**fields)


class Metric(abc.ABC):
    """One number over many clips. ``update`` takes samples in any order, ``merge`` another's state.

    A subclass names itself, what it needs, and how the protocol configures it; intervals and folds
    come from ``metrics/clip_mean.py`` and ``metrics/set_distance.py``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    better: ClassVar[Better]
    version: ClassVar[int] = 1
    default: ClassVar[bool] = True
    """Whether ``--metrics all`` takes it."""
    cites: ClassVar[tuple[str, ...]] = ()
    """Keys of ``benchmark/citations.bib``."""
    unit: ClassVar[str] = "clips"
    """What ``n`` counts."""
    jackknife: bool = True
    """Whether a distance between sets is computed again without each fold, for its interval."""

    def __init__(self, protocol: Protocol, folds: Mapping[str, int]) -> None:
        self.protocol = protocol
        self.folds = folds
        self.reset()

    @classmethod
    @abc.abstractmethod
    def extractors(cls, protocol: Protocol) -> tuple[Extractor, ...]:
        """What has to be measured of each clip before this metric can be updated."""

    @classmethod
    def compares(cls, protocol: Protocol) -> bool:
        """Whether it holds frames against the reference's: barred where a video is re-framed."""
        return any(extractor.pair for extractor in cls.extractors(protocol))

    @classmethod
    def weights(cls, protocol: Protocol) -> tuple[str, ...]:
        """The weights that its extractors load, each once."""
        names = (name for extractor in cls.extractors(protocol) for name in extractor.weights())
        return tuple(dict.fromkeys(names))

    def label(self) -> str:
        """What a reader of the signature has to see first: the resize, the geometry, the window."""
        return ""

    def choices(self) -> Any:
        """Settings of the protocol, beyond the extractors' own, that change its value."""
        return None

    def signature_part(self, weights: Mapping[str, Mapping[str, Any]], n: int) -> str:
        """``name=label:hashes:count:choices``: the weights' first digits, how many of what, and a
        hash over versions and every setting, so that nothing differs silently.
        """
        names = self.weights(self.protocol)
        shas = [str(weights.get(name, {}).get("sha256") or "none")[:8] for name in names]
        settings = [extractor.identity() for extractor in self.extractors(self.protocol)]
        settings_hash = digest([self.name, self.version, settings, self.choices()], 6)
        parts = (self.label(), "+".join(shas), self.count(n), settings_hash)
        return f"{self.name}=" + ":".join(part for part in parts if part)

    def count(self, n: int) -> str:
        """How many rows made a distance between sets, such as ``7500f``; empty for means."""
        return ""

    def reset(self) -> None:
        """Forget every sample."""
        self.reasons: Counter[str] = Counter()
        """Why clips were left out."""

    @abc.abstractmethod
    def update(self, sample: Sample) -> None:
        """Take in one clip."""

    def merge(self, other: Self) -> None:
        """Take in all that ``other`` has seen."""
        self.reasons += other.reasons

    @abc.abstractmethod
    def compute(self) -> Score:
        """The score over all samples so far; its signature is filled in by the suite."""

    def omissions(self) -> str:
        """How many clips were left out and why, for the note."""
        return "; ".join(f"{counted(n, 'clip')}: {reason}" for reason, n in self.reasons.items())

    def no_value(self, n: int, note: str) -> Score:
        """The score without a value."""
        return Score(self.name, None, None, None, n, self.unit, better=self.better, note=note)


NOT_FINITE = "features hold NaN or infinity"


def finite(array: npt.NDArray[Any]) -> bool:
    """Whether every value is a number."""
    return bool(np.isfinite(array).all())


def joined(*notes: str | None) -> str:
    """Several notes as one, those that say nothing left out."""
    return "; ".join(note for note in notes if note)
