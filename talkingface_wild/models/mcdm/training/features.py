"""The stage ``features`` of an MCDM: codec and guider are fitted, then every clip is measured."""

from collections.abc import Sequence
from pathlib import Path

import torch
from accelerate import Accelerator

from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.clip_features import ClipMeasurer
from talkingface_wild.models.mcdm.training.fit_codec import fit_codec, fit_guider, same_everywhere
from talkingface_wild.models.training.feature_files import (
    FeaturesSummary,
    Tell,
    Watch,
    quiet,
    write_features,
)
from talkingface_wild.models.training.training_clip import TrainingClip

MAX_FRAMES = 3000
"""Frames taken of a clip: two minutes."""


def cache_features(
    parts: MCDMParts,
    clips: Sequence[TrainingClip],
    folder: Path,
    *,
    tell: Tell = quiet,
    watch: Watch | None = None,
    device: torch.device | str = "cpu",
    max_frames: int = MAX_FRAMES,
    accelerator: Accelerator | None = None,
) -> FeaturesSummary:
    """Measure the clips into ``folder``; fits the patch codec and the landmark guider of ``parts``.

    As ``write_features``. Raises InputUnreadable also when the model lacks a frozen network, or
    when head tokens need landmarks and there are none.
    """

    def prepare(training: Sequence[TrainingClip], say: Tell) -> ClipMeasurer:
        fit_guider(parts, training, say)
        fit_codec(parts, training, say)
        if accelerator is not None:
            for fitted in (parts.patch_codec, parts.landmark_guider):
                same_everywhere(fitted, accelerator)
        return ClipMeasurer(parts, torch.device(device), max_frames)

    notes: tuple[str, ...] = ()
    if parts.config.present.head == "face_crop":
        notes = ("Head tokens come from the down-scaled face crop: no landmarks are used.",)
    return write_features(
        prepare,
        clips,
        folder,
        fps=parts.config.picture.fps,
        tail=tail_frames(parts.config),
        notes=notes,
        tell=tell,
        watch=watch,
        device=device,
        accelerator=accelerator,
    )


def tail_frames(config: MCDMConfig) -> int:
    """How many frames of an end are held out: a second, and enough for an archive and a clip."""
    clip = config.clip
    least = clip.archive_frames + clip.frames + config.training.reference_distance
    return max(config.picture.fps, least)
