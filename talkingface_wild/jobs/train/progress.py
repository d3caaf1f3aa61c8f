"""How a whole course of training stands: every part that is asked for, one estimate for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from talkingface_wild.cli.board import Board
from talkingface_wild.core.parts import Part, PartsProgress
from talkingface_wild.core.reporter import Snapshot

if TYPE_CHECKING:
    from talkingface_wild.models.mcdm import MCDMConfig
    from talkingface_wild.models.training.loop import TrainingProgress

_SECONDS = {"encoder": 0.037, "stage1": 0.25, "stage2": 0.13, "stage3": 0.36, "features": 1.0}
"""Of an iteration of the preset tiny, of a clip (docs/performance.md, MCDM): parts are weighed by
them until they were measured; other presets are taken to have parts of the same proportions."""
_TINY_BATCH = {"encoder": 32, "stage1": 2, "stage2": 8, "stage3": 2, "features": 1}


class TrainingProgressBoard:
    """Rows of a course: features, an encoder each, stages; finished ones are full at once."""

    def __init__(
        self,
        board: Board,
        config: MCDMConfig,
        stages: Sequence[str],
        done: Any,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        parts = parts_of(config, stages)
        self._board = board
        self._parts = PartsProgress("training", list(parts.values()), clock)
        self._stages = {name: stage for stage in stages for name in parts if _in(name, stage)}
        self._begun: set[str] = set()
        for stage in stages:
            if stage in done:
                self.finish(stage)

    def features(self, done: int, total: int) -> None:
        """So many clips are measured."""
        self._parts.update("features", done, total)
        self._board.show(self._snapshot)

    def iteration(self, progress: TrainingProgress) -> None:
        """An iteration is over."""
        if progress.stage not in self._begun:
            self._begun.add(progress.stage)
            # When this one began is not known: the pace is that of those behind it.
            self._parts.begin(progress.stage, progress.iteration)
        checked = "" if progress.validation is None else f", validation {progress.validation:.4f}"
        self._parts.update(
            progress.stage, progress.iteration, note=f"loss {progress.loss:.4f}{checked}"
        )
        self._board.show(self._snapshot)

    def finish(self, stage: str) -> None:
        """A stage of the course is over, or was before."""
        for name, of in self._stages.items():
            if of == stage:
                self._parts.finish(name)

    def _snapshot(self) -> Snapshot:
        snapshot = self._parts.snapshot()
        number = sum(row.share >= 1 for row in snapshot.rows) + 1
        count = len(snapshot.rows)
        title = f"part {min(number, count)} of {count}"
        return Snapshot(title, snapshot.rows, snapshot.seconds, snapshot.seconds_left)


def parts_of(config: MCDMConfig, stages: Sequence[str]) -> dict[str, Part]:
    """The parts of the stages that are asked for, by the names under which loops report."""
    training, parts = config.training, {}
    for stage in stages:
        if stage == "features":
            parts["features"] = Part("features", None, _SECONDS["features"])
        elif stage == "encoders":
            names = ["lips", "expression"] + ["head"] * (config.present.head == "face_crop")
            for name in names:
                cost = _cost("encoder", training.encoders.batch, training.accumulation)
                part = Part(f"{name} encoder", training.encoders.iterations, cost)
                parts[part.name] = part
        else:
            settings = getattr(training, f"stage{stage}")
            cost = _cost(f"stage{stage}", settings.batch, training.accumulation)
            parts[f"stage {stage}"] = Part(f"stage {stage}", settings.iterations, cost)
    return parts


def _cost(kind: str, batch: int, accumulation: int) -> float:
    return _SECONDS[kind] * batch / _TINY_BATCH[kind] * accumulation


def _in(name: str, stage: str) -> bool:
    """Whether a part of this name belongs to a stage of the course."""
    return name in (stage, f"stage {stage}") or (stage == "encoders" and name.endswith("encoder"))
