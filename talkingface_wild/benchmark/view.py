"""One video as the benchmark sees it: frames on the canvas at the protocol's rate, and its sound.

Decoded once into a file of raw pixels that is mapped, so that memory stays the same however long
the video is, and every extractor reads what it needs.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.face_samples import Detection
from talkingface_wild.media.container import open_media
from talkingface_wild.media.decode import frames as decode
from talkingface_wild.media.geometry import Window, crop_padded
from talkingface_wild.media.sound import read_sound

Pictures = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.int16]
Crop = tuple[float, float, float]
"""Left, top and side of a square: fractions of the picture's width, height and shorter side."""

SOUND_RATE = 16_000
LOSSLESS_ENOUGH = ("h264", "ffv1", "png")
"""Codecs in which a video may be delivered without a flag."""


@dataclass
class View:
    """``frames_NHWC`` are RGB and read-only; ``sound`` may be None. Keys name their content."""

    frames_NHWC: Pictures
    picture_key: str
    sound: Samples | None = None
    sound_key: str = ""
    fps: int = 25
    start_seconds: float = 0.0
    """Of frame 0, on the file's own clock."""
    codec: str = "frames"
    flags: tuple[str, ...] = ()
    detections: dict[tuple[str, int], Detection] = field(default_factory=dict)
    """Faces that were found already, by detector and frame: extractors share them."""

    def __len__(self) -> int:
        return len(self.frames_NHWC)

    def faces(self, detector: Any, name: str, indices: Sequence[int]) -> list[Detection]:
        """The faces of some frames, each looked for once whoever asks."""
        for index in indices:
            if (name, index) not in self.detections:
                self.detections[name, index] = detector.detect(np.array(self.frames_NHWC[index]))
        return [self.detections[name, index] for index in indices]


@dataclass(frozen=True)
class Wanted:
    """What to decode of a file: from where, how many frames, onto which canvas."""

    start_seconds: float | None = None
    frames: int = 375
    fps: int = 25
    canvas: int = 512
    crop: Crop | None = None

    def key(self, sha256: str) -> str:
        """A name of the decoded pictures: the file's content and all that shapes them."""
        start, crop = self.start_seconds, list(self.crop) if self.crop else None
        return digest([sha256, start, self.frames, self.fps, self.canvas, crop], 24)


@contextlib.contextmanager
def pixel_file(folder: Path, frames: int, canvas: int) -> Iterator[Pictures]:
    """Room for so many frames in a mapped file that is gone when the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{uuid.uuid4().hex}.rgb"
    try:
        yield np.memmap(path, np.uint8, "w+", shape=(frames, canvas, canvas, 3))
    finally:
        path.unlink(missing_ok=True)


def decode_into(pixels: Pictures, path: Path, wanted: Wanted) -> tuple[int, float, tuple[str, ...]]:
    """Decode a file onto the canvas: (frames, seconds of frame 0 on its clock, flags).

    Flags: ``crop!`` the picture is not square and was padded, ``size!`` it was resized, ``fps!``
    its rate was not the protocol's. Raises what ``media.decode.frames`` raises.
    """
    start = wanted.start_seconds
    end = None if start is None else start + wanted.frames / wanted.fps
    count, first, flags = 0, start or 0.0, set[str]()
    for frame in decode(path, start=start, end=end, fps=wanted.fps):
        if count == 0:
            first = frame.seconds
        if count == wanted.frames:
            break
        pixels[count], flag = on_canvas(frame.rgb, wanted.canvas, wanted.crop)
        flags.update(flag)
        count += 1
    if count < 2:
        raise ItemRejected(
            "too_short", f"expected a video of at least 2 frames, found {count} in {path.name!r}"
        )
    return count, first, tuple(sorted(flags))


def on_canvas(rgb_HWC: Pictures, side: int, crop: Crop | None = None) -> tuple[Pictures, set[str]]:
    """A picture as (side, side, 3), and flags: area when it shrinks, bicubic when it grows.

    With ``crop`` its window alone; else the whole picture, padded with black to a square.
    """
    height, width = rgb_HWC.shape[:2]
    if crop is not None:
        window = Window(
            round(crop[0] * width),
            round(crop[1] * height),
            max(2, round(crop[2] * min(width, height))),
        )
        return crop_padded(rgb_HWC, window, side), set()
    if (height, width) == (side, side):
        return rgb_HWC, set()
    if height == width:
        how = cv2.INTER_AREA if height > side else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(rgb_HWC, (side, side), interpolation=how), np.uint8), {"size!"}
    longer = max(height, width)
    window = Window((width - longer) // 2, (height - longer) // 2, longer)
    return crop_padded(rgb_HWC, window, side), {"crop!"}


def delivered(path: Path, fps: int) -> tuple[str, tuple[str, ...]]:
    """How a video was delivered: its codec, and flags ``codec!`` and ``fps!``."""
    with open_media(path) as media:
        name = str(media.video.codec_context.name)
        rate = media.video.average_rate
    codec = {"libx264": "h264"}.get(name, name)
    flags = [] if codec in LOSSLESS_ENOUGH else ["codec!"]
    if rate is not None and abs(float(rate) - fps) > 0.01:
        flags.append("fps!")
    return codec, tuple(flags)


def hear(path: Path, start_seconds: float, seconds: float) -> Samples | None:
    """Mono sound of a span at 16 kHz, or None where the file has none."""
    try:
        return read_sound(path, start_seconds, start_seconds + seconds, SOUND_RATE)
    except ItemRejected as error:
        if error.outcome.reason in ("no_audio", "not_a_video"):
            return None
        raise


def batches(view: View, indices: Sequence[int], size: int) -> Iterator[Pictures]:
    """The chosen frames, so many at a time, as arrays of their own."""
    for start in range(0, len(indices), size):
        yield np.array(view.frames_NHWC[list(indices[start : start + size])])
