"""One stage's training loop on accelerate: draws, steps, logs, checkpoints, resumes.

Every random number of an iteration comes from its number alone, so that a run that was stopped goes
on to the same losses, on a CPU to the bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from diffusers.training_utils import EMAModel
from torch import Tensor, nn

from talkingface_wild.core.errors import CheckFailed, Interrupted
from talkingface_wild.core.stopping import stop_requested
from talkingface_wild.models.training.checkpoints import Checkpoints
from talkingface_wild.models.training.logbook import Logbook, read_log


@dataclass(frozen=True)
class LoopSettings:
    """How one stage is trained."""

    iterations: int
    rate: float
    warmup: int = 0
    schedule: str = "constant"
    accumulation: int = 1
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    ema: float = 0.0
    precision: str = "no"
    seed: int = 0
    checkpoint_every: int = 1000
    validate_every: int = 1000

    @classmethod
    def of(cls, training: Any, stage: Any, number: int) -> LoopSettings:
        """From a generator's ``training`` settings and one ``stage``'s among them.

        Every ``number`` draws random numbers of its own.
        """
        names = {f.name for f in fields(cls)}
        both = {**vars(training), **vars(stage), "seed": training.seed * 101 + number}
        return cls(**{name: value for name, value in both.items() if name in names})


@dataclass(frozen=True)
class TrainingProgress:
    """What a watcher is told after an iteration."""

    stage: str
    iteration: int
    iterations: int
    loss: float
    seconds_left: float
    validation: float | None = None


Watch = Callable[[TrainingProgress], None]


class StageModule(nn.Module):
    """What accelerate wraps: the networks of a stage, whose forward pass is the stage's loss."""

    def __init__(self, modules: dict[str, nn.Module], loss: Callable[..., Tensor]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict(modules)
        self.loss = loss

    def forward(self, *arguments: Any) -> Tensor:
        """The loss of one batch."""
        return self.loss(*arguments)


def iteration_generator(seed: int, *numbers: int) -> torch.Generator:
    """The random numbers of one iteration, part and process."""
    mixed = seed
    for number in numbers:
        mixed = (mixed * 1_000_003 + number + 1) % 2**62
    return torch.Generator().manual_seed(mixed)


def rate_at(settings: LoopSettings, iteration: int) -> float:
    """The learning rate of an iteration, counted from 0."""
    if iteration < settings.warmup:
        return settings.rate * (iteration + 1) / settings.warmup
    if settings.schedule == "constant":
        return settings.rate
    span = max(1, settings.iterations - settings.warmup)
    done = (iteration - settings.warmup) / span
    return settings.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


def stop_agreed(accelerator: Accelerator) -> bool:
    """Whether a signal asked any process to end; all of them must ask at the same place."""
    if accelerator.num_processes == 1:
        return stop_requested()
    mine = torch.tensor([int(stop_requested())], device=accelerator.device)
    return bool(accelerator.reduce(mine, "sum").item())


def end_if_stopped(accelerator: Accelerator | None, what: str) -> None:
    """Raise Interrupted, in all processes, once a stop was requested; ``what`` tells what stays."""
    stopped = stop_requested() if accelerator is None else stop_agreed(accelerator)
    if stopped:
        raise Interrupted(f"Interrupted {what}; run the same command again to go on.")


class TrainingLoop:
    """Trains ``parameters`` so that ``loss`` falls. ``draw`` makes a batch from a generator."""

    def __init__(
        self,
        name: str,
        networks: dict[str, nn.Module],
        parameters: dict[str, nn.Parameter],
        settings: LoopSettings,
        draw: Callable[[torch.Generator], Any],
        loss: Callable[[Any, torch.Generator], Tensor],
        folder: Path,
        validate: Callable[[], float] | None = None,
        accelerator: Accelerator | None = None,
        after: Callable[[int], None] | None = None,
    ) -> None:
        self.after = after
        self.name, self.settings, self.draw, self.validate = name, settings, draw, validate
        self.parameters, self.folder = parameters, Path(folder)
        self.accelerator = accelerator or Accelerator(mixed_precision=settings.precision)
        for network in networks.values():
            network.requires_grad_(False)
            network.to(self.accelerator.device)
        for parameter in parameters.values():
            parameter.requires_grad_(True)
        fused = self.accelerator.device.type == "cuda"
        self.optimizer = torch.optim.AdamW(
            parameters.values(),
            lr=settings.rate,
            betas=(0.9, 0.999),
            weight_decay=settings.weight_decay,
            fused=fused,
        )
        module = StageModule(networks, loss)
        self.module, self.optimizer = self.accelerator.prepare(module, self.optimizer)
        self.ema = EMAModel(parameters.values(), settings.ema) if settings.ema else None
        self.checkpoints = Checkpoints(self.folder / "checkpoints")
        self.iteration = 0

    def run(self, watch: Watch | None = None) -> float:
        """Train to the end from the latest checkpoint; gives the last validation or loss.

        Raises CheckFailed when a loss is no number, with the latest checkpoint kept; Interrupted,
        saved, after the whole iteration in which a stop was requested (``core.stopping``).
        """
        self.restore()
        first = self.accelerator.is_main_process
        log = Logbook(self.folder, self.iteration) if first else None
        started, at_start = time.monotonic(), self.iteration
        latest, whole = math.nan, True
        try:
            while self.iteration < self.settings.iterations:
                if stop_agreed(self.accelerator):
                    raise self._interrupted()
                whole = False
                loss = self._step()
                self.iteration += 1
                whole = True
                measured = self._measure()
                latest = loss if measured is None else measured
                if log is not None:
                    log.add(
                        self.iteration, loss, rate_at(self.settings, self.iteration - 1), measured
                    )
                if watch is not None and first:
                    each = (time.monotonic() - started) / (self.iteration - at_start)
                    left = each * (self.settings.iterations - self.iteration)
                    watch(
                        TrainingProgress(
                            self.name,
                            self.iteration,
                            self.settings.iterations,
                            loss,
                            left,
                            measured,
                        )
                    )
                if self.iteration % self.settings.checkpoint_every == 0 or self._ended:
                    self.save()
                if self.after is not None and first and not stop_requested():
                    self.after(self.iteration)
        except KeyboardInterrupt as error:
            raise self._broken_off(whole) from error
        finally:
            if log is not None:
                log.close()
        if self.ema is not None:
            self.ema.copy_to(self.parameters.values())
        if math.isnan(latest):
            latest = self._looked_up()
        return latest

    def _interrupted(self) -> Interrupted:
        """Saves between two iterations; the error that ends the run."""
        if self.iteration:
            self.save()
        return Interrupted(
            f"Interrupted after iteration {self.iteration} of {self.settings.iterations} of "
            f"{self.name}, which is saved; run the same command again to go on."
        )

    def _broken_off(self, whole: bool) -> Interrupted:
        """For a KeyboardInterrupt, a second signal's or one that nobody handles.

        Amid a step weights are ahead of their number; then the latest checkpoint counts.
        """
        if whole and self.iteration and self.accelerator.is_main_process:
            self.checkpoint()
        latest = self.checkpoints.latest()
        return Interrupted(
            f"Broken off at iteration {self.iteration} of {self.settings.iterations} of "
            f"{self.name}; the latest checkpoint is of iteration "
            f"{int(latest.name) if latest else 0}; run the same command again to go on from there."
        )

    def _looked_up(self) -> float:
        """The last figure of a stage that had ended before this run."""
        measured = self._measure()
        if measured is not None:
            return measured
        rows = read_log(self.folder / "log.csv")
        return float(rows[-1]["loss"]) if rows else 0.0

    @property
    def _ended(self) -> bool:
        return self.iteration >= self.settings.iterations

    def _step(self) -> float:
        settings = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(settings, self.iteration)
        total = 0.0
        process = self.accelerator.process_index
        for part in range(settings.accumulation):
            draws = iteration_generator(settings.seed, self.iteration, part, process)
            batch = self.draw(draws)
            moved = batch.to(self.accelerator.device) if hasattr(batch, "to") else batch
            with self.accelerator.autocast():
                loss = self.module(moved, draws)
            self.accelerator.backward(loss / settings.accumulation)
            total += float(loss.detach()) / settings.accumulation
        norm = self.accelerator.clip_grad_norm_(self.parameters.values(), settings.clip_norm)
        if not math.isfinite(total) or (norm is not None and not math.isfinite(float(norm))):
            raise CheckFailed(
                f"Expected a loss and gradients that are numbers, found loss {total} and gradient "
                f"norm {float(norm)} at iteration {self.iteration + 1} of {self.name}; the latest "
                f"checkpoint is {self.checkpoints.latest() or 'none'}; try a lower "
                "training rate or precision no."
            )
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        if self.ema is not None:
            self.ema.step(self.parameters.values())
        return total

    def _measure(self) -> float | None:
        """The validation loss where one is due; of the averaged weights where they are kept."""
        due = self.iteration % self.settings.validate_every == 0 or self._ended
        if self.validate is None or not due:
            return None
        if self.ema is not None:
            self.ema.store(self.parameters.values())
        try:
            if self.ema is not None:
                self.ema.copy_to(self.parameters.values())
            with torch.no_grad():
                return self.validate()
        finally:
            if self.ema is not None:
                self.ema.restore(self.parameters.values())

    def save(self) -> None:
        """A checkpoint under its number, complete or not there; waits for all processes."""
        if self.accelerator.is_main_process:
            self.checkpoint()
        self.accelerator.wait_for_everyone()

    def checkpoint(self) -> None:
        """What ``save`` writes, by this process alone."""
        self.checkpoints.save(
            self.iteration,
            self.parameters,
            self.optimizer.state_dict(),
            None if self.ema is None else self.ema.state_dict(),
        )

    def restore(self) -> None:
        """Go on from the latest checkpoint, if there is one."""
        checkpoint = self.checkpoints.load(self.parameters, self.accelerator.device)
        if checkpoint is not None:
            self.iteration, optimizer, ema = checkpoint
            self.optimizer.load_state_dict(optimizer)
            if self.ema is not None and ema is not None:
                self.ema.load_state_dict(ema)
