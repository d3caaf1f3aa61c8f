"""Stages 1 to 3 on cached clips: the loss of each (section 3.5), what each trains, and its run.

docs/mcdm.md, A.6. Shapes: B clips, F frames, C H W a latent, K T motion tokens.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn import functional

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.mcdm.block import Carried
from talkingface_wild.models.mcdm.config import StageConfig
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.sampling import ClipSampler, MotionBatch, PictureBatch
from talkingface_wild.models.mcdm.unet import Denoised
from talkingface_wild.models.samplers.noise import DiffusionConfig, diffusion_target, loss_weight
from talkingface_wild.models.training.loop import LoopSettings, Watch
from talkingface_wild.models.training.training_stage import Draw, StageOutcome, TrainingStage

MOTION_LAYERS = ("attn_pres", "mta", "norm_mta", "motion_in", "sound_in")
"""Names in the UNet of what stage 3 trains, and stage 1 leaves alone."""
ARCHIVED_LAYERS = ("attn2", "norm2")
"""Names in the UNet of what reads the archive."""


def is_motion(name: str) -> bool:
    """Whether a parameter of the UNet belongs to present or temporal attention."""
    return any(part in MOTION_LAYERS for part in name.split("."))


def reads_archive(name: str) -> bool:
    """Whether a parameter of the UNet reads the archive; residual blocks have a ``norm2`` too."""
    return ".transformer_blocks." in name and any(p in ARCHIVED_LAYERS for p in name.split("."))


def trained(parts: MCDMParts, stage: str) -> dict[str, nn.Parameter]:
    """The parameters that a stage trains, by network and name; all others stay as they are."""
    if stage == "2":
        if parts.motion_prior is None:
            return {}
        return {f"motion_prior.{n}": p for n, p in parts.motion_prior.named_parameters()}
    unet = dict(parts.unet.named_parameters())
    if stage == "3":
        return {f"unet.{n}": p for n, p in unet.items() if is_motion(n)}
    whole = parts.config.training.stage1_scope == "trunk"
    parameters = {
        f"unet.{n}": p for n, p in unet.items() if not is_motion(n) and (whole or reads_archive(n))
    }
    parameters |= {f"archived_prior.{n}": p for n, p in parts.archived_prior.named_parameters()}
    if parts.reference_unet is not None:
        # What comes after the last block's rows reaches no loss.
        used = parts.reference_unet.used_parameters()
        parameters |= {f"reference_unet.{n}": p for n, p in used.items()}
    return parameters


def drawn_noise(
    shape: torch.Size, draws: torch.Generator, device: torch.device, config: DiffusionConfig
) -> Tensor:
    """Gaussian noise, with an offset per item and channel where the configuration has one."""
    noise = torch.randn(shape, generator=draws)
    if config.noise_offset and len(shape) == 5:
        offset = torch.randn(shape[0], 1, shape[2], 1, 1, generator=draws)
        noise = noise + config.noise_offset * offset
    return noise.to(device)


def drawn_times(count: int, steps: int, draws: torch.Generator, stratified: bool) -> Tensor:
    """Timesteps (count,): uniform, or spread evenly over the schedule for validation."""
    if not stratified:
        return torch.randint(steps, (count,), generator=draws)
    middles = (torch.arange(count) + torch.rand(count, generator=draws)) / count
    return (middles * steps).long()


def picture_loss(
    parts: MCDMParts,
    batch: PictureBatch,
    draws: torch.Generator,
    *,
    motion: bool,
    validating: bool = False,
) -> Tensor:
    """Squared error of stage 1 (``motion=False``) or stage 3, over the batch.

    In training contexts of a kind are dropped with the configuration's share, for guidance.
    """
    config, device = parts.config, batch.present_BFCHW.device
    diffusion = config.diffusion
    count = len(batch.present_BFCHW)
    time_B = drawn_times(count, diffusion.steps, draws, validating).to(device)
    added = drawn_noise(batch.present_BFCHW.shape, draws, device, diffusion)
    on_2B = (torch.rand(2, count, generator=draws) >= diffusion.drop).to(device)
    tokens = batch.tokens_BFKT if motion else None
    if tokens is not None and not validating:
        noise = torch.randn(tokens.shape, generator=draws).to(device)
        tokens = tokens + config.training.token_noise * noise
    carried = None
    if motion and batch.before is not None:
        carried = left_memory(parts, batch.before, time_B, draws)
    contexts_on = {} if validating else {"archived_on_B": on_2B[0], "present_on_B": on_2B[1]}
    out = _denoised(parts, batch, added, time_B, tokens, carried, motion, **contexts_on)
    target = diffusion_target(parts.noise, batch.present_BFCHW, added, time_B)
    error_B = (out.sample.float() - target).square().flatten(1).mean(dim=1)
    return (error_B * loss_weight(parts.noise, time_B, diffusion.snr_gamma)).mean()


@torch.no_grad()
def left_memory(
    parts: MCDMParts, before: PictureBatch, time_B: Tensor, draws: torch.Generator
) -> Carried:
    """The motion memory that the clips before leave at the same timestep, as generation has it."""
    clean = before.present_BFCHW
    added = drawn_noise(clean.shape, draws, clean.device, parts.config.diffusion)
    return _denoised(parts, before, added, time_B, before.tokens_BFKT).memory


def _denoised(
    parts: MCDMParts,
    batch: PictureBatch,
    added: Tensor,
    time_B: Tensor,
    tokens_BFKT: Tensor | None,
    carried: Carried | None = None,
    motion: bool = True,
    **contexts_on: Any,
) -> Denoised:
    """What the UNet predicts of the batch's clips with this noise, read with their contexts."""
    context = parts.clip_context(
        batch.reference_BCHW,
        batch.archive_BACHW,
        batch.image_BSE,
        tokens_BFKT,
        batch.sound_BFWE if motion else None,
        frames=added.shape[1],
        motion=motion,
        **contexts_on,
    )
    noised = parts.noise.add_noise(batch.present_BFCHW, added, time_B)
    return parts.unet(noised, time_B, context, carried)


def motion_loss(
    parts: MCDMParts, batch: MotionBatch, draws: torch.Generator, *, validating: bool = False
) -> Tensor:
    """Equation 3 over the motion tokens that are noised; a given head is no part of it."""
    prior = parts.motion_prior
    if prior is None:
        raise ValueError("this variant has no motion prior")
    config, device = parts.config, batch.tokens_BFKT.device
    clean = batch.tokens_BFKT
    time_B = drawn_times(len(clean), config.prior_diffusion.steps, draws, validating).to(device)
    added = torch.randn(clean.shape, generator=draws).to(device)
    noised = parts.prior_noise.add_noise(clean, added, time_B)
    heads = clean[:, :, : config.present.head_tokens]
    out = prior(
        noised, time_B, batch.sound_BFWE, batch.image_BSE, heads, batch.landmarks_on_B
    ).float()
    target = diffusion_target(parts.prior_noise, clean, added, time_B)
    counted = prior.predicted(batch.landmarks_on_B)[:, None, :, None].expand_as(out)
    error = functional.mse_loss(out, target, reduction="none") * counted
    weight_B = loss_weight(parts.prior_noise, time_B, config.prior_diffusion.snr_gamma)
    each_B = error.flatten(1).sum(dim=1) / counted.flatten(1).sum(dim=1).clamp(min=1)
    return (each_B * weight_B).mean()


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
            return motion_loss(parts, batch, draws, validating=validating)
        return picture_loss(parts, batch, draws, motion=stage == "3", validating=validating)

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
