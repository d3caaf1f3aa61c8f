"""What an analysis looks at: a portrait that speaks, with the real frames where there are any.

Shapes: T frames, H W pixels (uint8 RGB).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions.sound_features import RATE, Samples

Picture = npt.NDArray[np.uint8]
Boxes = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Subject:
    """A portrait (side, side, 3) and mono sound at 16 kHz; ``label`` is what it is said to show."""

    name: str
    portrait_HWC: Picture
    sound: Samples
    truth_THWC: Picture | None = None
    """The real frames at the model's rate; the portrait is the first of them."""
    label: str = ""
    mouth_T4: Boxes | None = None
    """Where the mouth is in each frame (x0, y0, x1, y1, in [0, 1]); its last row holds on."""

    def frames(self, fps: int) -> int:
        """How many frames the sound covers, and the real frames where there are any."""
        heard = len(self.sound) * fps // RATE
        return heard if self.truth_THWC is None else min(heard, len(self.truth_THWC))

    def compared(self, frame: int) -> Picture:
        """What a generated frame is compared with: the real one, or the portrait."""
        return self.portrait_HWC if self.truth_THWC is None else self.truth_THWC[frame]


def against(subjects: Sequence[Subject]) -> str:
    """What the frames of these subjects are compared with, in words."""
    kinds = {subject.truth_THWC is not None for subject in subjects}
    if kinds == {True}:
        return "the real frames"
    return "the portrait" if kinds == {False} else "the real frames, or the portrait without them"


def long_enough(subjects: Sequence[Subject], fps: int, least: int) -> list[Subject]:
    """Those with at least ``least`` frames. Raises InputUnreadable when there are none."""
    enough = [subject for subject in subjects if subject.frames(fps) >= least]
    if enough:
        return enough
    longest = max((subject.frames(fps) for subject in subjects), default=0)
    raise InputUnreadable(
        f"Expected at least {least} frames of speech ({least / fps:.2g} s), found {longest} at "
        "most; give longer sound or clips, or ask for fewer frames."
    )
