"""A video that grows while it is made: pictures now, sound and container at the end.

Every piece is a run of the encoder of its own and begins with a key frame, so that a file which a
killed run left is cut to a known length and gone on with, to the bit.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.core.paths import NO_ROOM, atomic_path, disk_full
from talkingface_wild.media.container import SOUND_FORMATS, open_media
from talkingface_wild.media.ffmpeg import (
    aac_rate,
    feed_ffmpeg,
    file_argument,
    metadata_arguments,
    raw_pictures,
    run_ffmpeg,
)
from talkingface_wild.media.frame_times import SECOND_US

_PIECE_SECONDS = 600.0
_CLOSING_SECONDS = 900.0
_CLOSING_PER_SECOND = 2.0


@dataclass(frozen=True)
class ResumableVideo:
    """``path`` is the finished file's name; until then ``raw``, beside it, holds the pictures."""

    path: Path
    fps: int = 25
    crf: int = 18
    """x264's constant rate factor; 18 looks lossless."""

    @property
    def raw(self) -> Path:
        """The pictures so far, a bare H.264 stream that players open as it is."""
        return self.path.with_name(f"{self.path.name}.h264")

    @property
    def _piece(self) -> Path:
        return self.path.with_name(f"{self.path.name}.piece.h264")

    @property
    def length(self) -> int:
        """Bytes of ``raw``; 0 where it is not there."""
        return self.raw.stat().st_size if self.raw.is_file() else 0

    def cut(self, length: int) -> None:
        """Take back what was appended after ``raw`` had ``length`` bytes.

        Raises InputUnreadable when there are fewer.
        """
        if self.length < length:
            raise InputUnreadable(
                f"Expected at least {length} bytes of pictures in {self.raw}, found "
                f"{self.length}; that file was changed, so start anew with --fresh."
            )
        if length or self.raw.is_file():
            os.truncate(self.raw, length)

    def append(self, frames_THWC: Pictures) -> int:
        """Encode frames, uint8 RGB with even sides, and append them; gives the length after.

        One thread, no B-frames, a closed group: the same frames give the same bytes wherever a run
        was stopped before. Raises DiskFull, and ItemFailed when the encoder fails.
        """
        before = self.length
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._encode(frames_THWC)
            with self._piece.open("rb") as piece, self.raw.open("ab") as raw:
                shutil.copyfileobj(piece, raw)
                raw.flush()
                os.fsync(raw.fileno())
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            self.cut(before)
            raise disk_full(self.raw) from error
        finally:
            self._piece.unlink(missing_ok=True)
        return self.length

    def _encode(self, frames_THWC: Pictures) -> None:
        arguments = [
            *("-threads", "1", *raw_pictures(frames_THWC.shape[1:], self.fps), "-i", "pipe:0"),
            *("-c:v", "libx264", "-crf", str(self.crf), "-preset", "medium", "-pix_fmt", "yuv420p"),
            *("-bf", "0", "-g", "100000", "-flags:v", "+cgop+bitexact", "-threads", "1"),
            # x264's note on itself would stand before every piece.
            *("-bsf:v", "filter_units=remove_types=6", "-f", "h264", file_argument(self._piece)),
        ]
        feed_ffmpeg(arguments, frames_THWC, writes=self.raw, timeout_seconds=_PIECE_SECONDS)

    def finish(self, frames: int, sound: Path, words: Mapping[str, str]) -> None:
        """Put the ``frames`` pictures and the sound into ``path``, which appears when complete.

        The pictures are copied, not encoded again. The sound of ``sound``, any media file, begins
        with its clock's zero, keeps its rate up to 48 kHz and two channels, and is cut or filled
        with silence to the pictures' length. ``words`` go into the container: comment, title,
        description. Raises ItemRejected, ItemFailed, DiskFull.
        """
        with open_media(sound, pictures=False) as media:
            if media.audio is None:
                raise ItemRejected("no_audio", f"{sound.name!r} has no sound stream")
            index, zero_us = media.audio.index, media.zero_us
            own = media.audio.codec_context.sample_rate or 48_000
        rate = min(aac_rate(own), 48_000)
        heard = f"[1:{index}]{_placed(own, rate, zero_us, Fraction(frames, self.fps))}[heard]"
        opened = ("-format_whitelist", SOUND_FORMATS, "-protocol_whitelist", "file")
        with atomic_path(self.path) as temporary:
            arguments = [
                *("-copyts", "-f", "h264", "-framerate", str(self.fps)),
                *("-i", file_argument(self.raw)),
                *("-threads", "1", *opened, "-i", file_argument(sound)),
                *("-filter_complex_threads", "1", "-filter_complex", heard),
                *("-map", "0:v:0", "-map", "[heard]", "-map_metadata", "-1", "-map_chapters", "-1"),
                *("-c:v", "copy", "-bsf:v", f"setts=ts=N/({self.fps}*TB)"),
                *("-c:a", "aac", "-b:a", "192k", "-flags:a", "+bitexact", "-threads:a", "1"),
                *("-fflags", "+bitexact", "-movflags", "+faststart", *metadata_arguments(words)),
                *("-f", "mp4", file_argument(temporary)),
            ]
            limit = _CLOSING_SECONDS + _CLOSING_PER_SECOND * frames / self.fps
            run_ffmpeg(arguments, writes=self.path, timeout_seconds=limit)

    def discard(self) -> None:
        """Remove what stands beside the finished file."""
        for path in (self.raw, self._piece):
            path.unlink(missing_ok=True)


def _placed(own: int, rate: int, zero_us: int, seconds: Fraction) -> str:
    """Filters that put sound onto its clock, at most stereo, exactly so many seconds long."""
    zero = round(Fraction(zero_us * own, SECOND_US))
    samples = int(seconds * rate + Fraction(1, 2))
    return (
        f"asettb=1/{own},asetpts=PTS-({zero}),atrim=start=0,"
        "aresample=async=1:min_hard_comp=0.01:first_pts=0,"
        f"aformat=sample_rates={rate}:channel_layouts=mono|stereo,"
        f"apad=whole_len={samples},atrim=end_sample={samples}"
    )
