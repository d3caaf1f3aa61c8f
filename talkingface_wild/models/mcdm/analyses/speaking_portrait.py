"""A portrait that speaks, with its real frames where there are any, and a model rolled over it.

Shapes: F frames of a clip, T frames, H W pixels (uint8 RGB).
"""

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from talkingface_wild.core.arrays import Floats, Pictures, Samples
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.functional.similarity import ssim
from talkingface_wild.models.conditions.sound_features import RATE
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.rollout import GenerationState, Rollout

Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """A portrait (side, side, 3) and mono sound at 16 kHz; ``label`` is what it is said to show."""

    name: str
    portrait_HWC: Pictures
    sound: Samples
    truth_THWC: Pictures | None = None
    """The real frames at the model's rate; the portrait is the first of them."""
    label: str = ""
    mouth_T4: Boxes | None = None
    """Where the mouth is in each frame (x0, y0, x1, y1, in [0, 1]); its last row holds on."""

    def frames(self, fps: int) -> int:
        """How many frames the sound covers, and the real frames where there are any."""
        heard = len(self.sound) * fps // RATE
        return heard if self.truth_THWC is None else min(heard, len(self.truth_THWC))

    def compared(self, frame: int) -> Pictures:
        """What a generated frame is compared with: the real one, or the portrait."""
        return self.portrait_HWC if self.truth_THWC is None else self.truth_THWC[frame]


def against(subjects: Sequence[Subject]) -> str:
    """What the frames of these subjects are compared with, in words."""
    kinds = {subject.truth_THWC is not None for subject in subjects}
    if kinds == {True}:
        return "the real frames"
    return "the portrait" if kinds == {False} else "the real frames, or the portrait without them"


def long_enough(subjects: Sequence[Subject], fps: int, least: int) -> list[Subject]:
    """Those with at least ``least`` frames. Raises InputUnreadable when there are none."""
    enough = [subject for subject in subjects if subject.frames(fps) >= least]
    if enough:
        return enough
    longest = max((subject.frames(fps) for subject in subjects), default=0)
    raise InputUnreadable(
        f"Expected at least {least} frames of speech ({least / fps:.2g} s), found {longest} at "
        "most; give longer sound or clips, or ask for fewer frames."
    )


@dataclass(frozen=True)
class Draws:
    """What random numbers and how many denoising steps a rollout takes."""

    seed: int = 0
    steps: int | None = None
    """None is the model's own."""

    def begin(self, parts: MCDMParts, subject: Subject) -> tuple[Rollout, GenerationState]:
        """A rollout with these steps, and the state before its first clip."""
        sampling = parts.config.sampling
        if self.steps is not None:
            sampling = dataclasses.replace(sampling, steps=self.steps)
        rollout = Rollout(parts, sampling)
        portrait_HWC = torch.from_numpy(np.ascontiguousarray(subject.portrait_HWC))
        return rollout, rollout.start(portrait_HWC, self.seed)


def rolled(
    parts: MCDMParts,
    subject: Subject,
    frames: int,
    draws: Draws,
    *,
    fixed_archive: bool = False,
    watched: list[Tensor] | None = None,
) -> Iterator[Pictures]:
    """Chunks (F, H, W, 3) of the first ``frames`` frames, the last one cut.

    ``fixed_archive`` keeps the reference as the archive of every clip. ``watched`` receives the
    present attention's probabilities of each block and step.
    """
    rollout, state = draws.begin(parts, subject)
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
    rollout, state = draws.begin(parts, subject)
    for _ in range(windows_count):
        sound = rollout.heard(subject.sound, state.position)
        tokens = rollout.motion_tokens(state, sound)
        state = dataclasses.replace(state, position=state.position + len(tokens), tokens_FKT=tokens)
        yield tokens.cpu(), sound[parts.config.present.overlap :]


def similarities(chunk: Pictures, subject: Subject, start: int) -> Floats:
    """SSIM of each frame of a chunk, whose first is frame ``start``, (F,)."""
    return np.array([ssim(frame, subject.compared(at)) for at, frame in enumerate(chunk, start)])


def compared(
    parts: MCDMParts, subject: Subject, frames: int, draws: Draws, *, fixed_archive: bool = False
) -> Iterator[tuple[int, Pictures, Floats]]:
    """The chunks of ``rolled``: the number of its first frame, the frames, and the SSIM of each."""
    start = 0
    for chunk in rolled(parts, subject, frames, draws, fixed_archive=fixed_archive):
        yield start, chunk, similarities(chunk, subject, start)
        start += len(chunk)
