"""The stage ``features``: everything frozen networks say of the clips, measured once.

One file a clip; it appears when it is complete, and is not made again while nothing changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from safetensors import SafetensorError, safe_open

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.stopping import stop_requested
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.training.cached_clip import CachedClip
from talkingface_wild.models.mcdm.training.clip_features import ClipMeasurer, parted
from talkingface_wild.models.mcdm.training.features_summary import FeaturesSummary, summarise
from talkingface_wild.models.mcdm.training.fit_codec import (
    BROKEN,
    evenly,
    fit_codec,
    fit_guider,
    same_everywhere,
)
from talkingface_wild.models.out_of_memory import memory_told
from talkingface_wild.models.training.together import end_if_stopped
from talkingface_wild.models.training.training_clip import TrainingClip

MAX_FRAMES = 3000
"""Frames taken of a clip: two minutes."""
VALIDATION_CLIPS = 4
Tell = Callable[[str], None]
Watch = Callable[[int, int], None]
"""Hears how many clips are measured, and of how many."""


def _quiet(_: str) -> None:
    pass


def cache_features(
    parts: MCDMParts,
    clips: Sequence[TrainingClip],
    folder: Path,
    *,
    tell: Tell = _quiet,
    watch: Watch | None = None,
    device: torch.device | str = "cpu",
    max_frames: int = MAX_FRAMES,
    accelerator: Accelerator | None = None,
) -> FeaturesSummary:
    """Measure the clips into ``folder``; fits the patch codec and the landmark guider of ``parts``.

    What is there already with the same fingerprint stays, other files of the folder go. Clips that
    cannot be read are named, counted and left out. With an ``accelerator`` its processes share the
    clips. Raises Interrupted after a clip once a stop was requested, InputUnreadable when there is
    nothing to train on, when the model lacks a frozen network, or when head tokens need landmarks
    and there are none.
    """
    training = [clip for clip in clips if clip.split == "train"]
    if not training:
        raise InputUnreadable(
            f"Expected clips of the split 'train', found none among {len(clips)}; curate more "
            "videos."
        )
    rank, ranks = 0, 1
    if accelerator is not None:
        rank, ranks = accelerator.process_index, accelerator.num_processes
    say = tell if rank == 0 else _quiet
    with memory_told(device, "take a smaller --set picture.side, or a GPU with more memory"):
        fit_guider(parts, training, say)
        fit_codec(parts, training, say)
        if accelerator is not None:
            for fitted in (parts.patch_codec, parts.landmark_guider):
                same_everywhere(fitted, accelerator)
        end_if_stopped(accelerator, "before the first clip was measured")
        measurer = ClipMeasurer(parts, torch.device(device), max_frames)
        files = _Files(Path(folder), measurer, frozenset(validation_share(clips)))
        broken = _all(files, clips[rank::ranks], tell, watch if rank == 0 else None)
        end_if_stopped(accelerator, "amid the features; the clips that were measured are kept")
    if accelerator is not None:
        accelerator.wait_for_everyone()
    if rank == 0:
        files.forget_others(clips)
    summary = summarise(parts.config, files.finished(clips), clips, files.kept, broken)
    for note in summary.notes:
        say(note)
    return summary


def validation_share(
    clips: Sequence[TrainingClip], most: int = VALIDATION_CLIPS
) -> tuple[str, ...]:
    """The training clips whose end is held out because the split ``val`` is empty; else none."""
    if any(clip.split == "val" for clip in clips):
        return ()
    training = [clip.clip_id for clip in clips if clip.split == "train"]
    return tuple(training[place] for place in evenly(len(training), most))


def tail_frames(config: MCDMConfig) -> int:
    """How many frames of an end are held out: a second, and enough for an archive and a clip."""
    clip = config.clip
    wanted = clip.archive_frames + clip.frames + config.training.reference_distance
    return max(config.picture.fps, wanted)


def _all(
    files: _Files, clips: Sequence[TrainingClip], tell: Tell, watch: Watch | None
) -> dict[str, str]:
    """Make every clip; gives why, for those that could not be."""
    broken: dict[str, str] = {}
    for done, clip in enumerate(clips, 1):
        if stop_requested():
            break
        reason = files.make(clip)
        if reason:
            broken[clip.clip_id] = reason
            tell(f"clip {clip.clip_id} left out: {reason}")
        if watch is not None:
            watch(done, len(clips))
    return broken


class _Files:
    """The folder of features: what is there, what is missing, what belongs to nothing."""

    def __init__(self, folder: Path, measurer: ClipMeasurer, tails: frozenset[str]) -> None:
        self.folder, self.measurer, self.tails, self.kept = folder, measurer, tails, 0
        self.tail = tail_frames(measurer.config)

    def make(self, clip: TrainingClip) -> str:
        """Write the clip's file, and its end's where that is held out; gives why it could not."""
        standing = self._standing(clip)
        if standing is not None:
            self.kept += 1
            if standing.get("guider", "") != self.measurer.guider_sha:
                for clip_id in filter(None, (standing.get("tail"), clip.clip_id)):
                    self._renew_head(self._path(clip_id))
            return ""
        try:
            measured = self.measurer.measured(clip)
        except BROKEN as error:
            return " ".join(str(error).split()) or type(error).__name__
        measured.facts["fingerprint"] = self._fingerprint(clip)
        if clip.clip_id in self.tails and measured.frames >= 3 * self.tail:
            measured, end = parted(measured, measured.frames - self.tail)
            end.save(self._path(end.clip_id))
        measured.save(self._path(clip.clip_id))
        return ""

    def finished(self, clips: Sequence[TrainingClip]) -> list[dict[str, Any]]:
        """The facts of all files that these clips have given, ends included."""
        found = []
        for clip in clips:
            facts = self._standing(clip)
            if facts is not None:
                found.append(facts)
                if facts.get("tail"):
                    found.append(_facts(self._path(facts["tail"])))
        return found

    def forget_others(self, clips: Sequence[TrainingClip]) -> None:
        """Remove files of other clips, or of other settings: training reads the whole folder."""
        wanted = {self._fingerprint(clip) for clip in clips}
        for path in self.folder.glob("*.safetensors"):
            if _facts(path).get("fingerprint") not in wanted:
                path.unlink()

    def _path(self, clip_id: str) -> Path:
        return self.folder / f"{clip_id}.safetensors"

    def _fingerprint(self, clip: TrainingClip) -> str:
        held_out = self.tail if clip.clip_id in self.tails else 0
        return digest([self.measurer.fingerprint, clip.described(), held_out])

    def _standing(self, clip: TrainingClip) -> dict[str, Any] | None:
        """The facts of the clip's file where it, and its end's, are as they would be made."""
        facts, wanted = _facts(self._path(clip.clip_id)), self._fingerprint(clip)
        if facts.get("fingerprint") != wanted:
            return None
        tail = facts.get("tail")
        whole = not tail or _facts(self._path(tail)).get("fingerprint") == wanted
        return facts if whole else None

    def _renew_head(self, path: Path) -> None:
        """Head tokens of a file that another guider made; all else of it stays."""
        clip = CachedClip.load(path, crops=True)
        if self.measurer.add_head(clip):
            clip.save(path)


def _facts(path: Path) -> dict[str, Any]:
    """What a file says of its clip, without its tensors; nothing where it cannot be read."""
    try:
        with safe_open(path, "pt") as file:
            return dict(json.loads((file.metadata() or {}).get("facts", "{}")))
    except (SafetensorError, OSError, ValueError):
        return {}
