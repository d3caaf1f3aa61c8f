"""Runs the ffmpeg program, the system's or the one in imageio-ffmpeg, never through a shell.

Each run has a session of its own: it can't read the terminal, and Ctrl-C there leaves what is in
flight to be finished.
"""

import contextlib
import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import ExtraMissing
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.core.paths import disk_full

_DISK_FULL = "No space left on device"
_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)


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
    programs = f"only {', '.join(tried)} without it" if tried else "none"
    raise ExtraMissing(
        f"Expected an ffmpeg program with libx264, found {programs}; run "
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
            [binary, "-nostdin", "-hide_banner", "-encoders"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "libx264" in answer.stdout


def aac_rate(rate: int) -> int:
    """The rate at which AAC keeps sound of ``rate`` hertz: the next one down, at least 8 kHz."""
    return max((own for own in _AAC_RATES if own <= rate), default=_AAC_RATES[-1])


def raw_pictures(shape: tuple[int, ...], fps: int) -> tuple[str, ...]:
    """Arguments for uint8 RGB pictures of ``shape`` (H, W, 3), without a container."""
    size = f"{shape[1]}x{shape[0]}"
    return ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", size, "-r", str(fps))


def metadata_arguments(words: Mapping[str, str]) -> list[str]:
    """Arguments that put ``words`` into the container: title, comment and the like."""
    return [word for name, text in words.items() for word in ("-metadata", f"{name}={text}")]


def file_argument(path: Path) -> str:
    """``path`` so that ffmpeg takes it for a file whatever it is called."""
    return "file:" + str(path.absolute())


def run_ffmpeg(arguments: Sequence[str], *, writes: Path, timeout_seconds: float) -> None:
    """Run ffmpeg with ``arguments`` (without the program's name).

    ``writes`` is the file to name when the disk is full. Raises DiskFull, and ItemFailed with
    ``timeout`` or with ``crash`` and the last words of ffmpeg.
    """
    try:
        done = subprocess.run(
            _command(arguments),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            timeout=timeout_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _too_slow(timeout_seconds, writes) from error
    _check(done.returncode, done.stderr, writes)


def feed_ffmpeg(
    arguments: Sequence[str],
    pictures: Iterable[npt.NDArray[np.uint8]],
    *,
    writes: Path,
    timeout_seconds: float,
) -> None:
    """Run ffmpeg with raw pictures on its stdin, as they come; the input is ``pipe:0``.

    Raises as ``run_ffmpeg`` does, and whatever ``pictures`` raises; ffmpeg is ended then.
    ``timeout_seconds`` is counted from the last picture on.
    """
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            _command(arguments),
            stdin=subprocess.PIPE,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            if process.stdin is not None:
                with contextlib.suppress(BrokenPipeError), process.stdin:
                    for picture in pictures:
                        process.stdin.write(np.ascontiguousarray(picture).data)
            code = process.wait(timeout_seconds)
        except subprocess.TimeoutExpired as error:
            raise _too_slow(timeout_seconds, writes) from error
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        errors.seek(0)
        _check(code, errors.read().decode(errors="replace"), writes)


def _command(arguments: Sequence[str]) -> list[str]:
    return [ffmpeg_binary(), "-nostdin", "-hide_banner", "-v", "error", "-y", *arguments]


def _too_slow(seconds: float, writes: Path) -> ItemFailed:
    return ItemFailed("timeout", f"ffmpeg took longer than {seconds:.0f} s for {writes.name!r}")


def _check(code: int, words: str, writes: Path) -> None:
    """Raise what ffmpeg's exit code and words mean."""
    if _DISK_FULL in words:
        raise disk_full(writes)
    if code != 0:
        words = " | ".join(words.strip().splitlines()[-3:]) or "it said nothing"
        raise ItemFailed("crash", f"ffmpeg ended with {code}: {words}")
