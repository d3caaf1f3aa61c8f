"""Opens a media file once and safely: its streams, its clock, its damage.

The only caller of ``av.open`` for reading. Knows no pixels and no samples.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.frame_times import SECOND_US

MAX_SIDE_PX = 8192
"""Longest declared side that is decoded."""
FORMATS = "mov,matroska,avi,mpegts,mpeg,flv,asf,ogg,mxf,ivf,wav"
"""Demuxers that may be tried: no playlists, lists of files or pictures."""
SOUND_FORMATS = FORMATS + ",flac,mp3,aac"
"""The same where a file of sound alone will do."""


@dataclass
class OpenMedia:
    """An open file: its picture stream, its sound stream (None without) and the zero of its clock.

    ``zero_us`` is the container's start in microseconds of the streams' own timestamps; every
    time that leaves this package is seconds after it.
    """

    container: Any
    video: Any
    audio: Any
    zero_us: int
    damaged_packets: int = 0
    """Packets marked corrupt, or refused by the decoder."""
    broke_off: bool = False
    """The data ended before they should."""
    begun: bool = False
    """Whether packets were already read, so that the file no longer stands at its beginning."""

    def micros(self, timestamp: int, time_base: Fraction) -> int:
        """A stream timestamp as microseconds on the file's clock, rounded half up."""
        return int((timestamp * time_base * SECOND_US + Fraction(1, 2)).__floor__()) - self.zero_us

    def seek(self, stream: Any, seconds: float) -> None:
        """Go to the last key frame at or before ``seconds`` on the file's clock."""
        target = Fraction(int(seconds * SECOND_US) + self.zero_us, SECOND_US)
        with contextlib.suppress(av.FFmpegError):
            self.container.seek(int(target / stream.time_base), stream=stream)

    def rewind(self) -> None:
        """Go back to the beginning, if anything was read."""
        if not self.begun:
            return
        # Some formats refuse an instant before the first; others land behind the first at its own.
        for target_us in (self.zero_us - 2 * SECOND_US, self.zero_us):
            try:
                self.container.seek(target_us)
                return
            except av.FFmpegError:
                continue


@contextlib.contextmanager
def open_media(path: Path, pictures: bool = True) -> Iterator[OpenMedia]:
    """Open ``path`` for reading, whatever its name looks like.

    Without ``pictures`` a file of sound alone will do as well; ``video`` is then None.

    Raises ItemRejected (empty_file, not_a_video, undecodable, too_large) and ItemFailed
    (file_missing, unreadable).
    """
    _check_file(path)
    with contextlib.ExitStack() as stack:
        try:
            container = stack.enter_context(
                _open(path, stack, FORMATS if pictures else SOUND_FORMATS)
            )
        except (av.FFmpegError, ValueError) as error:
            raise _refusal(path, error) from error
        video = _picture_stream(container)
        if video is None and pictures:
            raise ItemRejected(
                "not_a_video",
                f"expected a video stream, found {len(container.streams)} other streams in "
                f"{path.name!r}",
            )
        if video is not None:
            _check_size(path, video)
        audio = container.streams.best("audio")
        for stream in (video, audio):
            if stream is not None:
                stream.codec_context.thread_count = 1
        yield OpenMedia(container, video, audio, _zero(container))


def declared_seconds(path: Path) -> float | None:
    """Seconds by the container's header, else by a stream's; None for what cannot be opened."""
    with contextlib.suppress(ItemFailed, ItemRejected), open_media(path) as media:
        if media.container.duration is not None:
            return max(0.0, float(media.container.duration) / SECOND_US)
        for stream in (media.video, media.audio):
            if stream is not None and stream.duration is not None:
                return max(0.0, float(stream.duration * stream.time_base))
    return None


def _open(path: Path, stack: contextlib.ExitStack, formats: str) -> Any:
    absolute = str(path.absolute())
    try:
        absolute.encode()
        target: Any = "file:" + absolute
    except UnicodeEncodeError:
        target = stack.enter_context(path.open("rb"))
    options = {"format_whitelist": formats, "max_pixels": str(MAX_SIDE_PX * MAX_SIDE_PX)}
    if isinstance(target, str):
        options["protocol_whitelist"] = "file"
    return av.open(target, "r", options=options, metadata_errors="replace")


def _check_file(path: Path) -> None:
    try:
        if not path.is_file():
            raise ItemFailed("file_missing", f"expected a file, found none at {str(path)!r}")
        with path.open("rb") as stream:
            empty = not stream.read(1)
    except OSError as error:
        raise ItemFailed("unreadable", f"{str(path)!r}: {error.strerror}", True) from error
    if empty:
        raise ItemRejected("empty_file", f"{path.name!r} has zero bytes")


def _refusal(path: Path, error: Exception) -> ItemRejected | ItemFailed:
    if isinstance(error, FileNotFoundError):
        return ItemFailed("file_missing", f"{str(path)!r} disappeared while it was opened")
    if isinstance(error, PermissionError):
        return ItemFailed("unreadable", f"{str(path)!r}: permission denied")
    with path.open("rb") as stream:
        head = stream.read(4096)
    words = getattr(error, "strerror", None) or type(error).__name__
    if _is_video_container(head):
        return ItemRejected("undecodable", f"{path.name!r} is cut off or damaged: {words}")
    return ItemRejected("not_a_video", f"{path.name!r} is no video file: {words}")


def _is_video_container(head: bytes) -> bool:
    boxes = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp"}
    starts = (b"\x1aE\xdf\xa3", b"FLV\x01", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", b"\0\0\x01\xba")
    if head[4:8] in boxes or head.startswith(starts):
        return True
    transport_stream = len(head) > 376 and head[0] == head[188] == head[376] == 0x47
    return transport_stream or (head.startswith(b"RIFF") and head[8:12] == b"AVI ")


def _picture_stream(container: Any) -> Any:
    pictures = [
        stream
        for stream in container.streams.video
        if not stream.disposition & av.stream.Disposition.attached_pic
    ]
    if not pictures:
        return None
    best = container.streams.best("video")
    return best if any(stream.index == best.index for stream in pictures) else pictures[0]


def _check_size(path: Path, video: Any) -> None:
    context = video.codec_context
    width, height = context.width, context.height
    if max(width, height) > MAX_SIDE_PX:
        raise ItemRejected(
            "too_large",
            f"{path.name!r} declares {width}x{height} px; up to {MAX_SIDE_PX} are decoded",
        )
    if min(width, height) < 1 or context.codec is None:
        raise ItemRejected(
            "undecodable", f"{path.name!r} declares no picture size, or a codec unknown here"
        )


def _zero(container: Any) -> int:
    if container.start_time is not None:
        return int(container.start_time)
    starts = [
        int(stream.start_time * stream.time_base * SECOND_US)
        for stream in container.streams
        if stream.start_time is not None
    ]
    return min(starts, default=0)
