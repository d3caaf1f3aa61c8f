"""One video as the benchmark sees it: frames on the canvas at the protocol's rate, and its sound.

Decoded once into a file of raw pixels that is mapped, so that memory stays the same however long
the video is, and every extractor reads what it needs.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from talkingface_wild.core.arrays import Pictures, Samples
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.face_samples import Detection
from talkingface_wild.media.container import open_media
from talkingface_wild.media.decode import frames as decode
from talkingface_wild.media.geometry import Window, crop_padded
from talkingface_wild.media.sound import read_sound

Crop = tuple[float, float, float]
"""Left, top and side of a square: fractions of the picture's width, height and shorter side."""

Content = tuple[int, int, int, int]
"""Left, top, right and bottom edge of what is picture on a canvas, right and bottom excluded."""

DECODE_VERSION = 1
"""Raised when the same file would give other pixels: stored features are then measured anew."""
SOUND_RATE = 16_000
LARGE_BYTES = 100_000_000
LOSSLESS_ENOUGH = ("h264", "ffv1", "png")
"""Codecs in which a video may be delivered without a flag."""


@dataclass
class DecodedVideo:
    """``frames_NHWC`` (N, H, W, 3) are RGB and read-only."""

    frames_NHWC: Pictures
    sound: Samples | None = None
    fps: int = 25
    start_seconds: float = 0.0
    """Of frame 0, on the file's own clock."""
    flags: tuple[str, ...] = ()
    """``crop!`` of another shape than the canvas, ``size!`` resized, ``long!`` goes on after N."""
    content: Content | None = None
    """Where the canvas shows the file's own picture and not its padding; None: all of it."""
    detections: dict[tuple[str, int], Detection] = field(default_factory=dict)
    """Faces by detector and frame: extractors share them."""
    scratch: Path | None = None
    """A folder for what does not fit into memory."""

    def room(self, shape: tuple[int, ...]) -> Pictures:
        """An array (uint8) of this shape, mapped from a file without a name where it is large."""
        if self.scratch is None or int(np.prod(shape)) < LARGE_BYTES:
            return np.empty(shape, np.uint8)
        path = self.scratch / f"{uuid.uuid4().hex}.raw"
        try:
            return np.memmap(path, np.uint8, "w+", shape=shape)
        finally:
            path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self.frames_NHWC)

    def faces(self, detector: Any, name: str, indices: Sequence[int]) -> list[Detection]:
        """The faces of some frames; a frame is searched once, whichever extractor is first."""
        for index in indices:
            if (name, index) not in self.detections:
                self.detections[name, index] = detector.detect(np.array(self.frames_NHWC[index]))
        return [self.detections[name, index] for index in indices]


@dataclass(frozen=True)
class DecodeSettings:
    """What to decode of a file: from where, how many frames, onto which canvas."""

    start_seconds: float | None = None
    frames: int = 375
    """0: all of them."""
    fps: int = 25
    canvas: int = 512
    """Side of the square; 0: the picture's own size, or ``size``."""
    crop: Crop | None = None
    size: tuple[int, int] | None = None
    """Height and width that a generated picture is brought to on a native canvas."""

    def key(self, sha256: str) -> str:
        """A name of the decoded pictures: the file's content and all that shapes them."""
        return digest([DECODE_VERSION, sha256, *astuple(self)], 24)


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
"""What pixels are made of; two sources of one key are the same pixels, so stored features are
shared by key alone. Opens nothing.
"""


def decode_video(path: Path, settings: DecodeSettings, folder: Path) -> DecodedVideo:
    """Decode a file onto the canvas, one frame in memory at a time, into a file without a name.

    Raises ItemRejected ``too_short`` under two frames, and what ``media.decode.frames`` raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / f"{uuid.uuid4().hex}.rgb"
    count, first, flags, shape = 0, settings.start_seconds or 0.0, set[str](), (0, 0, 3)
    content: Content | None = None
    try:
        with raw.open("wb") as stream:
            for seconds, rgb_HWC in pictures(path, settings):
                if settings.frames and count == settings.frames:
                    flags.add("long!")
                    break
                if count == 0:
                    first, content = seconds, content_of(rgb_HWC.shape[:2], settings)
                picture_HWC, flag = on_canvas(rgb_HWC, settings)
                if count and picture_HWC.shape != shape:
                    break
                stream.write(np.ascontiguousarray(picture_HWC).data)
                flags.update(flag)
                shape, count = picture_HWC.shape, count + 1
        if count < 2:
            detail = f"expected a video of at least 2 frames, found {count} in {path.name!r}"
            raise ItemRejected("too_short", detail)
        frames_NHWC = np.memmap(raw, np.uint8, "r", shape=(count, *shape))
    finally:
        raw.unlink(missing_ok=True)
    return DecodedVideo(
        frames_NHWC,
        start_seconds=first,
        flags=tuple(sorted(flags)),
        content=content,
        scratch=folder,
    )


def pictures(path: Path, settings: DecodeSettings) -> Iterator[tuple[float, Pictures]]:
    """Seconds and RGB of the frames from the settings' start on, at the protocol's rate."""
    start, end = settings.start_seconds, None
    if start is not None and settings.frames:
        end = start + settings.frames / settings.fps
    for frame in decode(path, start=start, end=end, fps=settings.fps):
        yield frame.seconds, frame.rgb


def on_canvas(rgb_HWC: Pictures, settings: DecodeSettings) -> tuple[Pictures, set[str]]:
    """A picture on the canvas, and flags: area when it shrinks, bicubic when it grows.

    With a crop its window alone; else the whole picture, padded with black to a square canvas, or
    as it is on a native one.
    """
    height, width = rgb_HWC.shape[:2]
    window, canvas = _window(height, width, settings), settings.canvas
    if window is not None:
        flags = set[str]() if settings.crop is not None else {"crop!"}
        return crop_padded(rgb_HWC, window, canvas or window.side), flags
    tall, wide = (canvas, canvas) if canvas else settings.size or (height, width)
    if (height, width) == (tall, wide):
        return rgb_HWC, set()
    same = same_ratio(width / height, wide / tall)
    method = cv2.INTER_CUBIC if same and height <= tall else cv2.INTER_AREA
    resized = cv2.resize(rgb_HWC, (wide, tall), interpolation=method)
    return np.asarray(resized, np.uint8), {"size!" if same else "crop!"}


def content_of(size: tuple[int, int], settings: DecodeSettings) -> Content | None:
    """Where ``on_canvas`` puts a picture of ``size`` (height, width); None without padding.

    Only canvas pixels that are made of the picture alone count: those whose resampling reaches
    over its edge into the padding are left out.
    """
    height, width = size
    window = _window(height, width, settings)
    if window is None:
        return None
    left, top, inner_width, inner_height = window.inside(width, height)
    if (inner_width, inner_height) == (window.side, window.side):
        return None
    canvas = settings.canvas or window.side
    columns = _pure(left - window.left, inner_width, window.side, canvas)
    rows = _pure(top - window.top, inner_height, window.side, canvas)
    return columns[0], rows[0], columns[1], rows[1]


def _window(height: int, width: int, settings: DecodeSettings) -> Window | None:
    """The square that becomes the canvas; None where the picture is resized whole."""
    if settings.crop is not None:
        left, top, side = settings.crop
        side_px = max(2, round(side * min(width, height)))
        return Window(round(left * width), round(top * height), side_px)
    if not settings.canvas or same_ratio(width / height, 1.0):
        return None
    longer = max(height, width)
    return Window((width - longer) // 2, (height - longer) // 2, longer)


def _pure(before: int, length: int, side: int, canvas: int) -> tuple[int, int]:
    """The canvas pixels, last excluded, that ``length`` pixels after ``before`` of ``side`` make.

    Shrunk by area a pixel is made of those that it covers, grown by cubic of four neighbours.
    """
    scale = canvas / side
    if scale <= 1:
        first, last = before * scale, (before + length) * scale
    else:
        first = (before + 1.5) * scale - 0.5 if before else 0.0
        last = (before + length - 1.5) * scale + 0.5 if before + length < side else float(canvas)
    return math.ceil(first - 1e-6), max(math.ceil(first - 1e-6), math.floor(last + 1e-6))


def same_ratio(one: float, other: float) -> bool:
    """Whether two ratios of width to height agree to half a percent."""
    return abs(one / other - 1.0) < 0.005


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


def same_shape(first: Path, second: Path) -> bool:
    """Whether two videos are displayed with one ratio of width to height."""
    ratios = []
    for path in (first, second):
        _, rgb_HWC = next(pictures(path, DecodeSettings(frames=1)))
        ratios.append(rgb_HWC.shape[1] / rgb_HWC.shape[0])
    return same_ratio(ratios[0], ratios[1])


def hear(path: Path, start_seconds: float, seconds: float) -> Samples | None:
    """Mono sound of a span at 16 kHz, or None where the file has none."""
    try:
        return read_sound(path, start_seconds, start_seconds + seconds, SOUND_RATE)
    except ItemRejected as error:
        if error.outcome.reason in ("no_audio", "not_a_video"):
            return None
        raise
