"""The one analysis decode of a source: cuts, a proxy of the picture, and the sound, in one pass.

What it writes can be made again; the final clip is never made from it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from talkingface_wild.core.arrays import Samples
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.media.audio_timeline import ClockedSound
from talkingface_wild.media.container import OpenMedia, open_media
from talkingface_wild.media.decode import Upright
from talkingface_wild.media.demux import decoded, frame_micros, lasting_us, timed
from talkingface_wild.media.frame_times import SECOND_US, GridPicker, Ticks, micros
from talkingface_wild.media.geometry import Picture
from talkingface_wild.media.proxy import ProxyWriter
from talkingface_wild.media.sound import Loudness, SoundWriter

SOUND_RATE = 16_000
_DETECTOR_WIDTH_PX = 320


class Usable(Protocol):
    """The part of a source that is analysed, in seconds on its clock; a ``Probe`` is one."""

    @property
    def usable_start(self) -> float:
        """Where it begins."""
        ...

    @property
    def usable_end(self) -> float:
        """Where it ends."""
        ...


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
    probe: Usable,
    *,
    proxy: Path,
    sound: Path,
    detector: CutDetector,
    proxy_fps: int = 5,
    proxy_side: int = 640,
) -> Analysis:
    """Decode ``path`` once: feed ``detector``, write ``proxy`` (H.264) and ``sound`` (WAV).

    Frame k of the proxy is what is shown at ``usable_start + k / proxy_fps``, for every such
    instant before ``usable_end``, at most ``proxy_side`` px long; sample k of the 16 kHz mono
    sound stands at ``k / 16000`` s. Without a sound stream no sound file is written. Both appear
    under their names only when complete, with the same bits on every run. Memory does not grow
    with the length. Raises ItemRejected("undecodable") when no picture of the usable span
    decodes.
    """
    start_us, end_us = micros(probe.usable_start), micros(probe.usable_end)
    rate = Fraction(proxy_fps)
    ticks = Ticks(start_us, rate, math.ceil((end_us - start_us) * rate / SECOND_US))
    with open_media(path) as media, _Listener(media, sound, start_us, end_us) as listener:
        upright = Upright(media, proxy_side, multiple=2)
        with atomic_path(proxy) as temporary:
            writer = ProxyWriter(temporary, rate)
            watcher = _Watcher(media, detector, GridPicker(ticks), upright, writer)
            streams = [stream for stream in (media.video, media.audio) if stream is not None]
            for stream, frame in decoded(media, *streams):
                time_us = frame_micros(media, stream, frame)
                if time_us is None:
                    media.damage.packets += 1
                elif stream.type == "audio":
                    listener.hear(time_us, frame)
                else:
                    watcher.see(time_us, frame, start_us, end_us)
            watcher.finish()
            if not writer.count or upright.size is None:
                raise ItemRejected(
                    "undecodable", f"no picture in the usable span of {path.name!r} was decoded"
                )
        listener.finish()
        return Analysis(
            cuts=detector.cuts(),
            frames_decoded=watcher.seen,
            decode_errors=media.damage.packets,
            loudness_dbfs=listener.loudness,
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


@dataclass
class _Watcher:
    """Gives each picture of the usable span to the detector, those on the grid to the proxy."""

    media: OpenMedia
    detector: CutDetector
    picker: GridPicker
    upright: Upright
    writer: ProxyWriter
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


class _Listener:
    """Writes the sound at its place on the clock and measures it over the usable span."""

    def __init__(self, media: OpenMedia, path: Path, start_us: int, end_us: int) -> None:
        self._sound = ClockedSound(SOUND_RATE)
        self._loudness = Loudness()
        self._writer = None if media.audio is None else SoundWriter(path, SOUND_RATE)
        self._usable = tuple(round(at * SOUND_RATE / SECOND_US) for at in (start_us, end_us))

    def __enter__(self) -> Self:
        if self._writer is not None:
            self._writer.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.__exit__(kind, error, trace)

    @property
    def loudness(self) -> float | None:
        """Decibels below full scale; None without sound."""
        return None if self._writer is None else self._loudness.dbfs

    def hear(self, time_us: int, frame: Any) -> None:
        """Take in the next decoded sound."""
        for samples in self._sound.feed(time_us, frame):
            self._take(samples)

    def finish(self) -> None:
        """Take what the resampler still holds."""
        for samples in self._sound.finish():
            self._take(samples)

    def _take(self, samples: Samples) -> None:
        if self._writer is not None:
            self._writer.write(samples)
            before = self._sound.written - len(samples)
            first, last = (max(0, edge - before) for edge in self._usable)
            self._loudness.add(samples[first:last])
