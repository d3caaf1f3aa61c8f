"""The one writer of generated video: pictures with their sound, marked inside and beside the file.

A video is written in one go, or finished from pictures that grew over several runs.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.core.provenance import Provenance, container_words, write_sidecar
from talkingface_wild.media.ffmpeg import (
    feed_ffmpeg,
    file_argument,
    metadata_arguments,
    raw_pictures,
)
from talkingface_wild.media.resumable_video import ResumableVideo

_CLOSING_SECONDS = 600.0


def write_video(
    path: Path,
    chunks: Iterable[Pictures],
    sound: Path | None,
    fps: int = 25,
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
        arguments = [
            *("-threads", "1", *raw_pictures(shape, fps), "-i", "pipe:0"),
            *(("-i", file_argument(sound), "-c:a", "aac", "-b:a", "192k") if sound else ()),
            *("-c:v", "libx264", "-crf", "18", "-preset", "medium", "-pix_fmt", "yuv420p"),
            *("-threads", "1", "-movflags", "+faststart", *metadata_arguments(words or {})),
            file_argument(temporary),
        ]
        feed_ffmpeg(arguments, checked(), writes=path, timeout_seconds=_CLOSING_SECONDS)
    return sum(counts)


def write_generated(
    path: Path, chunks: Iterable[Pictures], sound: Path, fps: int, provenance: Provenance
) -> int:
    """Write (T, H, W, 3) uint8 RGB chunks and a sound file in one go; gives the frames written.

    The file has its name only when it is complete. Raises as ``write_video``.
    """
    count = write_video(path, chunks, sound, fps, words=container_words(path, provenance))
    write_sidecar(path, provenance)
    return count


def finish_generated(
    video: ResumableVideo, frames: int, sound: Path, provenance: Provenance
) -> None:
    """Put pictures that grew and any media file's sound into the finished video.

    Raises as ``ResumableVideo.finish``.
    """
    video.finish(frames, sound, container_words(video.path, provenance))
    write_sidecar(video.path, provenance)
