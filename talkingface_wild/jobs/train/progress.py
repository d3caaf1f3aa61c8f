"""How a whole course of training stands: every part that is asked for, one estimate for all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.parts import Part, PartsProgress
from talkingface_wild.core.reporter import Reporter, Snapshot

if TYPE_CHECKING:
    from talkingface_wild.models.training.loop import TrainingProgress


class TrainingRows:
    """Rows of a course: features, an encoder each, stages; finished ones are full at once."""

    def __init__(
        self,
        reporter: Reporter,
        parts: Mapping[str, Part],
        stages: Sequence[str],
        done: Mapping[str, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reporter = reporter
        self._parts = PartsProgress("training", list(parts.values()), clock)
        self._stages = {name: stage for stage in stages for name in parts if _in(name, stage)}
        self._begun: set[str] = set()
        for stage in stages:
            if stage in done:
                self.finish(stage)

    def features(self, done: int, total: int) -> None:
        """So many clips are measured."""
        self._parts.update("features", done, total)
        self._reporter.progress(self._snapshot)

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
        self._reporter.progress(self._snapshot)

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


def _in(name: str, stage: str) -> bool:
    """Whether a part of this name belongs to a stage of the course."""
    return name in (stage, f"stage {stage}") or (stage == "encoders" and name.endswith("encoder"))
