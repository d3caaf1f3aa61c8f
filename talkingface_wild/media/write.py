"""Frames that are being made, written as a video with their sound by one ffmpeg, in chunks."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.ffmpeg import ffmpeg_binary, file_argument

Pictures = npt.NDArray[np.uint8]
_CLOSING_SECONDS = 600.0


def write_video(
    path: Path,
    chunks: Iterable[Pictures],
    sound: Path | None,
    fps: int = 25,
    crf: int = 18,
) -> int:
    """Write (T, H, W, 3) uint8 RGB chunks as H.264 (yuv420p) and AAC; returns the frames written.

    The file has its name only when it is complete. Raises ItemFailed when ffmpeg fails or nothing
    comes, ValueError for chunks of several sizes.
    """
    count, shape = 0, None
    with contextlib.ExitStack() as stack:
        temporary = stack.enter_context(atomic_path(path))
        said = stack.enter_context(tempfile.TemporaryFile())
        process: subprocess.Popen[bytes] | None = None
        try:
            for chunk in chunks:
                if process is None:
                    shape = chunk.shape[1:]
                    command = _command(temporary, shape, sound, fps, crf)
                    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=said)
                if chunk.shape[1:] != shape or chunk.dtype != np.uint8 or process.stdin is None:
                    raise ValueError(f"expected uint8 frames of {shape}, found {chunk.shape[1:]}")
                process.stdin.write(np.ascontiguousarray(chunk).data)
                count += len(chunk)
            if process is None or process.stdin is None:
                raise ItemFailed("crash", "expected frames to write, found none")
            process.stdin.close()
            code = process.wait(_CLOSING_SECONDS)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            code = -1
        finally:
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        if code != 0:
            said.seek(0)
            words = said.read().decode(errors="replace").strip().splitlines()[-1:]
            raise ItemFailed("crash", f"ffmpeg ended with {code}: {' '.join(words)}")
    return count


def _command(
    target: Path, shape: tuple[int, ...], sound: Path | None, fps: int, crf: int
) -> list[str]:
    height, width = shape[0], shape[1]
    raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(fps)]
    heard = ["-i", file_argument(sound), "-c:a", "aac", "-b:a", "192k"] if sound else []
    return [
        *(ffmpeg_binary(), "-hide_banner", "-v", "error", "-y", "-threads", "1"),
        *(*raw, "-i", "pipe:0", *heard),
        *("-c:v", "libx264", "-crf", str(crf), "-preset", "medium", "-pix_fmt", "yuv420p"),
        *("-threads", "1", "-movflags", "+faststart", file_argument(target)),
    ]
