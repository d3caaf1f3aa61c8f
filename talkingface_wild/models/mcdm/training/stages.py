"""Runs the stages on cached clips: encoders, 1, 2, 3; and takes the tokens that the next one needs.

Shapes: T frames, K motion tokens, W their width.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.mcdm.config import StageConfig
from talkingface_wild.models.mcdm.encoders import CropEncoder
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.encoder_tasks import (
    EncoderTask,
    encoder_loss,
    make_task,
    raw_tokens,
)
from talkingface_wild.models.mcdm.training.objectives import motion_loss, picture_loss, trained
from talkingface_wild.models.mcdm.training.sampling import ClipSampler
from talkingface_wild.models.training.loop import LoopSettings, TrainingLoop, Watch
from talkingface_wild.models.training.training_stage import Draw, StageOutcome, TrainingStage


def run_stage(
    parts: MCDMParts,
    stage: str,
    clips: Sequence[CachedClip],
    held_out: Sequence[CachedClip],
    folder: Path,
    watch: Watch | None = None,
    accelerator: Accelerator | None = None,
    after: Callable[[int], None] | None = None,
) -> StageOutcome:
    """Train one of 1, 2, 3.

    Raises RecipeError for a stage that the variant has not, CheckFailed when a frozen tensor moved.
    """
    training = parts.config.training
    settings: StageConfig = getattr(training, f"stage{stage}")
    parameters = trained(parts, stage)
    if not parameters:
        raise RecipeError(f"Expected a variant that has stage {stage}, found one without it.")
    landmarks = parts.config.present.head == "landmarks"
    carried = training.carried if stage == "3" else 0.0

    def drawing(clips: Sequence[CachedClip], size: int, carried: float) -> Draw:
        sampler = ClipSampler(clips, parts.config)
        if stage == "2":
            return lambda draws: sampler.motions(draws, size, landmarks)
        return lambda draws: sampler.pictures(draws, size, carried)

    def loss(batch: Any, draws: torch.Generator, validating: bool = False) -> Tensor:
        if stage == "2":
            return motion_loss(parts, batch, draws, stratified=validating)
        return picture_loss(
            parts, batch, draws, motion=stage == "3", drop=not validating, stratified=validating
        )

    names = ("motion_prior",) if stage == "2" else ("unet", "archived_prior", "reference_unet")
    modules = parts.modules()
    return TrainingStage(
        stage,
        modules,
        {name: module for name, module in modules.items() if name in names},
        parameters,
        LoopSettings.of(training, settings, int(stage)),
        drawing(clips, settings.batch, carried),
        loss,
        drawing(held_out or clips, max(4, settings.batch), 0.0),
        lambda batch, draws: loss(batch, draws, validating=True),
        training.gradient_checkpointing,
    ).run(folder, watch, accelerator or Accelerator(mixed_precision=training.precision), after)


def encoder_tasks(parts: MCDMParts, clips: Sequence[CachedClip] = ()) -> list[EncoderTask]:
    """The encoders to train: lips, expression, and head where no landmarks give it."""
    encoders: list[tuple[str, CropEncoder | None, Callable[[CachedClip], Tensor]]] = [
        ("lips", parts.lip_encoder, lambda clip: clip.lips_TSSC),
        ("expression", parts.expression_encoder, lambda clip: clip.face_TSSC),
        ("head", parts.head_encoder, _head_crops),
    ]
    return [
        make_task(name, encoder, crops, parts.config, clips)
        for name, encoder, crops in encoders
        if encoder is not None
    ]


def _head_crops(clip: CachedClip) -> Tensor:
    if clip.head_TSSC is None:
        raise RecipeError(
            f"Expected head crops of clip {clip.clip_id!r}, found none; run --stage features again."
        )
    return clip.head_TSSC


def run_encoders(
    parts: MCDMParts,
    clips: Sequence[CachedClip],
    folder: Path,
    watch: Watch | None = None,
    accelerator: Accelerator | None = None,
) -> list[StageOutcome]:
    """Train the encoders one after another, then set their tokens to unit scale."""
    training = parts.config.training
    accelerator = accelerator or Accelerator(mixed_precision=training.precision)
    reach = parts.config.present.audio_window
    outcomes = []
    with torch.random.fork_rng():
        torch.manual_seed(training.seed)
        tasks = encoder_tasks(parts, clips)
    for number, task in enumerate(tasks):
        networks = task.networks()
        named = {
            f"{name}.{n}": p
            for name, module in networks.items()
            for n, p in module.named_parameters()
        }

        def loss(_: Any, draws: torch.Generator, task: EncoderTask = task) -> Tensor:
            size = training.encoders.batch
            return encoder_loss(task, clips, draws, size, reach, accelerator.device)

        loop = TrainingLoop(
            f"{task.name} encoder",
            networks,
            named,
            LoopSettings.of(training, training.encoders, 10 + number),
            lambda draws: None,
            loss,
            folder / task.name,
            accelerator=accelerator,
        )
        after = loop.run(watch)
        task.encoder.eval().requires_grad_(False)
        device = accelerator.device
        tokens = [raw_tokens(task.encoder, task.crops(clip), device) for clip in clips]
        task.encoder.set_scale(torch.cat(tokens).to(device))
        outcomes.append(StageOutcome(task.name, loop.iteration, None, after))
    return outcomes


@torch.no_grad()
def take_tokens(parts: MCDMParts, clip: CachedClip) -> Tensor:
    """Motion tokens (T, K, W) of a clip: head, lips, expression. Needs the clip's crops."""
    device = parts.device
    streams = []
    if parts.config.present.head == "landmarks":
        if clip.head_TKW is None:
            raise RecipeError(
                f"Expected head tokens of clip {clip.clip_id!r}, found none; landmarks are needed: "
                "see docs/mcdm.md, or take --set present.head=face_crop."
            )
        streams.append(clip.head_TKW.float())
    order = ("head", "lips", "expression")
    for task in sorted(encoder_tasks(parts), key=lambda task: order.index(task.name)):
        raw = raw_tokens(task.encoder, task.crops(clip), device).to(device)
        streams.append(((raw - task.encoder.mean_KT) / task.encoder.std_KT).cpu())
    return torch.cat(streams, dim=1)
