"""Rolls a model over a subject, clip after clip; nothing of the frames is kept here.

Shapes: F frames of a clip, T frames, H W pixels.
"""

import copy
import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from talkingface_wild.functional.similarity import ssim
from talkingface_wild.models.mcdm.analyses.curves import Floats
from talkingface_wild.models.mcdm.analyses.speaking_portrait import Picture, Subject
from talkingface_wild.models.mcdm.config import SamplingConfig
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.rollout import Rollout
from talkingface_wild.models.mcdm.state import GenerationState


@dataclasses.dataclass(frozen=True)
class Draws:
    """What random numbers and how many denoising steps a rollout takes."""

    seed: int = 0
    steps: int | None = None
    """None is the model's own."""

    def sampling(self, parts: MCDMParts) -> SamplingConfig:
        """The model's sampling with these steps."""
        own = parts.config.sampling
        return own if self.steps is None else dataclasses.replace(own, steps=self.steps)


def rolled(
    parts: MCDMParts,
    subject: Subject,
    frames: int,
    draws: Draws,
    *,
    fixed_archive: bool = False,
    watched: list[Tensor] | None = None,
) -> Iterator[Picture]:
    """Chunks (F, H, W, 3) of the first ``frames`` frames, the last one cut.

    ``fixed_archive`` keeps the reference as the archive of every clip. ``watched`` receives the
    present attention's probabilities of each block and step.
    """
    rollout = Rollout(parts, draws.sampling(parts))
    state = rollout.start(torch.from_numpy(np.ascontiguousarray(subject.portrait_HWC)), draws.seed)
    first_ACHW = state.archive_ACHW
    while state.position < frames:
        start = state.position
        clip = rollout.clip(state, rollout.heard(subject.sound, start), watched=watched)
        state = clip.state
        if fixed_archive:
            state.archive_ACHW = first_ACHW
        yield clip.frames_FHWC[: frames - start].cpu().numpy()


def rolled_tokens(
    parts: MCDMParts, subject: Subject, windows_count: int, draws: Draws
) -> Iterator[tuple[Tensor, Tensor]]:
    """Motion tokens (F, K, T) and sound windows (F, W, E) of each clip, without any picture."""
    rollout = Rollout(parts, draws.sampling(parts))
    state: GenerationState = rollout.start(
        torch.from_numpy(np.ascontiguousarray(subject.portrait_HWC)), draws.seed
    )
    for _ in range(windows_count):
        sound = rollout.heard(subject.sound, state.position)
        tokens = rollout.motion_tokens(state, sound)
        state = copy.copy(state)
        state.position, state.tokens_FKT = state.position + len(tokens), tokens
        yield tokens.cpu(), sound[parts.config.present.overlap :]


def similarities(chunk: Picture, subject: Subject, start: int) -> Floats:
    """SSIM of each frame of a chunk, whose first is frame ``start``, (F,)."""
    return np.array(
        [ssim(frame, subject.compared(start + place)) for place, frame in enumerate(chunk)]
    )


def compared(
    parts: MCDMParts, subject: Subject, frames: int, draws: Draws, *, fixed_archive: bool = False
) -> Iterator[tuple[int, Picture, Floats]]:
    """The chunks of ``rolled``: the number of its first frame, the frames, and the SSIM of each."""
    start = 0
    for chunk in rolled(parts, subject, frames, draws, fixed_archive=fixed_archive):
        yield start, chunk, similarities(chunk, subject, start)
        start += len(chunk)
