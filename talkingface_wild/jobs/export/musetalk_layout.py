"""MuseTalk: videos with sound, a JSON a clip with 68 points and a box for each frame, and lists.

``musetalk/data/dataset.py`` reads it, by the names that ``scripts/preprocess.py`` gives; see
docs/export.md.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from talkingface_wild.functional.face_masks import bounding_box
from talkingface_wild.functional.mesh_regions import FACE_OVAL, IBUG_68
from talkingface_wild.jobs.export.export_clip import ExportClip
from talkingface_wild.jobs.export.trainer_layout import (
    TrainerLayout,
    Unit,
    by_split,
    place_sound,
    place_video,
)

_FILES = "video_audio_clip_root"
MOST_FRAMES = 750
"""The loader takes the sound of later frames from the wrong place."""
LEAST_FRAMES = 10
HEADER = "meta"
"""First line of a list: the loader skips it, whatever it says."""


class MuseTalk(TrainerLayout):
    """``video_audio_clip_root/CLIP.mp4`` and ``.wav``, ``meta/CLIP.json``, train.txt, val.txt."""

    name: ClassVar = "musetalk"
    needs_mesh: ClassVar = True
    needs_rate: ClassVar = 25.0

    def unfit(self, clip: ExportClip) -> str | None:
        """Every frame needs its points; its own script gives up where one has none."""
        if reason := super().unfit(clip):
            return reason
        if not LEAST_FRAMES <= clip.frames <= MOST_FRAMES:
            return f"not {LEAST_FRAMES} to {MOST_FRAMES} frames long"
        return "frames without a face" if clip.faceless else None

    def write(self, unit: Unit, folder: Path, target: Path) -> dict[str, Any]:
        """Video, sound and JSON."""
        (clip,) = unit.clips
        video, sound, meta = self.moves(unit)
        place_video(clip, folder / video, self.size)
        place_sound(clip, folder / sound)
        (folder / meta).parent.mkdir(parents=True)
        content = {
            "mp4_path": str(target / video),
            "wav_path": str(target / sound),
            **face_lists(clip, self.side(clip)),
        }
        (folder / meta).write_text(json.dumps(content), encoding="utf-8")
        return {"frames_without_face": 0}

    def moves(self, unit: Unit) -> tuple[str, ...]:
        """Three files."""
        name = unit.name
        return f"{_FILES}/{name}.mp4", f"{_FILES}/{name}.wav", f"meta/{name}.json"

    def lists(self, units: Sequence[Unit], target: Path) -> Mapping[str, str]:
        """A JSON's name a line, below a header."""
        parts = by_split(units)
        parts.setdefault("val", [])
        return {
            f"{split}.txt": f"{HEADER}\n" + "".join(f"{unit.name}.json\n" for unit in inside)
            for split, inside in parts.items()
        }

    def next_steps(self, target: Path) -> tuple[str, ...]:
        """The folder's name is fixed in its code."""
        return (
            f"In MuseTalk: mkdir -p dataset && ln -s {target} dataset/HDTF",
            "Then: sh train.sh stage1 (data.dataset_key is HDTF there; stage 2 leaves out clips "
            "of less than 160 frames).",
        )


def face_lists(clip: ExportClip, side: int) -> dict[str, Any]:
    """What the JSON says of every frame: 68 points and the face's box in whole pixels."""
    face = clip.face(side)
    points = np.clip(face[:, list(IBUG_68)], 0, side - 1).astype(int)
    boxes = [bounding_box(frame, side) for frame in face[:, list(FACE_OVAL)]]
    left, top, right, bottom = boxes[0]
    return {
        "video_size": [side, side],
        "face_size": [bottom - top, right - left],
        "frames": clip.frames,
        "face_list": [list(box) for box in boxes],
        "landmark_list": points.tolist(),
        "isvalid": True,
    }
