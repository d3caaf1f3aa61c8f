"""One video as the benchmark sees it: frames on the canvas at the protocol's rate, and its sound.

Decoded once into a file of raw pixels that is mapped, so that memory stays the same however long
the video is, and every extractor reads what it needs.
"""

import math
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
    content: Content | None = None
    """Where the canvas shows the file's own picture and not its padding; None: all of it."""
    detections: dict[tuple[str, int], Detection] = field(default_factory=dict)
    """Faces that were found already, by detector and frame: extractors share them."""
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
        """The faces of some frames, each looked for once whoever asks."""
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
        crop, size = (list(part) if part else None for part in (self.crop, self.size))
        shape = [self.start_seconds, self.frames, self.fps, self.canvas, crop, size]
        return digest([DECODE_VERSION, sha256, *shape], 24)


@dataclass(frozen=True)
class Decoded:
    """Frames (N, H, W, 3) mapped from a file without a name, frame 0's seconds, and flags:
    ``crop!`` of another shape than the canvas, ``size!`` resized, ``long!`` goes on after them.
    """

    frames_NHWC: Pictures
    start_seconds: float
    flags: tuple[str, ...]
    content: Content | None = None
    """As in ``DecodedVideo``."""


def decode_view(path: Path, wanted: DecodeSettings, folder: Path) -> Decoded:
    """Decode a file onto the canvas, one frame in memory at a time.

    Raises ItemRejected ``too_short`` under two frames, and what ``media.decode.frames`` raises.
    """
    folder.mkdir(parents=True, exist_ok=True)
    raw = folder / f"{uuid.uuid4().hex}.rgb"
    count, first, flags, shape = 0, wanted.start_seconds or 0.0, set[str](), (0, 0, 3)
    content: Content | None = None
    try:
        with raw.open("wb") as stream:
            for seconds, rgb_HWC in pictures(path, wanted):
                if wanted.frames and count == wanted.frames:
                    flags.add("long!")
                    break
                if count == 0:
                    first, content = seconds, content_of(rgb_HWC.shape[:2], wanted)
                placed, flag = on_canvas(rgb_HWC, wanted)
                if count and placed.shape != shape:
                    break
                stream.write(np.ascontiguousarray(placed).data)
                flags.update(flag)
                shape, count = placed.shape, count + 1
        if count < 2:
            said = f"expected a video of at least 2 frames, found {count} in {path.name!r}"
            raise ItemRejected("too_short", said)
        frames = np.memmap(raw, np.uint8, "r", shape=(count, *shape))
    finally:
        raw.unlink(missing_ok=True)
    return Decoded(frames, first, tuple(sorted(flags)), content)


def pictures(path: Path, wanted: DecodeSettings) -> Iterator[tuple[float, Pictures]]:
    """Seconds and RGB of the frames from the wanted start on, at the protocol's rate."""
    start = wanted.start_seconds
    end = start + wanted.frames / wanted.fps if start is not None and wanted.frames else None
    for frame in decode(path, start=start, end=end, fps=wanted.fps):
        yield frame.seconds, frame.rgb


def on_canvas(rgb_HWC: Pictures, wanted: DecodeSettings) -> tuple[Pictures, set[str]]:
    """A picture on the canvas, and flags: area when it shrinks, bicubic when it grows.

    With a crop its window alone; else the whole picture, padded with black to a square canvas, or
    as it is on a native one.
    """
    height, width = rgb_HWC.shape[:2]
    window = _window(height, width, wanted)
    if window is not None:
        flags = set[str]() if wanted.crop is not None else {"crop!"}
        return crop_padded(rgb_HWC, window, wanted.canvas or window.side), flags
    tall, wide = (wanted.canvas, wanted.canvas) if wanted.canvas else wanted.size or (height, width)
    if (height, width) == (tall, wide):
        return rgb_HWC, set()
    if same_ratio(width / height, wide / tall):
        how = cv2.INTER_AREA if height > tall else cv2.INTER_CUBIC
        resized = cv2.resize(rgb_HWC, (wide, tall), interpolation=how)
        return np.asarray(resized, np.uint8), {"size!"}
    resized = cv2.resize(rgb_HWC, (wide, tall), interpolation=cv2.INTER_AREA)
    return np.asarray(resized, np.uint8), {"crop!"}


def content_of(size: tuple[int, int], wanted: DecodeSettings) -> Content | None:
    """Where ``on_canvas`` puts a picture of ``size`` (height, width); None without padding.

    Only canvas pixels that are made of the picture alone count: those whose resampling reaches
    over its edge into the padding are left out.
    """
    height, width = size
    window = _window(height, width, wanted)
    if window is None:
        return None
    left, top, inner_width, inner_height = window.inside(width, height)
    if (inner_width, inner_height) == (window.side, window.side):
        return None
    canvas = wanted.canvas or window.side
    columns = _pure(left - window.left, inner_width, window.side, canvas)
    rows = _pure(top - window.top, inner_height, window.side, canvas)
    return columns[0], rows[0], columns[1], rows[1]


def _window(height: int, width: int, wanted: DecodeSettings) -> Window | None:
    """The square that becomes the canvas; None where the picture is resized whole."""
    if wanted.crop is not None:
        side = max(2, round(wanted.crop[2] * min(width, height)))
        return Window(round(wanted.crop[0] * width), round(wanted.crop[1] * height), side)
    if not wanted.canvas or same_ratio(width / height, 1.0):
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


def batches(view: DecodedVideo, indices: Sequence[int], size: int) -> Iterator[Pictures]:
    """The chosen frames, so many at a time, as arrays of their own."""
    for start in range(0, len(indices), size):
        yield np.array(view.frames_NHWC[list(indices[start : start + size])])
