"""Lossy steps that other pipelines put their frames through, reproduced because they are part of
their numbers. Frames go through the ffmpeg program's pipes; nothing is written to the disk.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.media.ffmpeg import ffmpeg_binary

Pictures = npt.NDArray[np.uint8]

STEPS: dict[str, tuple[str, ...]] = {
    "mpeg4": ("-c:v", "mpeg4", "-qscale:v", "2", "-f", "avi"),
    "jpeg": ("-c:v", "mjpeg", "-qscale:v", "2", "-f", "mjpeg"),
    "x264-18": ("-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-f", "matroska"),
    "x264-28": ("-c:v", "libx264", "-crf", "28", "-pix_fmt", "yuv420p", "-f", "matroska"),
}
"""Each step's arguments; the first two are ``-qscale:v 2`` of SyncNet's published pipeline."""
_TIMEOUT_SECONDS = 1800.0


def recode(frames_NHWC: Pictures, steps: Sequence[str], fps: int = 25) -> Pictures:
    """The frames after each of ``steps`` in turn, same shape, RGB uint8.

    Raises UsageError for an unknown step, ItemFailed when ffmpeg fails, ExtraMissing without one.
    """
    for step in steps:
        if step not in STEPS:
            raise UsageError(
                f"Expected a step of {', '.join(STEPS)}, found {step!r}{nearest(step, STEPS)}; "
                "mend `recode` in the protocol."
            )
        frames_NHWC = _once(frames_NHWC, step, fps)
    return frames_NHWC


def _once(frames_NHWC: Pictures, step: str, fps: int) -> Pictures:
    count, height, width, _ = frames_NHWC.shape
    size, rate = f"{width}x{height}", str(fps)
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24")
    common = (ffmpeg_binary(), "-nostdin", "-hide_banner", "-v", "error", "-threads", "1")
    there = [*common, *raw, "-s", size, "-r", rate, "-i", "pipe:0", *STEPS[step]]
    coded = _piped([*there, "-threads", "1", "pipe:1"], np.ascontiguousarray(frames_NHWC).data)
    source = ("-f", "mjpeg", "-framerate", rate) if step == "jpeg" else ()
    back = _piped([*common, *source, "-i", "pipe:0", *raw, "pipe:1"], coded)
    if len(back) != count * height * width * 3:
        found = len(back) // (height * width * 3)
        raise ItemFailed("crash", f"ffmpeg gave {found} frames back of {count} after {step}")
    return np.frombuffer(back, np.uint8).reshape(frames_NHWC.shape)


def _piped(command: list[str], data: bytes | memoryview) -> bytes:
    """What the program writes to stdout when it is fed ``data``."""
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ItemFailed("timeout", f"ffmpeg took over {_TIMEOUT_SECONDS:.0f} s") from error
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ItemFailed("crash", f"ffmpeg ended with {done.returncode}: {' '.join(words)}")
    return done.stdout
