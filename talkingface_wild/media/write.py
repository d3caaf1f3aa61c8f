"""Frames that are being made, written as a video with their sound by one ffmpeg, in chunks."""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.ffmpeg import feed_ffmpeg, file_argument

_CLOSING_SECONDS = 600.0


def write_video(
    path: Path,
    chunks: Iterable[Pictures],
    sound: Path | None,
    fps: int = 25,
    crf: int = 18,
    words: Mapping[str, str] | None = None,
) -> int:
    """Write (T, H, W, 3) uint8 RGB chunks as H.264 (yuv420p) and AAC; returns the frames written.

    The file has its name only when it is complete. ``words`` go into the container: title, comment.
    Raises ItemFailed when ffmpeg fails or nothing comes, ValueError for chunks of several sizes.
    """
    coming = iter(chunks)
    first = next(coming, None)
    if first is None:
        raise ItemFailed("crash", f"expected frames to write into {path.name!r}, found none")
    shape, counts = first.shape[1:], list[int]()

    def checked() -> Iterator[Pictures]:
        for chunk in itertools.chain([first], coming):
            if chunk.shape[1:] != shape or chunk.dtype != np.uint8:
                raise ValueError(f"expected uint8 frames of {shape}, found {chunk.shape[1:]}")
            counts.append(len(chunk))
            yield chunk

    with atomic_path(path) as temporary:
        arguments = _arguments(temporary, shape, sound, fps, crf, words or {})
        feed_ffmpeg(arguments, checked(), writes=path, timeout_seconds=_CLOSING_SECONDS)
    return sum(counts)


def _arguments(
    target: Path,
    shape: tuple[int, ...],
    sound: Path | None,
    fps: int,
    crf: int,
    words: Mapping[str, str],
) -> list[str]:
    height, width = shape[0], shape[1]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
    heard = ["-i", file_argument(sound), "-c:a", "aac", "-b:a", "192k"] if sound else []
    metadata = [word for name, text in words.items() for word in ("-metadata", f"{name}={text}")]
    return [
        *("-threads", "1", *raw, "-i", "pipe:0", *heard),
        *("-c:v", "libx264", "-crf", str(crf), "-preset", "medium", "-pix_fmt", "yuv420p"),
        *("-threads", "1", "-movflags", "+faststart", *metadata, file_argument(target)),
    ]
