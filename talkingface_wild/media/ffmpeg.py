"""Runs the ffmpeg program, the system's or the one in imageio-ffmpeg, never through a shell."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from talkingface_wild.core.errors import ExtraMissing
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.core.paths import disk_full

_DISK_FULL = "No space left on device"


@functools.cache
def ffmpeg_binary() -> str:
    """Path of an ffmpeg that can encode H.264 with x264; raises ExtraMissing when there is none."""
    tried: list[str] = []
    for candidate in (shutil.which("ffmpeg"), _bundled()):
        if candidate is None:
            continue
        if _has_x264(candidate):
            return candidate
        tried.append(candidate)
    found = f"only {', '.join(tried)} without it" if tried else "none"
    raise ExtraMissing(
        f"Expected an ffmpeg program with libx264, found {found}; run "
        "'pip install imageio-ffmpeg' or 'apt install ffmpeg'."
    )


def _bundled() -> str | None:
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


def _has_x264(binary: str) -> bool:
    try:
        answer = subprocess.run(
            [binary, "-hide_banner", "-encoders"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "libx264" in answer.stdout


def file_argument(path: Path) -> str:
    """``path`` so that ffmpeg takes it for a file whatever it is called."""
    return "file:" + str(path.absolute())


def run_ffmpeg(arguments: Sequence[str], *, writes: Path, timeout_seconds: float) -> None:
    """Run ffmpeg with ``arguments`` (without the program's name).

    ``writes`` is the file to name when the disk is full. Raises DiskFull, and ItemFailed with
    ``timeout`` or with ``crash`` and the last words of ffmpeg.
    """
    command = [ffmpeg_binary(), "-nostdin", "-hide_banner", "-v", "error", "-y", *arguments]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ItemFailed(
            "timeout", f"ffmpeg took longer than {timeout_seconds:.0f} s for {writes.name!r}"
        ) from error
    if _DISK_FULL in done.stderr:
        raise disk_full(writes)
    if done.returncode != 0:
        words = " | ".join(done.stderr.strip().splitlines()[-3:]) or "it said nothing"
        raise ItemFailed("crash", f"ffmpeg ended with {done.returncode}: {words}")
