"""What a side's pixels are made of: a video, a still picture, or either after a lossy step.

A source names its pixels by a key over the bytes of its files and all that shapes them; two of one
key are the same pixels, so stored features are shared by key alone. Opens nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from talkingface_wild.benchmark.decoded_video import DecodeSettings
from talkingface_wild.core.fingerprint import digest

Sha = Callable[[str], str]
"""The sha256 of a file, by its path."""


@dataclass(frozen=True)
class VideoFile:
    """A file, decoded by the settings."""

    path: str
    settings: DecodeSettings

    def key(self, sha: Sha) -> str:
        """The file's content and the decode."""
        return self.settings.key(sha(self.path))


@dataclass(frozen=True)
class StillPicture:
    """Frame 0 of ``base``, or the picture file ``portrait`` on a canvas, ``frames`` times."""

    base: PixelSource | None
    frames: int
    portrait: str = ""
    canvas: int = 0

    def key(self, sha: Sha) -> str:
        """What it is a picture of, and how long it stands."""
        if self.base is not None:
            return digest(["still", self.base.key(sha), self.frames], 24)
        return digest(["portrait", sha(self.portrait), self.frames, self.canvas], 24)


@dataclass(frozen=True)
class Recoded:
    """``base`` after a step of ``media.recode``."""

    base: PixelSource
    step: str

    def key(self, sha: Sha) -> str:
        """The step and what it was applied to."""
        return digest(["recoded", self.step, self.base.key(sha)], 24)


PixelSource = VideoFile | StillPicture | Recoded
