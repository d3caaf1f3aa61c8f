"""StableAvatar: a folder a clip with frames, masks of face and lips for each, video and sound.

``wan/dataset/talking_video_dataset_fantasy.py`` reads it; see docs/export.md.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from talkingface_wild.functional.face_masks import polygon_mask
from talkingface_wild.functional.mesh_regions import FACE_OVAL, OUTER_LIPS
from talkingface_wild.jobs.export.trainer_layout import (
    TrainerLayout,
    Unit,
    by_split,
    place_sound,
    place_video,
    resized,
    write_png,
)

_CLIPS = "square/speech"
"""The loader takes its prompt from this word in the path: somebody is talking."""


class StableAvatar(TrainerLayout):
    """``square/speech/00001/`` with sub_clip.mp4, audio.wav, images, face_masks and lip_masks."""

    name: ClassVar = "stableavatar"
    needs_mesh: ClassVar = True
    needs_rate: ClassVar = 25.0
    misread: ClassVar = ("singing",)
    pictures_per_frame: ClassVar = 1

    def write(self, unit: Unit, folder: Path, target: Path) -> dict[str, Any]:
        """The clip's folder; masks are grey pictures, black in frames without a face."""
        (clip,) = unit.clips
        place = folder / self.moves(unit)[0]
        side = self.side(clip)
        place_video(clip, place / "sub_clip.mp4", self.size)
        place_sound(clip, place / "audio.wav")
        face = clip.face(side)
        for index, picture in enumerate(clip.pictures()):
            name = f"frame_{index}.png"
            write_png(place / "images" / name, resized(picture, side))
            for part, corners in (("face_masks", FACE_OVAL), ("lip_masks", OUTER_LIPS)):
                write_png(place / part / name, polygon_mask(face[index, list(corners)], side))
        return {"frames_without_face": clip.faceless}

    def moves(self, unit: Unit) -> tuple[str, ...]:
        """The clip's folder."""
        return (f"{_CLIPS}/{unit.number:05d}",)

    def lists(self, units: Sequence[Unit], target: Path) -> Mapping[str, str]:
        """The folders of the training clips by the name that it knows, the others beside it."""
        return {
            f"video_square_path{'' if split == 'train' else f'_{split}'}.txt": "".join(
                f"{target / self.moves(unit)[0]}\n" for unit in inside
            )
            for split, inside in by_split(units).items()
        }

    def next_steps(self, target: Path) -> tuple[str, ...]:
        """Nothing is left to compute."""
        return (
            "In its train_1B_square.sh set --train_data_square_dir to "
            f"{target / 'video_square_path.txt'}.",
            "Then, in StableAvatar: bash train_1B_square.sh (it runs wav2vec 2.0 by itself).",
        )
