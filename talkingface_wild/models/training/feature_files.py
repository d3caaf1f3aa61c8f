"""The stage ``features``: everything frozen networks say of the clips, measured once.

One file a clip; it appears when it is complete, and is not made again while nothing changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import torch
from accelerate import Accelerator

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.stopping import stop_requested
from talkingface_wild.models.out_of_memory import memory_told
from talkingface_wild.models.training.clip_file import ClipFile, clip_facts
from talkingface_wild.models.training.features_summary import FeaturesSummary, summarise
from talkingface_wild.models.training.loop import end_if_stopped
from talkingface_wild.models.training.training_clip import BROKEN, TrainingClip, evenly

VALIDATION_CLIPS = 4
Tell = Callable[[str], None]
Watch = Callable[[int, int], None]
"""Hears how many clips are measured, and of how many."""


def quiet(_: str) -> None:
    """Tells nobody."""


class Measurer(Protocol):
    """A generator's frozen networks, held ready."""

    fingerprint: str
    """All that features depend on beside the clip and what ``refresh`` looks after."""

    def measured(self, clip: TrainingClip) -> ClipFile:
        """The clip's features. Raises InputUnreadable, and whatever the clip's calls raise."""
        ...

    def stale(self, facts: Mapping[str, Any]) -> bool:
        """Whether a file with these facts has columns that ``refresh`` would change."""
        ...

    def refresh(self, path: Path) -> None:
        """Make those columns of a file anew; all else of it stays."""
        ...


def write_features(
    prepare: Callable[[Sequence[TrainingClip], Tell], Measurer],
    clips: Sequence[TrainingClip],
    folder: Path,
    *,
    fps: int,
    tail: int,
    notes: Sequence[str] = (),
    tell: Tell = quiet,
    watch: Watch | None = None,
    device: torch.device | str = "cpu",
    accelerator: Accelerator | None = None,
) -> FeaturesSummary:
    """Measure the clips into ``folder``; ``prepare`` fits what is fitted on the training split.

    What is there already with the same fingerprint stays, other files of the folder go. Clips that
    cannot be read are named, counted and left out. Where the split ``val`` is empty the last
    ``tail`` frames of some are held out. With an ``accelerator`` its processes share the clips.
    Raises Interrupted after a clip once a stop was requested, InputUnreadable when there is nothing
    to train on.
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
    say = tell if rank == 0 else quiet
    with memory_told(device, "take a smaller --set picture.side, or a GPU with more memory"):
        measurer = prepare(training, say)
        end_if_stopped(accelerator, "before the first clip was measured")
        files = _Files(Path(folder), measurer, frozenset(validation_share(clips)), tail)
        broken = _all(files, clips[rank::ranks], tell, watch if rank == 0 else None)
        end_if_stopped(accelerator, "amid the features; the clips that were measured are kept")
    if accelerator is not None:
        accelerator.wait_for_everyone()
    if rank == 0:
        files.forget_others(clips)
    summary = summarise(files.finished(clips), clips, files.kept, broken, fps, notes)
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

    def __init__(self, folder: Path, measurer: Measurer, tails: frozenset[str], tail: int) -> None:
        self.folder, self.measurer, self.tails, self.tail = folder, measurer, tails, tail
        self.kept = 0

    def make(self, clip: TrainingClip) -> str:
        """Write the clip's file, and its end's where that is held out; gives why it could not."""
        facts = self._current_facts(clip)
        if facts is not None:
            self.kept += 1
            if self.measurer.stale(facts):
                for clip_id in filter(None, (facts.get("tail"), clip.clip_id)):
                    self.measurer.refresh(self._path(clip_id))
            return ""
        try:
            features = self.measurer.measured(clip)
        except BROKEN as error:
            return " ".join(str(error).split()) or type(error).__name__
        features.facts["fingerprint"] = self._fingerprint(clip)
        if clip.clip_id in self.tails and features.frames >= 3 * self.tail:
            features, end = features.parted(features.frames - self.tail)
            end.save(self._path(end.clip_id))
        features.save(self._path(clip.clip_id))
        return ""

    def finished(self, clips: Sequence[TrainingClip]) -> list[dict[str, Any]]:
        """The facts of all files that these clips have given, ends included."""
        finished = []
        for clip in clips:
            facts = self._current_facts(clip)
            if facts is not None:
                finished.append(facts)
                if facts.get("tail"):
                    finished.append(clip_facts(self._path(facts["tail"])))
        return finished

    def forget_others(self, clips: Sequence[TrainingClip]) -> None:
        """Remove files of other clips, or of other settings: training reads the whole folder."""
        fingerprints = {self._fingerprint(clip) for clip in clips}
        for path in self.folder.glob("*.safetensors"):
            if clip_facts(path).get("fingerprint") not in fingerprints:
                path.unlink()

    def _path(self, clip_id: str) -> Path:
        return self.folder / f"{clip_id}.safetensors"

    def _fingerprint(self, clip: TrainingClip) -> str:
        held_out = self.tail if clip.clip_id in self.tails else 0
        return digest([self.measurer.fingerprint, clip.described(), held_out])

    def _current_facts(self, clip: TrainingClip) -> dict[str, Any] | None:
        """The facts of the clip's file where it, and its end's, are as they would be made."""
        facts, fingerprint = clip_facts(self._path(clip.clip_id)), self._fingerprint(clip)
        if facts.get("fingerprint") != fingerprint:
            return None
        tail = facts.get("tail")
        whole = not tail or clip_facts(self._path(tail)).get("fingerprint") == fingerprint
        return facts if whole else None
