"""The stage ``features`` of an MCDM: codec and guider are fitted, then every clip is measured.

Both fits are closed forms over an even sample, so the same clips give the same numbers.
Shapes: T frames, H W pixels (uint8 RGB), P landmarks.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.clip_features import ClipMeasurer
from talkingface_wild.models.training.feature_files import (
    FeaturesSummary,
    Tell,
    Watch,
    quiet,
    write_features,
)
from talkingface_wild.models.training.training_clip import BROKEN, Floats, TrainingClip, evenly

CODEC_FRAMES, CODEC_CLIPS, CODEC_STEP = 400, 25, 4
"""Frames that the codec is fitted on, from so many clips, every so many frames."""
CODEC_PIXELS = 2**24
"""Fewer frames where they are large."""
GUIDER_FRAMES = 2000


def fit_codec(parts: MCDMParts, clips: Sequence[TrainingClip], tell: Callable[[str], None]) -> None:
    """Fit the patch codec, where the model has one, on frames of the clips.

    Raises InputUnreadable when no clip can be read.
    """
    if parts.patch_codec is None or parts.vae is not None:
        return
    frames = min(CODEC_FRAMES, max(1, CODEC_PIXELS // parts.config.picture.side**2))
    places = evenly(len(clips), CODEC_CLIPS)
    each = max(1, frames // len(places))
    taken = []
    for place in places:
        try:
            taken.append(_first_frames(clips[place], parts.config.picture.side, each))
        except BROKEN:
            continue
    if not taken:
        raise InputUnreadable(
            f"Expected pictures in the {len(places)} clips that the codec is fitted on, found none "
            "that can be read; curate the data set again."
        )
    sample = torch.cat(taken)
    parts.patch_codec.fit(sample.to(parts.device))
    tell(f"codec fitted on {len(sample)} frames of {len(taken)} clips")


def _first_frames(clip: TrainingClip, side: int, count: int) -> Tensor:
    """Every fourth of a clip's first frames; the rest is not decoded. Empty clips raise."""
    taken: list[Any] = []
    seen = 0
    for chunk in clip.squares(side):
        taken += [frame for at, frame in enumerate(chunk, seen) if at % CODEC_STEP == 0]
        seen += len(chunk)
        if len(taken) >= count:
            break
    if not taken:
        raise InputUnreadable(f"Expected frames in clip {clip.clip_id}, found none.")
    return torch.from_numpy(np.stack(taken[:count]))


def fit_guider(
    parts: MCDMParts, clips: Sequence[TrainingClip], tell: Callable[[str], None]
) -> None:
    """Fit the landmark guider's way from maps to tokens, where head tokens come from landmarks.

    Raises InputUnreadable when no clip has landmarks, RecipeError where they are too few for what
    the configuration draws.
    """
    if parts.config.present.head != "landmarks" or parts.landmark_guider is None:
        return
    landmarks = [clip.points_TP2 for clip in clips if clip.points_TP2 is not None]
    if not landmarks:
        raise InputUnreadable(
            f"Expected landmarks in the data set, found none in {len(clips)} training clips; "
            "curate it with --set faces.detector=scrfd_2.5g, or train with --preset tiny or "
            "--set present.head=face_crop."
        )
    sample = _sampled(landmarks)
    try:
        maps = parts.landmark_guider.maps(sample)
    except ValueError as error:
        kind = parts.config.present.landmarks
        raise RecipeError(
            f"Expected landmarks from which {kind!r} can be drawn, found {sample.shape[1]} a frame "
            f"({error}); take --set present.landmarks=eyes_nose."
        ) from error
    parts.landmark_guider.fit(maps)
    tell(f"landmark guider fitted on {len(sample)} frames of {len(landmarks)} clips")


def _sampled(points: Sequence[Floats]) -> Floats:
    """An even sample over all frames of all clips; only its own rows are copied."""
    ends = np.cumsum([len(rows) for rows in points])
    places = np.array(evenly(int(ends[-1]), GUIDER_FRAMES))
    owners = np.searchsorted(ends, places, side="right")
    starts = np.concatenate([[0], ends])
    rows = [points[owner][at - starts[owner]] for owner, at in zip(owners, places, strict=True)]
    return np.stack(rows).astype(np.float32)


def same_everywhere(module: nn.Module | None, accelerator: Accelerator) -> None:
    """Give every process the first one's tensors."""
    if module is not None and accelerator.num_processes > 1:
        for tensor in module.state_dict().values():
            there = tensor.to(accelerator.device).contiguous()
            tensor.copy_(broadcast(there, from_process=0))


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
