"""What the stage ``features`` ended with: figures for the log, and what the model is trained on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.models.training.training_clip import TrainingClip

Facts = Mapping[str, Any]
_NAMED = 10


@dataclass(frozen=True)
class FeaturesSummary:
    """``finished`` are the facts of every file; ``broken`` says why a clip has none."""

    finished: Sequence[Facts]
    kept: int
    """Clips that were there already."""
    broken: Mapping[str, str]
    fps: int
    notes: tuple[str, ...] = ()

    def figures(self) -> dict[str, Any]:
        """Plain data for the record of stages."""
        return {
            "clips": sum("tail_of" not in facts for facts in self.finished),
            "already": self.kept,
            "left_out": len(self.broken),
            "frames": sum(facts["frames"] for facts in self.finished),
            "splits": dict(Counter(facts["split"] for facts in self.finished)),
            "mouth_from": dict(Counter(facts["mouth_from"] for facts in self.finished)),
            "why_left_out": dict(list(self.broken.items())[:_NAMED]),
            "notes": list(self.notes),
        }

    def trained_on(self, dataset: Path) -> dict[str, Any]:
        """What every file made with the model repeats: the data set's name, not its place."""
        learned = [facts for facts in self.finished if facts["split"] == "train"]
        return {
            "dataset": dataset.resolve().name,
            "sha256": digest(sorted(facts["fingerprint"] for facts in learned)),
            "clips": len(learned),
            "seconds": round(sum(facts["frames"] for facts in learned) / self.fps, 1),
            "identities": len({facts["identity"] for facts in learned}),
            "languages": dict(sorted(Counter(facts["language"] for facts in learned).items())),
        }


def summarise(
    finished: Sequence[Facts],
    clips: Sequence[TrainingClip],
    kept: int,
    broken: Mapping[str, str],
    fps: int,
    notes: Sequence[str] = (),
) -> FeaturesSummary:
    """Count the files and say what a reader has to know, ``notes`` first.

    Raises InputUnreadable without any file of a training clip.
    """
    if not any(facts["split"] == "train" for facts in finished):
        reason = next(iter(broken.values()), "none was left")
        raise InputUnreadable(
            f"Expected training clips that can be read, found none among {len(clips)} (the first: "
            f"{reason.rstrip('.')}); curate the data set again."
        )
    sentences = list(notes)
    tails = [facts for facts in finished if "tail_of" in facts]
    held_out = any(facts["split"] == "val" for facts in finished)
    if tails:
        seconds = tails[0]["frames"] / fps
        sentences.append(
            f"The split val is empty: the last {seconds:.1f} s of {len(tails)} training clips are "
            "held out for validation, so it tells nothing of other persons."
        )
    elif not held_out:
        sentences.append(
            "The split val is empty and no clip is long enough to hold its end out: validation "
            "is on the training clips."
        )
    guessed = sum(facts["mouth_from"] == "default" for facts in finished)
    if guessed:
        sentences.append(
            f"{guessed} of {len(finished)} clips have no face track: their mouth is taken to be "
            "where portraits usually have it."
        )
    long = sum(bool(facts["cut_at_max_frames"]) for facts in finished if "tail_of" not in facts)
    if long:
        sentences.append(
            f"{long} clips are longer than features are kept of: their rest is left out."
        )
    return FeaturesSummary(finished, kept, broken, fps, tuple(sentences))
