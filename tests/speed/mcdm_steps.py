"""Training steps of MCDM's stages, as ``tfw train`` takes them: seconds, the GPU's memory."""

import dataclasses
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from accelerate import Accelerator
from accelerate.state import AcceleratorState

from talkingface_wild.models.mcdm import MCDMConfig, MCDMParts, preset
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.encoder_tasks import run_encoders
from talkingface_wild.models.mcdm.training.stages import run_stage
from talkingface_wild.models.training.loop import TrainingProgress
from tests.speed.mcdm_findings import (
    DEVICE,
    MODEL,
    SMALL,
    Finding,
    forget_peak,
    free,
    gigabytes,
    guarded,
    peak_gigabytes,
    wait,
)
from tests.speed.mcdm_models import full_size, random_clips, random_parts

WARM, TIMED = 3, 8
"""Iterations before the timed ones, and those."""
NEVER = 10**9
STAGES = ("1", "2", "3")


class _EnoughError(Exception):
    """Ends a stage before it saves what nobody wants."""


class StepClock:
    """Watches a training: seconds of each iteration by stage, the first ``warm`` left out."""

    def __init__(self, warm: int = WARM, timed: int = TIMED, stop: bool = True) -> None:
        self.warm, self.timed, self.stop = warm, timed, stop
        self.spent = defaultdict[str, list[float]](list)
        self._since = 0.0

    def watch(self, progress: TrainingProgress) -> None:
        """Called after each iteration."""
        wait()
        now = time.perf_counter()
        if progress.iteration > self.warm:
            self.spent[progress.stage].append(now - self._since)
        elif progress.iteration == self.warm:
            forget_peak()
        self._since = time.perf_counter()
        if self.stop and progress.iteration >= self.warm + self.timed:
            raise _EnoughError

    def seconds(self) -> dict[str, float]:
        """The median of each stage."""
        return {stage: statistics.median(spent) for stage, spent in self.spent.items()}


def accelerator(precision: str) -> Accelerator:
    """A fresh one: accelerate keeps the first one's precision for the whole process."""
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(mixed_precision=precision, cpu=not DEVICE.startswith("cuda"))


def stage_seconds(
    parts: MCDMParts, stage: str, clips: list[CachedClip], timed: int = TIMED
) -> float:
    """Seconds of one iteration of stage 1, 2 or 3; what it trains is thrown away."""
    training, clock = parts.config.training, StepClock(timed=timed)
    own = dataclasses.replace(getattr(training, f"stage{stage}"), iterations=NEVER)
    endless = dataclasses.replace(
        training, validate_every=NEVER, checkpoint_every=NEVER, **{f"stage{stage}": own}
    )
    before = parts.config
    parts.config = dataclasses.replace(before, training=endless)
    runner = accelerator(training.precision)
    try:
        with tempfile.TemporaryDirectory() as folder:
            run_stage(parts, stage, clips, [], Path(folder), clock.watch, runner)
    except _EnoughError:
        return clock.seconds()[f"stage {stage}"]
    finally:
        parts.config = before
        for module in parts.modules().values():
            module.zero_grad(set_to_none=True)
        runner.free_memory()
        free()
    raise RuntimeError("the stage ended by itself: this measured something else")


def encoder_seconds(parts: MCDMParts, clips: list[CachedClip]) -> dict[str, float]:
    """Seconds of one iteration of each encoder's training."""
    training, clock = parts.config.training, StepClock(stop=False)
    short = dataclasses.replace(training.encoders, iterations=WARM + TIMED, warmup=0)
    before = parts.config
    parts.config = dataclasses.replace(
        before, training=dataclasses.replace(training, encoders=short)
    )
    runner = accelerator(training.precision)
    try:
        with tempfile.TemporaryDirectory() as folder:
            run_encoders(parts, clips, Path(folder), clock.watch, runner)
    finally:
        parts.config = before
        runner.free_memory()
    return clock.seconds()


def tiny_steps() -> Iterator[Finding]:
    """Every stage of the preset ``tiny`` at its own batch, on the CPU."""
    config = preset("tiny")
    parts, clips = random_parts(config, small=False), random_clips(config)
    for name, spent in encoder_seconds(parts, clips).items():
        yield _finding(f"tiny, {name}", config.training.encoders.batch, spent)
    for stage in STAGES:
        batch = getattr(config.training, f"stage{stage}").batch
        spent = stage_seconds(parts, stage, clips, timed=20)
        yield _finding(f"tiny, stage {stage}", batch, spent)


def full_steps() -> Iterator[Finding]:
    """Every stage of the preset ``paper`` in bf16 at batch 1 and 4, with gradient checkpointing."""
    parts = random_parts(_trained(1), SMALL, frozen=False)
    clips = random_clips(parts.config)
    parts.to(DEVICE)

    def encoders() -> Iterator[Finding]:
        for name, spent in encoder_seconds(parts, clips).items():
            yield _finding(f"{MODEL}, {name}", parts.config.training.encoders.batch, spent)

    yield from guarded(f"{MODEL}, encoders", encoders)
    for stage in STAGES:
        for batch in (1, 4):
            name = f"{MODEL}, stage {stage}, bf16, gradient checkpointing"
            measure = partial(_full, parts, clips, name, stage, batch)
            yield from guarded(f"{name}, batch {batch}", measure)


def _full(
    parts: MCDMParts, clips: list[CachedClip], name: str, stage: str, batch: int
) -> Iterator[Finding]:
    parts.config = _trained(batch)
    spent = stage_seconds(parts, stage, clips)
    yield _finding(name, batch, spent, peak_gigabytes())


def _trained(batch: int) -> MCDMConfig:
    return full_size(
        SMALL,
        *(f"training.stage{stage}.batch={batch}" for stage in STAGES),
        "training.precision=bf16",
        "training.gradient_checkpointing=true",
    )


def _finding(name: str, batch: int, spent: float, peak: float = float("nan")) -> Finding:
    figure = f"{spent:.3f} s, that is {1 / spent:.2f} steps/s"
    if peak == peak:
        figure += f"; peak {gigabytes(peak)}"
    numbers = {"seconds": spent, "batch": batch, "peak_gigabytes": peak}
    return Finding(f"a training step, {name}, batch {batch}", figure, "–", numbers)
