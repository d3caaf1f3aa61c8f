"""WebDataset: tar shards in which files of one name before the first dot are one sample.

``webdataset/tariterators.py`` reads them; see docs/export.md.
"""

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from talkingface_wild.jobs.export.export_clip import SPLITS, ExportClip
from talkingface_wild.jobs.export.trainer_layout import TrainerLayout, Unit, place_video

SHARD_BYTES = 256 * 1024**2
"""A shard is closed before it grows larger."""


class WebDataset(TrainerLayout):
    """``train-000000.tar`` with CLIP.mp4, CLIP.wav and CLIP.json, and so for each split."""

    name: ClassVar = "webdataset"

    def units(self, clips: Sequence[ExportClip]) -> list[Unit]:
        """A unit a shard, each of one split."""
        units: list[Unit] = []
        for split in SPLITS:
            shards: list[list[ExportClip]] = []
            size = 0
            for clip in clips:
                if clip.split != split:
                    continue
                size += (own := self.bytes_of(clip))
                if not shards or size > SHARD_BYTES:
                    shards.append([])
                    size = own
                shards[-1].append(clip)
            for index, inside in enumerate(shards):
                name = f"{split}-{index:06d}"
                units.append(Unit(name, len(units) + 1, tuple(inside)))
        return units

    def write(self, unit: Unit, folder: Path, target: Path) -> dict[str, Any]:
        """The shard; the same bytes each time."""
        with tarfile.open(folder / self.moves(unit)[0], "w", format=tarfile.USTAR_FORMAT) as tar:
            for clip in unit.clips:
                scratch = folder / "video.mp4"
                place_video(clip, scratch, self.size)
                facts = json.dumps(clip.facts(self.side(clip)), ensure_ascii=False).encode()
                _add(tar, f"{clip.clip_id}.json", facts)
                _add(tar, f"{clip.clip_id}.mp4", scratch.read_bytes())
                _add(tar, f"{clip.clip_id}.wav", clip.sound.read_bytes())
                scratch.unlink()
        return {}

    def moves(self, unit: Unit) -> tuple[str, ...]:
        """One file."""
        return (f"{unit.name}.tar",)

    def next_steps(self, target: Path) -> tuple[str, ...]:
        """How it is loaded."""
        shards = str(target / "train-*.tar")
        return (
            f"In Python: webdataset.WebDataset(sorted(glob.glob({shards!r})), shardshuffle=False)",
        )


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    tar.addfile(entry, io.BytesIO(data))
