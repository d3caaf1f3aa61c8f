"""Hugging Face's VideoFolder: MP4 files by split, and what is told of each in a metadata.jsonl.

``datasets/packaged_modules/folder_based_builder`` reads it; see docs/export.md.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from talkingface_wild.jobs.export.trainer_layout import TrainerLayout, Unit, by_split, place_video

_FOLDERS = {"train": "train", "val": "validation", "test": "test"}


class VideoFolder(TrainerLayout):
    """``train/CLIP.mp4`` and ``train/metadata.jsonl``, and so for validation and test."""

    name: ClassVar = "videofolder"

    def write(self, unit: Unit, folder: Path, target: Path) -> dict[str, Any]:
        """The video, which has its sound."""
        place_video(unit.clips[0], folder / self.moves(unit)[0], self.size)
        return {}

    def moves(self, unit: Unit) -> tuple[str, ...]:
        """One file."""
        return (f"{_FOLDERS[unit.clips[0].split]}/{unit.name}.mp4",)

    def lists(self, units: Sequence[Unit], target: Path) -> Mapping[str, str]:
        """A JSON object a line, of the same keys and kinds in all: null would have none."""
        texts = {}
        for split, inside in by_split(units).items():
            rows = [
                {"file_name": f"{unit.name}.mp4", **clip.facts(self.side(clip))}
                for unit in inside
                for clip in unit.clips
            ]
            if rows:
                lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
                texts[f"{_FOLDERS[split]}/metadata.jsonl"] = "".join(lines)
        return texts

    def next_steps(self, target: Path) -> tuple[str, ...]:
        """How it is loaded."""
        return (f"In Python: datasets.load_dataset('videofolder', data_dir={str(target)!r})",)
