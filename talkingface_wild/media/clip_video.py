"""MP4 files from a finished clip: at another size, or of other pictures with the clip's sound."""

from collections.abc import Iterable
from pathlib import Path

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.media.ffmpeg import feed_ffmpeg, file_argument, raw_pictures, run_ffmpeg

_TIMEOUT_SECONDS = 1800.0
CRF = 18
"""x264's constant rate factor, as finished clips have it."""
_H264 = (
    *("-c:v", "libx264", "-crf", str(CRF), "-preset", "medium", "-pix_fmt", "yuv420p"),
    *("-c:a", "copy", "-map_metadata", "-1", "-fflags", "+bitexact", "-movflags", "+faststart"),
)


def scaled_clip(clip: Path, target: Path, side: int) -> None:
    """The clip with pictures of ``side`` x ``side`` pixels, its sound untouched.

    Raises DiskFull, and ItemFailed where ffmpeg does not manage.
    """
    scale = f"scale={side}:{side}:flags=area,setsar=1"
    arguments = ["-i", file_argument(clip), "-vf", scale, *_H264, file_argument(target)]
    run_ffmpeg(arguments, writes=target, timeout_seconds=_TIMEOUT_SECONDS)


def clip_of_pictures(pictures: Iterable[Pictures], clip: Path, target: Path, side: int) -> None:
    """RGB pictures (side, side, 3) at 25 a second with the sound of ``clip``.

    Raises DiskFull, ItemFailed where ffmpeg does not manage, and what ``pictures`` raises.
    """
    arguments = [*raw_pictures((side, side, 3), 25), "-i", "pipe:0", "-i", file_argument(clip)]
    arguments += ["-map", "0:v", "-map", "1:a", *_H264, file_argument(target)]
    feed_ffmpeg(arguments, pictures, writes=target, timeout_seconds=_TIMEOUT_SECONDS)
