"""LatentSync: aligned faces at 25 frames a second with sound, and a list of files.

``latentsync/data/unet_dataset.py`` reads MP4 files with their sound from a list of paths and hides
a fixed region of each picture, so that faces must lie on its template. See docs/export.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.functional.mesh_regions import BROWS_AND_NOSE, IBUG_68
from talkingface_wild.functional.template_alignment import aligned_picture
from talkingface_wild.jobs.export.export_clip import ExportClip
from talkingface_wild.jobs.export.trainer_layout import TrainerLayout, Unit, by_split
from talkingface_wild.media.clip_video import clip_of_pictures

LEAST_FRAMES = 48
"""The loader leaves out what is shorter than three times its 16 frames, again and again."""


class LatentSync(TrainerLayout):
    """``videos/CLIP.mp4`` and ``fileslist_SPLIT.txt``."""

    name: ClassVar = "latentsync"
    needs_mesh: ClassVar = True
    needs_rate: ClassVar = 25.0

    def unfit(self, clip: ExportClip) -> str | None:
        """Every frame needs its place on the template."""
        if reason := super().unfit(clip):
            return reason
        if clip.frames < LEAST_FRAMES:
            return f"shorter than {LEAST_FRAMES} frames"
        return "frames without a face" if clip.faceless else None

    def write(self, unit: Unit, folder: Path, target: Path) -> dict[str, Any]:
        """The aligned video."""
        (clip,) = unit.clips
        path = folder / self.moves(unit)[0]
        path.parent.mkdir(parents=True)
        clip_of_pictures(self._aligned(clip), clip.video, path, self.side(clip))
        return {"frames_without_face": 0}

    def _aligned(self, clip: ExportClip) -> Iterator[Pictures]:
        points = clip.face(clip.side)[:, list(IBUG_68)]
        side = self.side(clip)
        for picture, face in zip(clip.pictures(), points, strict=True):
            anchors = [face[part].mean(axis=0) for part in BROWS_AND_NOSE]
            yield aligned_picture(picture, anchors, side)

    def moves(self, unit: Unit) -> tuple[str, ...]:
        """One file."""
        return (f"videos/{unit.name}.mp4",)

    def lists(self, units: Sequence[Unit], target: Path) -> Mapping[str, str]:
        """A path a line for each split."""
        return {
            f"fileslist_{split}.txt": "".join(
                f"{target / self.moves(unit)[0]}\n" for unit in inside
            )
            for split, inside in by_split(units).items()
        }

    def next_steps(self, target: Path) -> tuple[str, ...]:
        """Its configuration; mel spectrograms it makes by itself."""
        return (
            f"In its U-Net config set data.train_fileslist to {target / 'fileslist_train.txt'}, "
            "data.train_data_dir to '' and data.resolution to the size of the pictures.",
            "Then, in LatentSync: ./train_unet.sh (mel spectrograms go into "
            "data.audio_mel_cache_dir by themselves).",
        )
