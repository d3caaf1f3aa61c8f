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
    from talkingface_wild.benchmark.resolving import Generators
    from talkingface_wild.core.generator import Generator

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
    trained_on: str
    """One line: the data, and how far each stage went (R33)."""

    def to_json(self) -> dict[str, Any]:
        """What a run keeps of it."""
        return {
            "trained_on": self.trained_on,
            "checkpoint": {"folder": str(self.folder), "preset": self.preset, "side": self.side},
        }


def generators(device: str, sampling: Sampling) -> Generators:
    """By name, what opens a generator from its checkpoint on a device."""
    return {"mcdm": functools.partial(_mcdm, device=device, sampling=sampling)}


def checkpoint_facts(model: str, checkpoint: Path | None) -> CheckpointFacts:
    """Raises UsageError without a checkpoint, InputUnreadable for what is none, ExtraMissing."""
    if checkpoint is None:
        raise UsageError(
            f"Expected a checkpoint for the model {model}, found none; train one with "
            f"`tfw train --model {model} --preset tiny --stage all --data DATASET --out runs/tiny` "
            "and give --checkpoint runs/tiny."
        )
    need_models()
    from talkingface_wild.models.mcdm import MCDMConfig
    from talkingface_wild.models.mcdm.parts import CONFIG_NAME
    from talkingface_wild.models.mcdm.pipeline import model_folder

    folder = model_folder(checkpoint)
    path = folder / CONFIG_NAME
    try:
        content = json.loads(path.read_text("utf-8"))
        config = MCDMConfig.from_dict(content["config"], str(path))
        facts = dict(content.get("facts", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputUnreadable(
            f"Expected a checkpoint of {model} in {checkpoint}, found none "
            f"({type(error).__name__}); give the --out of `tfw train --model {model}`."
        ) from error
    said = _trained_on(facts)
    return CheckpointFacts(folder, config.name, config.picture.side, config.to_dict(), said)


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


def _trained_on(facts: Mapping[str, Any]) -> str:
    data = _said(facts.get("trained_on")) or "data that the checkpoint does not name"
    stages = facts.get("stages")
    if not isinstance(stages, Mapping) or not stages:
        return data
    went = [
        f"{name} ({result['iterations']} iterations)"
        if isinstance(result, Mapping) and "iterations" in result
        else str(name)
        for name, result in stages.items()
    ]
    return f"{data}; stages {', '.join(went)}"


def _said(value: Any) -> str:
    """Plain data as words of one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return " and ".join(_said(item) for item in value)
    return "" if value is None else str(value)
