"""One stage of a generator's training: its loop, what it is validated on, and what stays frozen."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from talkingface_wild.core.errors import CheckFailed
from talkingface_wild.models.training.loop import (
    LoopSettings,
    TrainingLoop,
    Watch,
    iteration_generator,
)
from talkingface_wild.models.weights_hash import tensors_sha256

VALIDATION_BATCHES = 4
VALIDATION_SEED = 20_261_124
Loss = Callable[[Any, torch.Generator], Tensor]
Draw = Callable[[torch.Generator], Any]


@dataclass
class StageOutcome:
    """What a stage ended with."""

    stage: str
    iterations: int
    before: float | None
    """The validation loss before training."""
    after: float


@dataclass
class TrainingStage:
    """What one stage trains, on what. Losses run through ``networks``; only ``parameters`` move."""

    name: str
    modules: Mapping[str, nn.Module]
    """All networks of the model."""
    networks: dict[str, nn.Module]
    parameters: dict[str, nn.Parameter]
    """Those that are trained, named by network and name."""
    settings: LoopSettings
    draw: Draw
    loss: Loss
    draw_held_out: Draw
    validation_loss: Loss
    gradient_checkpointing: bool = False

    def run(
        self,
        folder: Path,
        watch: Watch | None,
        accelerator: Accelerator,
        after: Callable[[int], None] | None = None,
    ) -> StageOutcome:
        """Train it. Validation draws the same samples with the same noise every time.

        Raises CheckFailed when a frozen tensor moved.
        """
        if self.gradient_checkpointing:
            for network in self.networks.values():
                if getattr(network, "_supports_gradient_checkpointing", False):
                    network.enable_gradient_checkpointing()  # type: ignore[operator]

        def validate() -> float:
            return self._validate(accelerator)

        loop = TrainingLoop(
            f"stage {self.name}",
            self.networks,
            self.parameters,
            self.settings,
            self.draw,
            self.loss,
            folder,
            validate,
            accelerator,
            after,
        )
        with torch.no_grad():
            before = validate() if loop.checkpoints.latest() is None else None
        frozen = tensors_sha256(self.modules, self.parameters)
        last = loop.run(watch)
        if tensors_sha256(self.modules, self.parameters) != frozen:
            raise CheckFailed(
                f"Expected everything but what stage {self.name} trains to stay as it was, found a "
                "frozen tensor changed; this is a defect, please report it."
            )
        return StageOutcome(self.name, loop.iteration, before, last)

    def _validate(self, accelerator: Accelerator) -> float:
        total = 0.0
        for number in range(VALIDATION_BATCHES):
            draws = iteration_generator(VALIDATION_SEED, number)
            batch = self.draw_held_out(draws).to(accelerator.device)
            with accelerator.autocast():
                total += float(self.validation_loss(batch, draws))
        return total / VALIDATION_BATCHES
