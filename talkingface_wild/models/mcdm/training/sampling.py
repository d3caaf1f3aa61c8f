"""Draws training samples from cached clips (docs/mcdm.md, A.6): present, archive, reference.

Shapes: B samples, F frames, A archived frames, C H W a latent, W E sound windows, K T tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.rollout import STRIDE
from talkingface_wild.models.mcdm.training.clip_features import CachedClip


class Batch:
    """Tensors by name, and batches in batches; None is left out."""

    def to(self, device: torch.device) -> Self:
        """On another device."""
        values = {name: value for name, value in vars(self).items() if value is not None}
        return type(self)(**{name: value.to(device) for name, value in values.items()})


@dataclass
class PictureBatch(Batch):
    """What stages 1 and 3 learn from."""

    present_BFCHW: Tensor
    archive_BACHW: Tensor
    reference_BCHW: Tensor
    image_BSE: Tensor
    sound_BFWE: Tensor
    tokens_BFKT: Tensor | None = None
    before: PictureBatch | None = None
    """The clips before the present ones, where their memory is to be carried on."""


@dataclass
class MotionBatch(Batch):
    """What stage 2 learns from: windows of a clip and its overlap with the one before."""

    tokens_BFKT: Tensor
    sound_BFWE: Tensor
    image_BSE: Tensor
    landmarks_on_B: Tensor


def _stacked(items: Sequence[dict[str, Tensor]]) -> dict[str, Any]:
    return {name: torch.stack([item[name] for item in items]) for name in items[0]}


class ClipSampler:
    """Every sample is drawn from a generator alone, so a resumed run draws the same."""

    def __init__(self, clips: Sequence[CachedClip], config: MCDMConfig) -> None:
        self.config = config
        least = config.clip.frames + config.training.reference_distance
        self.clips = [clip for clip in clips if clip.frames >= least]
        if not self.clips:
            raise InputUnreadable(
                f"Expected clips of at least {least} frames, found "
                f"{max((clip.frames for clip in clips), default=0)} at most; give longer clips."
            )
        # Long clips are drawn more often, as many times as they have places to start.
        self.weights = torch.tensor([float(clip.frames) for clip in self.clips])

    def pictures(self, draws: torch.Generator, size: int, carried: float = 0.0) -> PictureBatch:
        """A batch for stages 1 and 3; with the share ``carried`` it has the clips before too."""
        long_enough = any(clip.frames >= 2 * self.config.clip.frames for clip in self.clips)
        carry = carried > 0 and long_enough and bool(torch.rand(1, generator=draws) < carried)
        pairs = [self._picture(draws, carry) for _ in range(size)]
        batch = PictureBatch(**_stacked([present for present, _ in pairs]))
        if carry:
            batch.before = PictureBatch(**_stacked([before for _, before in pairs if before]))
        return batch

    def motions(self, draws: torch.Generator, size: int, landmarks: bool) -> MotionBatch:
        """A batch for stage 2; with ``landmarks`` each clip's are given, or dropped whole."""
        items = [self._motion(draws) for _ in range(size)]
        tokens, sound, image = (torch.stack([item[k] for item in items]) for k in range(3))
        kept = torch.rand(size, generator=draws) >= self.config.training.landmark_drop
        return MotionBatch(tokens, sound, image, kept & landmarks)

    def _clip(self, draws: torch.Generator) -> CachedClip:
        return self.clips[int(torch.multinomial(self.weights, 1, generator=draws))]

    def _reference(self, clip: CachedClip, start: int, draws: torch.Generator) -> int:
        """A frame at least ``reference_distance`` away from the present clip, if there is one."""
        away = self.config.training.reference_distance
        end = start + self.config.clip.frames
        index = torch.arange(clip.frames)
        far = index[(index < start - away + 1) | (index >= end + away - 1)]
        if not len(far):
            return 0 if start > clip.frames - end else clip.frames - 1
        return int(far[torch.randint(len(far), (1,), generator=draws)])

    def _picture(
        self, draws: torch.Generator, carry: bool
    ) -> tuple[dict[str, Tensor], dict[str, Tensor] | None]:
        """One sample, and the clip before it where a memory is to be carried."""
        config = self.config
        frames = config.clip.frames
        clip = self._clip(draws)
        while carry and clip.frames < 2 * frames:
            clip = self._clip(draws)
        least = frames if carry else 0
        start = least + int(torch.randint(clip.frames - frames - least + 1, (1,), generator=draws))
        reference = self._reference(clip, start, draws)
        first = bool(torch.rand(1, generator=draws) < config.training.first_clip)
        predicted = bool(torch.rand(1, generator=draws) < config.training.predicted_tokens)
        present = self._window(clip, start, reference, first and not carry, predicted, draws)
        if not carry:
            return present, None
        return present, self._window(clip, start - frames, reference, False, predicted, draws)

    def _window(
        self,
        clip: CachedClip,
        start: int,
        reference: int,
        first: bool,
        predicted: bool,
        draws: torch.Generator,
    ) -> dict[str, Tensor]:
        """The fields of a batch for the clip that begins at ``start``."""
        config = self.config
        frames, archived = config.clip.frames, config.clip.archive_frames
        reference_CHW = clip.latents_TCHW[reference].float()
        if first or start < archived:
            archive = reference_CHW.expand(archived, *reference_CHW.shape)
        else:
            archive = self._archive(clip, start, reference_CHW, draws)
        if config.archived.anchor_reference:
            archive = torch.cat([reference_CHW[None], archive[1:]])
        drawn = {
            "present_BFCHW": clip.latents_TCHW[start : start + frames].float(),
            "archive_BACHW": archive,
            "reference_BCHW": reference_CHW,
            "image_BSE": clip.image_TE[reference][None].float(),
            "sound_BFWE": sound_windows(clip.sound_TE, start, frames, config.present.audio_window),
        }
        tokens = clip.tokens_TKW
        if predicted and clip.predicted_TKW is not None:
            tokens = clip.predicted_TKW
        if tokens is not None:
            drawn["tokens_BFKT"] = tokens[start : start + frames].float()
        return drawn

    def _archive(
        self, clip: CachedClip, start: int, reference_CHW: Tensor, draws: torch.Generator
    ) -> Tensor:
        """The archive (A, C, H, W) as generation would have it at frame ``start``."""
        slots = self.config.clip.archive_frames
        policy = self.config.archived.policy
        if policy == "reservoir":
            kept = torch.randperm(start, generator=draws)[:slots].sort().values
        else:
            kept = torch.arange(0, start, STRIDE if policy == "strided" else 1)[-slots:]
        waiting = reference_CHW.expand(slots - len(kept), *reference_CHW.shape)
        return torch.cat([waiting, clip.latents_TCHW[kept].float()])

    def _motion(self, draws: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """A window that may begin ``overlap`` frames before the clip, as the first clip's does."""
        config, clip = self.config, self._clip(draws)
        overlap = config.present.overlap
        length = config.clip.frames + overlap
        if clip.tokens_TKW is None:
            raise InputUnreadable(
                f"Expected motion tokens of clip {clip.clip_id!r}, found none; run "
                "--stage encoders first."
            )
        span = clip.frames - config.clip.frames + 1
        start = int(torch.randint(span, (1,), generator=draws)) - overlap
        reference = self._reference(clip, start + overlap, draws)
        index = torch.arange(start, start + length).clamp(min=0)
        reach = config.present.audio_window
        return (
            clip.tokens_TKW[index].float(),
            sound_windows(clip.sound_TE, start, length, reach),
            clip.image_TE[reference][None].float(),
        )
