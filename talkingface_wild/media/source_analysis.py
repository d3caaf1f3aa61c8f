"""The one analysis decode of a source: cuts, a proxy of the picture, and the sound, in one pass.

What it writes can be made again; the final clip is never made from it.
"""

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from talkingface_wild.core.arrays import Samples
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.audio_timeline import ClockedSound
from talkingface_wild.media.container import OpenMedia, open_media
from talkingface_wild.media.decode import Upright
from talkingface_wild.media.demux import decoded, frame_micros, lasting_us, timed
from talkingface_wild.media.frame_times import SECOND_US, GridPicker, Ticks, micros
from talkingface_wild.media.geometry import Picture
from talkingface_wild.media.sound import SOUND_RATE, Loudness, sound_writer

_DETECTOR_WIDTH_PX = 320


class CutDetector(Protocol):
    """What is shown every picture of the usable span; a ``ShotDetector`` is one."""

    def feed(self, seconds: float, bgr: Picture) -> None:
        """Take in one small picture, (H, W, 3) B, G, R."""
        ...

    def cuts(self) -> list[float]:
        """Seconds at which it saw cuts."""
        ...


@dataclass(frozen=True)
class Analysis:
    """What one pass found. ``cuts`` are seconds on the source's clock."""

    cuts: list[float]
    frames_decoded: int
    decode_errors: int
    """Packets that were corrupt or that a decoder refused."""
    loudness_dbfs: float | None
    """Over the usable span; None without sound."""
    proxy_frames: int
    proxy_width: int
    proxy_height: int


def analyse(
    path: Path,
    *,
    start: float,
    end: float,
    proxy: Path,
    sound: Path,
    detector: CutDetector,
    proxy_fps: int = 5,
    proxy_side: int = 640,
) -> Analysis:
    """Decode ``path`` once: feed ``detector``, write ``proxy`` (H.264) and ``sound`` (WAV).

    ``start`` and ``end`` bound the usable span, seconds on the file's clock. Frame k of the proxy
    is what is shown at ``start + k / proxy_fps``, for every such instant before ``end``, at most
    ``proxy_side`` px long; sample k of the 16 kHz mono sound stands at ``k / 16000`` s. Without a
    sound stream no sound file is written. Both appear under their names only when complete, with
    the same bits on every run. Memory does not grow with the length. Raises
    ItemRejected("undecodable") when no picture of the usable span decodes.
    """
    start_us, end_us = micros(start), micros(end)
    rate = Fraction(proxy_fps)
    ticks = Ticks(start_us, rate, math.ceil((end_us - start_us) * rate / SECOND_US))
    with open_media(path) as media, contextlib.ExitStack() as stack:
        listener = None
        if media.audio is not None:
            write = stack.enter_context(sound_writer(sound, SOUND_RATE))
            listener = _Listener(write, start_us, end_us)
        upright = Upright(media, proxy_side, multiple=2)
        with atomic_path(proxy) as temporary:
            writer = _ProxyWriter(temporary, rate)
            watcher = _Watcher(media, detector, GridPicker(ticks), upright, writer)
            streams = [stream for stream in (media.video, media.audio) if stream is not None]
            for stream, frame in decoded(media, *streams):
                time_us = frame_micros(media, stream, frame)
                if time_us is None:
                    media.damaged_packets += 1
                elif listener is not None and stream.type == "audio":
                    listener.hear(time_us, frame)
                else:
                    watcher.see(time_us, frame, start_us, end_us)
            watcher.finish()
            if not writer.count or upright.size is None:
                raise ItemRejected(
                    "undecodable", f"no picture in the usable span of {path.name!r} was decoded"
                )
        if listener is not None:
            listener.finish()
        return Analysis(
            cuts=detector.cuts(),
            frames_decoded=watcher.seen,
            decode_errors=media.damaged_packets,
            loudness_dbfs=None if listener is None else listener.loudness.dbfs,
            proxy_frames=writer.count,
            proxy_width=upright.size[0],
            proxy_height=upright.size[1],
        )


def proxy_frames(
    proxy: Path, first: int = 0, last: int | None = None
) -> Iterator[tuple[int, Picture]]:
    """(index, RGB picture) of the proxy's frames ``first`` to ``last``, both included."""
    with open_media(proxy) as media:
        rate = Fraction(media.video.average_rate or 1)
        half = 1 / (2 * rate)
        start = None if first <= 0 else float(first / rate)
        end = None if last is None else float(last / rate + half)
        upright = Upright(media)
        for time_us, frame in timed(media, media.video, start, end):
            index = round(time_us * rate / SECOND_US)
            if index >= first and (last is None or index <= last):
                yield index, upright.rgb(frame)


class _ProxyWriter:
    """A small H.264 file, one frame per tick, the same bits on every run."""

    def __init__(self, path: Path, rate: Fraction) -> None:
        self.count = 0
        self._rate = rate
        self._path = path
        self._output: Any = None
        self._stream: Any = None
        self._reformatter = VideoReformatter()

    def write(self, rgb: Picture) -> None:
        """Append one picture, (H, W, 3) with even sides."""
        if self._output is None:
            self._open(rgb.shape[1], rgb.shape[0])
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(rgb, format="rgb24"),
            format="yuv420p",
            dst_colorspace=Colorspace.ITU601,
            dst_color_range=ColorRange.MPEG,
            interpolation=Interpolation.AREA,
        )
        frame.pts, frame.time_base = self.count, 1 / self._rate
        self.count += 1
        self._output.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still holds and finish the file."""
        if self._output is not None:
            self._output.mux(self._stream.encode(None))
            self._output.close()

    def _open(self, width: int, height: int) -> None:
        target = "file:" + str(self._path.absolute())
        self._output = av.open(target, "w", format="mp4", options={"fflags": "+bitexact"})
        self._stream = self._output.add_stream("libx264", rate=self._rate)
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = "yuv420p"
        self._stream.options = {"crf": "18", "preset": "veryfast", "bf": "0"}
        context = self._stream.codec_context
        context.gop_size, context.thread_count = 10, 1
        context.time_base = 1 / self._rate
        context.flags |= av.codec.context.Flags.bitexact.value


@dataclass
class _Watcher:
    """Gives each picture of the usable span to the detector, those on the grid to the proxy."""

    media: OpenMedia
    detector: CutDetector
    picker: GridPicker
    upright: Upright
    writer: _ProxyWriter
    seen: int = 0
    last_us: int | None = None
    _reformatter: VideoReformatter = field(default_factory=VideoReformatter)

    def see(self, time_us: int, frame: Any, start_us: int, end_us: int) -> None:
        """Take in the next decoded picture."""
        self.seen += 1
        if self.last_us is not None and time_us < self.last_us:
            return
        self.last_us = time_us
        for _, picture in self.picker.push(time_us, frame, lasting_us(self.media.video, frame)):
            self.writer.write(self.upright.rgb(picture))
        if start_us <= time_us < end_us:
            self.detector.feed(time_us / SECOND_US, self._small(frame))

    def finish(self) -> None:
        """Settle the last ticks and close the proxy."""
        for _, picture in self.picker.finish():
            self.writer.write(self.upright.rgb(picture))
        self.writer.close()

    def _small(self, frame: Any) -> Picture:
        width = min(frame.width, _DETECTOR_WIDTH_PX)
        small: Any = self._reformatter.reformat(
            frame,
            width=width,
            height=max(1, round(frame.height * width / frame.width)),
            format="bgr24",
            interpolation=Interpolation.AREA,
        ).to_ndarray()
        return np.asarray(small, dtype=np.uint8)


@dataclass
class _Listener:
    """Writes the sound at its place on the clock and measures it over the usable span."""

    write: Callable[[Samples], None]
    start_us: int
    end_us: int
    loudness: Loudness = field(default_factory=Loudness)
    _sound: ClockedSound = field(default_factory=lambda: ClockedSound(SOUND_RATE))

    def hear(self, time_us: int, frame: Any) -> None:
        """Take in the next decoded sound."""
        self._take(self._sound.feed(time_us, frame))

    def finish(self) -> None:
        """Take what the resampler still holds."""
        self._take(self._sound.finish())

    def _take(self, pieces: Iterator[Samples]) -> None:
        usable = [round(at * SOUND_RATE / SECOND_US) for at in (self.start_us, self.end_us)]
        for samples in pieces:
            self.write(samples)
            before = self._sound.written - len(samples)
            first, last = (max(0, edge - before) for edge in usable)
            self.loudness.add(samples[first:last])
