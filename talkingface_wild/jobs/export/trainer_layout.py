"""What every layout of an export has: what it needs, what it writes for a clip, and at the end."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.errors import DiskFull, InputUnreadable
from talkingface_wild.jobs.export.export_clip import SPLITS, ExportClip
from talkingface_wild.media.clip_video import scaled_clip

PNG_BYTES_PER_PIXEL = 1.5
"""What a picture takes as PNG, for the estimate of room alone; three real clips took 1.2."""
NO_MESH = "no mesh"


@dataclass(frozen=True)
class Unit:
    """What is written, and taken up again, as a whole: mostly one clip."""

    name: str
    """Of its record; unique in the export."""
    number: int
    """From 1, over the whole export."""
    clips: tuple[ExportClip, ...]


class TrainerLayout:
    """Base of the layouts. A layout is added in ``trainer_layouts.LAYOUTS``."""

    name: ClassVar[str]
    needs_mesh: ClassVar[bool] = False
    needs_rate: ClassVar[float | None] = None
    """Frames a second that its loader takes for granted."""
    misread: ClassVar[tuple[str, ...]] = ()
    """Words that its loader takes for something else wherever they stand in a path."""
    pictures_per_frame: ClassVar[int] = 0
    """PNG pictures that it writes for each frame."""

    def __init__(self, size: int | None) -> None:
        self.size = size
        """Side of the pictures that was asked for, in pixels."""

    def side(self, clip: ExportClip) -> int:
        """Side of the pictures that a clip gets."""
        return self.size or clip.side

    def unfit(self, clip: ExportClip) -> str | None:
        """Why a clip is left out, in a few words; None for one that is exported."""
        if self.needs_mesh and clip.mesh is None:
            return NO_MESH
        if self.needs_rate not in (None, clip.rate):
            return f"not {self.needs_rate:g} frames a second"
        return None

    def units(self, clips: Sequence[ExportClip]) -> list[Unit]:
        """The clips in parts that are written as a whole."""
        return [Unit(clip.clip_id, number, (clip,)) for number, clip in enumerate(clips, start=1)]

    def bytes_of(self, clip: ExportClip) -> int:
        """About what a clip takes on the disk."""
        size = clip.video.stat().st_size + clip.sound.stat().st_size
        if self.pictures_per_frame:
            pixels = self.side(clip) ** 2 * clip.frames * self.pictures_per_frame
            size += int(pixels * PNG_BYTES_PER_PIXEL)
        return size

    def write(self, unit: Unit, folder: Path, target: Path) -> dict[str, Any]:
        """Write a unit's files into ``folder``, by the paths that they get below ``target``.

        Returns what the manifest says of its clips beside their facts.
        """
        raise NotImplementedError

    def moves(self, unit: Unit) -> tuple[str, ...]:
        """The files and folders of a unit, relative, each of which gets its place in one step."""
        raise NotImplementedError

    def lists(self, units: Sequence[Unit], target: Path) -> Mapping[str, str]:
        """Texts by relative path that name what was exported; written last."""
        return {}

    def next_steps(self, target: Path) -> tuple[str, ...]:
        """What the user does next, a line each."""
        raise NotImplementedError


def place_video(clip: ExportClip, path: Path, size: int | None) -> None:
    """The finished MP4 as a file of its own; scaled where another size is asked for."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if size is None or size == clip.side:
        copy(clip.video, path)
    else:
        scaled_clip(clip.video, path, size)


def place_sound(clip: ExportClip, path: Path) -> None:
    """The finished WAV as a file of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    copy(clip.sound, path)


def copy(source: Path, path: Path) -> None:
    """A writable copy, never a link: what a trainer does to it must not reach the store.

    Raises InputUnreadable where it comes out shorter.
    """
    shutil.copyfile(source, path)
    if path.stat().st_size != source.stat().st_size:
        raise InputUnreadable(f"Expected a whole copy of {source}, found a part; try again.")


def write_png(path: Path, picture: Pictures) -> None:
    """A picture (H, W, 3), RGB, or a mask (H, W). Raises OSError where it does not fit."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = picture if picture.ndim == 2 else picture[:, :, ::-1]
    _, data = cv2.imencode(".png", shown)
    path.write_bytes(data.tobytes())


def resized(picture: Pictures, side: int) -> Pictures:
    """A square picture with ``side`` pixels a side."""
    if len(picture) == side:
        return picture
    how = cv2.INTER_AREA if len(picture) > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, (side, side), interpolation=how))


def by_split(units: Sequence[Unit]) -> dict[str, list[Unit]]:
    """Units of one clip each by its split; train stands first even without any."""
    parts: dict[str, list[Unit]] = {SPLITS[0]: []}
    for split in SPLITS:
        inside = [unit for unit in units if unit.clips[0].split == split]
        if inside:
            parts[split] = inside
    return parts


def check_room(needed: int, free: int, target: Path) -> None:
    """Raise DiskFull before the first byte of what will not fit."""
    if needed > free:
        raise DiskFull(
            f"Expected about {needed:,} bytes free for {target}, found {free:,}; free some space, "
            "export fewer clips with --where or smaller ones with --size, or choose another --out."
        )
