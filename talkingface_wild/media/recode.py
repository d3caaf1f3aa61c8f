"""Lossy steps that other pipelines put their frames through, reproduced because they are part of
their numbers. Frames go through the ffmpeg program one by one, whatever the video's length.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.outcome import ItemFailed
from talkingface_wild.media.ffmpeg import feed_ffmpeg, raw_pictures, run_ffmpeg

STEPS: dict[str, tuple[str, ...]] = {
    "mpeg4": ("-c:v", "mpeg4", "-qscale:v", "2", "-f", "avi"),
    "jpeg-q2": ("-c:v", "mjpeg", "-qscale:v", "2", "-f", "mjpeg"),
    "jpeg": ("-c:v", "mjpeg", "-f", "mjpeg"),
    "x264-18": ("-c:v", "libx264", "-crf", "18", "-pix_fmt", "yuv420p", "-f", "matroska"),
    "x264-28": ("-c:v", "libx264", "-crf", "28", "-pix_fmt", "yuv420p", "-f", "matroska"),
}
"""Each step's arguments. SyncNet's published pipeline writes ``mpeg4`` and ``jpeg-q2`` before it
looks for faces (-qscale:v 2), and ``jpeg`` of ffmpeg's own quality before its network."""
_TIMEOUT_SECONDS = 1800.0


def recode(
    frames_NHWC: Pictures, steps: Sequence[str], fps: int = 25, scratch: Path | None = None
) -> Pictures:
    """The frames after each of ``steps`` in turn, same shape, RGB uint8.

    The result is mapped from a file in ``scratch`` that is gone when the array is; a few frames are
    in memory at a time. Raises UsageError for an unknown step, ItemFailed when ffmpeg fails,
    ExtraMissing without one.
    """
    for step in steps:
        check_step(step)
        frames_NHWC = _once(frames_NHWC, step, fps, scratch)
    return frames_NHWC


def check_step(step: str) -> None:
    """Raise UsageError with the nearest name for what is no step."""
    if step not in STEPS:
        raise UsageError(
            f"Expected a step of {', '.join(STEPS)}, found {step!r}{nearest(step, STEPS)}; "
            "mend `recode` in the protocol."
        )


def _once(frames_NHWC: Pictures, step: str, fps: int, scratch: Path | None) -> Pictures:
    _, height, width, _ = frames_NHWC.shape
    raw = raw_pictures(frames_NHWC.shape[1:], fps)
    with tempfile.TemporaryDirectory(prefix="recode-", dir=scratch) as folder:
        coded, back = Path(folder, "coded"), Path(folder, "raw")
        there = ["-threads", "1", *raw, "-i", "pipe:0", *STEPS[step], "-threads", "1"]
        feed_ffmpeg(
            [*there, str(coded)], frames_NHWC, writes=coded, timeout_seconds=_TIMEOUT_SECONDS
        )
        source = ("-f", "mjpeg", "-framerate", str(fps)) if step.startswith("jpeg") else ()
        decode = ("-threads", "1", *source, "-i", str(coded), "-f", "rawvideo", "-pix_fmt", "rgb24")
        run_ffmpeg([*decode, str(back)], writes=back, timeout_seconds=_TIMEOUT_SECONDS)
        if back.stat().st_size != frames_NHWC.size:
            frames = back.stat().st_size // (height * width * 3)
            count = len(frames_NHWC)
            raise ItemFailed("crash", f"ffmpeg gave {frames} frames back of {count} after {step}")
        return np.memmap(back, np.uint8, "r", shape=frames_NHWC.shape)
