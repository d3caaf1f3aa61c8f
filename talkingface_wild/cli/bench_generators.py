"""The generators of ``models/`` as ``tfw bench`` offers them: by name, each opened when it is asked
for. What a checkpoint says of itself is read here without its weights.
"""

from __future__ import annotations

import dataclasses
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.errors import ExtraMissing, InputUnreadable, UsageError

if TYPE_CHECKING:
    from talkingface_wild.benchmark.clips import ClipSet
    from talkingface_wild.benchmark.resolving import Generators
    from talkingface_wild.core.generator import Generator

LEARNED = ("train", "val")
"""Splits that training sees."""
NAMES = ("mcdm",)
"""What ``--model`` may name of ``models/``."""
OPTIONS = {"steps": "--steps", "guidance": "--cfg"}
"""What of ``Sampling`` is asked for by which option."""


@dataclass(frozen=True)
class Sampling:
    """How a generator samples where that is not its checkpoint's own way."""

    steps: int | None = None
    guidance: float | None = None

    def given(self) -> dict[str, Any]:
        """Only what was asked for."""
        return {k: v for k, v in dataclasses.asdict(self).items() if v is not None}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value:g}" for name, value in self.given().items())


@dataclass(frozen=True)
class CheckpointFacts:
    """What a checkpoint says of itself."""

    folder: Path
    """The one with the networks."""
    preset: str
    side: int
    config: Mapping[str, Any]
    data: str
    """What it was trained on (R33)."""
    dataset: str
    """The name of that data set, empty where it is not said."""
    stages: str
    """How far each stage went."""
    cautions: tuple[str, ...] = ()
    """What must be said of numbers that it makes."""

    @property
    def trained_on(self) -> str:
        """One line: the data, and how far each stage went."""
        return f"{self.data}; stages {self.stages}" if self.stages else self.data

    def seen(self, clips: ClipSet) -> int:
        """How many of the clips are of the part of a data set that it learned from."""
        if self.dataset != clips.name:
            return 0
        return sum(clip.split in LEARNED for clip in clips.clips)

    def of_run(self, clips: ClipSet) -> tuple[dict[str, Any], list[str]]:
        """What a run on these clips keeps of it, and what is to be noted."""
        seen, trained_on, notes = self.seen(clips), self.trained_on, list(self.cautions)
        if seen:
            of = f"{seen} of {len(clips.clips)} scored clips"
            trained_on += f"; {of} are among it"
            notes.append(f"The model learned from {of}: these figures are not held out.")
        checkpoint = {"folder": str(self.folder), "preset": self.preset, "side": self.side}
        return {"trained_on": trained_on, "checkpoint": checkpoint}, notes


def generators(device: str, sampling: Sampling) -> Generators:
    """By name, what opens a generator from its checkpoint on a device."""
    return {"mcdm": functools.partial(_mcdm, device=device, sampling=sampling)}


def checkpoint_facts(model: str, checkpoint: Path | None, called: str = "") -> CheckpointFacts:
    """What a checkpoint says of itself; ``called`` is what the reader knows the model by.

    Raises UsageError without a checkpoint, InputUnreadable for what is none, ExtraMissing."""
    if checkpoint is None:
        raise UsageError(
            f"Expected a checkpoint for the model {model}, found none; train one with "
            f"`tfw train --model {model} --preset tiny --stage all --data DATASET --out runs/tiny` "
            "and give --checkpoint runs/tiny."
        )
    need_models()
    from talkingface_wild.models.mcdm import MCDMConfig
    from talkingface_wild.models.mcdm.analyses.checkpoint import SMALL, Checkpoint, cautions
    from talkingface_wild.models.mcdm.networks import CONFIG_NAME

    folder = Checkpoint.find(checkpoint).model
    path = folder / CONFIG_NAME
    try:
        content = json.loads(path.read_text("utf-8"))
        config = MCDMConfig.from_dict(content["config"], str(path))
        facts = dict(content.get("facts", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputUnreadable(
            f"Expected an MCDM checkpoint in {folder}, found none that can be read "
            f"({type(error).__name__}); give the --out of `tfw train --model {model}`."
        ) from error
    return CheckpointFacts(
        folder,
        config.name,
        config.picture.side,
        config.to_dict(),
        *_data(facts.get("trained_on")),
        _stages(facts.get("stages")),
        tuple(cautions(SMALL, {called or model: facts})),
    )


def need_models() -> None:
    """Raise ExtraMissing where the packages that generators run on are not installed."""
    try:
        import diffusers  # noqa: F401
        import transformers  # noqa: F401
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the extra 'models', found {error.name} missing; run "
            "pip install -c constraints.txt 'talkingface-wild[models]'."
        ) from error


def _mcdm(checkpoint: Path | None, device: str, sampling: Sampling) -> Generator:
    from talkingface_wild.models.mcdm.generator import MCDMGenerator

    opened = MCDMGenerator.open(checkpoint, device)
    given = sampling.given()
    return MCDMGenerator(opened.pipeline, opened.weights, **given) if given else opened


def _data(told: Any) -> tuple[str, str]:
    """What it was trained on in words, and the data set's name."""
    if not isinstance(told, Mapping):
        return str(told or "data that the checkpoint does not name"), ""
    name, languages = str(told.get("dataset", "")), told.get("languages")
    counts = {key: told.get(key) for key in ("clips", "seconds", "identities")}
    counts["languages"] = len(languages) if isinstance(languages, Mapping) else None
    parts = [f"{key} {count}" for key, count in counts.items() if count]
    parts.append(f"sha256 {str(told.get('sha256', ''))[:8] or 'unknown'}")
    return f"{name or 'a data set'} ({', '.join(parts)})", name


def _stages(stages: Any) -> str:
    went = [
        f"{name} ({result['iterations']} iterations)"
        if isinstance(result, Mapping) and "iterations" in result
        else str(name)
        for name, result in (stages.items() if isinstance(stages, Mapping) else ())
    ]
    return ", ".join(went)
