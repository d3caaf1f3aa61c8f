"""A clip as the stage ``features`` is handed it: pictures and sound by call, and the rest.

Shapes: T frames, H W pixels (uint8 RGB, square), P landmarks; a box is x0, y0, x1, y1.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemFailed, ItemRejected

Pictures = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]
Floats = npt.NDArray[np.float32]
BROKEN = (ItemRejected, ItemFailed, InputUnreadable, OSError)
"""What the calls of a clip may raise where its file cannot be read."""
_TAIL = "-from"


@dataclass(frozen=True)
class TrainingClip:
    """The caller decodes: a broken file shows when ``frames`` or ``sound`` is called."""

    clip_id: str
    """It names the clip's file of features."""
    frames: Callable[[], Iterator[Pictures]]
    """Chunks (n, H, W, 3) at the configuration's frames a second and side."""
    sound: Callable[[], Samples]
    """Mono at 16 kHz, from the first frame on."""
    identity: str = ""
    language: str = ""
    split: str = "train"
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Plain data that is kept with the features; another value makes them anew."""
    face_boxes_T4: Floats | None = None
    """The face in each frame, in [0, 1] of the picture."""
    points_TP2: Floats | None = None
    """Landmarks, in [0, 1] of the picture: eyes, nose, corners of the mouth; or the 68 of iBUG."""

    def squares(self, side: int) -> Iterator[Pictures]:
        """The chunks of ``frames``; raises InputUnreadable where they are of another size."""
        for chunk in self.frames():
            if chunk.shape[1:] != (side, side, 3):
                shape = " x ".join(map(str, chunk.shape[1:]))
                raise InputUnreadable(f"expected frames of {side} x {side} x 3, found {shape}")
            yield chunk

    def described(self) -> list[Any]:
        """Plain data of everything but pictures and sound."""
        tracks = [
            None
            if rows is None
            else hashlib.sha256(np.ascontiguousarray(rows).tobytes()).hexdigest()
            for rows in (self.face_boxes_T4, self.points_TP2)
        ]
        return [self.clip_id, self.identity, self.language, self.split, dict(self.facts), tracks]


def tail_id(clip_id: str, first: int) -> str:
    """The id of a clip's end from frame ``first`` on, held out for validation."""
    return f"{clip_id}{_TAIL}{first}"


def whole_id(clip_id: str) -> tuple[str, int]:
    """The clip that an id belongs to, and the frame of it with which this part begins."""
    whole, tail, first = clip_id.rpartition(_TAIL)
    return (whole, int(first)) if tail and first.isdigit() else (clip_id, 0)


def evenly(count: int, most: int) -> list[int]:
    """At most ``most`` places out of ``count``, evenly spread, first and last among them."""
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})
