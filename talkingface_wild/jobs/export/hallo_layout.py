"""Hallo: videos, frames, sound, and one set of masks a clip over all of its frames.

``hallo/datasets/talk_video.py`` and ``mask_image.py`` read it through the JSON files that
``scripts/extract_meta_info_stage1.py`` and ``…stage2.py`` write; see docs/export.md.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional.face_masks import Mask, bounding_box, box_mask, soft_mask
from talkingface_wild.functional.mesh_regions import FACE_OVAL, OUTER_LIPS
from talkingface_wild.jobs.export.export_clip import ExportClip
from talkingface_wild.jobs.export.trainer_layout import (
    TrainerLayout,
    Unit,
    place_sound,
    place_video,
    resized,
    write_png,
)

_FACE_BLUR, _LIP_BLUR = 51, 31
LEAST_FRAMES = 21
"""Stage 2 asks for more than 14 frames, 2 of motion and 2 of sound on either side."""


class Hallo(TrainerLayout):
    """What step 1 of its ``scripts.data_preprocess`` makes; step 2 needs its own networks."""

    name: ClassVar = "hallo"
    needs_mesh: ClassVar = True
    needs_rate: ClassVar = 25.0
    misread: ClassVar = ("videos", "images", ".mp4")
    pictures_per_frame: ClassVar = 1

    def unfit(self, clip: ExportClip) -> str | None:
        """Masks need a face in at least one frame."""
        if reason := super().unfit(clip):
            return reason
        if clip.frames < LEAST_FRAMES:
            return f"shorter than {LEAST_FRAMES} frames"
        return "no frame with a face" if clip.faceless == clip.frames else None

    def write(self, unit: Unit, folder: Path, target: Path) -> dict[str, Any]:
        """The clip's files, each in the folder of its kind."""
        (clip,) = unit.clips
        side, name = self.side(clip), unit.name
        place_video(clip, folder / "videos" / f"{name}.mp4", self.size)
        place_sound(clip, folder / "audios" / f"{name}.wav")
        for number, picture in enumerate(clip.pictures(), start=1):
            write_png(folder / "images" / name / f"{number:04d}.png", resized(picture, side))
        face = clip.face(side)
        for part, mask in union_masks(face, side).items():
            write_png(folder / part / f"{name}.png", mask)
        return {"frames_without_face": clip.faceless}

    def moves(self, unit: Unit) -> tuple[str, ...]:
        """A file, or a folder of frames, of each kind."""
        name = unit.name
        masks = (f"{part}/{name}.png" for part in _MASKS)
        return (f"videos/{name}.mp4", f"audios/{name}.wav", f"images/{name}", *masks)

    def lists(self, units: Sequence[Unit], target: Path) -> Mapping[str, str]:
        """Nothing: its own scripts write the JSON files once the embeddings are there."""
        return {}

    def next_steps(self, target: Path) -> tuple[str, ...]:
        """Its own second step and both of its scripts; the first step is done."""
        return (
            "In Hallo, on a machine with a GPU (step 1 is done, step 2 makes the embeddings): "
            f"python -m scripts.data_preprocess --input_dir {target / 'videos'} --step 2",
            f"python scripts/extract_meta_info_stage1.py -r {target} -n {target.name}",
            f"python scripts/extract_meta_info_stage2.py -r {target} -n {target.name}",
            f"Then name ./data/{target.name}_stage1.json and …_stage2.json in configs/train.",
        )


_MASKS = ("face_mask", "sep_pose_mask", "sep_face_mask", "sep_lip_mask")


def union_masks(face_T: Floats, side: int) -> dict[str, Mask]:
    """Hallo's four masks of a mesh (T, 468, 2): boxes over all frames, as it takes them.

    ``face_mask`` (side, side) is the box; the others, 64 x 64, are soft: all but the face, the face
    less the lips, and the lips.
    """
    face, lips = (
        box_mask(bounding_box(face_T[:, list(corners)], side), side)
        for corners in (FACE_OVAL, OUTER_LIPS)
    )
    soft_face, soft_lips = soft_mask(face, _FACE_BLUR), soft_mask(lips, _LIP_BLUR)
    less = np.clip(soft_face.astype(np.int16) - soft_lips, 0, 255).astype(np.uint8)
    return dict(zip(_MASKS, (face, 255 - soft_face, less, soft_lips), strict=True))
