"""What a file holds and where it can be used: measured from packets, never the header."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.media.container import OpenMedia, open_media
from talkingface_wild.media.decode import frame_orientation
from talkingface_wild.media.demux import packets, timed
from talkingface_wild.media.frame_times import SECOND_US
from talkingface_wild.media.geometry import displayed_size

_HDR_TRANSFERS = (16, 18)
"""AVCOL_TRC_SMPTE2084 (PQ) and AVCOL_TRC_ARIB_STD_B67 (HLG)."""
_SAMPLED_AT = (0.0, 0.25, 0.5, 0.75)
_SAMPLED_PICTURES = 3
_MOST_LAST_PICTURES = 600
_TRUNCATED_SECONDS = 0.5
_JITTER_SECONDS = 0.002
"""Containers that count milliseconds round a constant interval by this much."""
_JITTER_SHARE = 0.05
"""Dropped pictures in a steady stream leave its rate constant."""
_ROUNDING_SECONDS = 0.0015
"""A declared rate that agrees with the timestamps within their rounding is the exact one."""


@dataclass(frozen=True)
class Probe:
    """What ``probe`` found; times are seconds after the container's start."""

    container: str
    video_codec: str
    audio_codec: str | None
    width: int
    """Displayed width, upright and with square pixels."""
    height: int
    coded_width: int
    coded_height: int
    rotation: int
    """Clockwise degrees for display: 0, 90, 180 or 270."""
    sample_aspect: float
    fps: float
    """Mean rate of the pictures that are there."""
    variable_rate: bool
    duration: float
    """As declared; the end of the last packet where nothing is declared."""
    video_start: float
    video_end: float
    """End of the last picture that can be decoded."""
    audio_start: float | None
    audio_end: float | None
    usable_start: float
    usable_end: float
    """Where picture and sound both are; picture alone without sound; equal when they never meet."""
    sample_rate: int | None
    channels: int | None
    audio_tracks: int
    hdr: bool
    interlaced: bool
    bit_depth: int
    decodable: float
    """Share of the sampled places, the end among them, at which pictures could be decoded."""
    truncated: bool
    """The data end more than half a second before the length that is declared."""
    video_bytes: int


@dataclass
class _Track:
    """Packets of one stream: times in microseconds, bytes."""

    stream: Any
    times_us: array[int] = field(default_factory=lambda: array("q"))
    keys_us: array[int] = field(default_factory=lambda: array("q"))
    end_us: int = 0
    bytes: int = 0

    @property
    def start_us(self) -> int:
        """The first packet that is shown or heard."""
        return min(self.times_us)


@dataclass(frozen=True)
class _Picture:
    """The first picture that could be decoded, and how far decoding goes."""

    frame: Any
    share: float
    last_us: int


def probe(path: Path) -> Probe:
    """Look at one file: every packet, and pictures at a few places, the end among them.

    Raises ItemRejected (empty_file, not_a_video, undecodable, too_large) and ItemFailed
    (file_missing, unreadable). A file without sound is no error: ``audio_codec`` is None.
    """
    with open_media(path) as media:
        tracks = _read_tracks(media)
        video = tracks[0]
        if not len(video.times_us):
            raise ItemRejected("undecodable", f"{path.name!r} holds no picture data")
        picture = _sample(media, video)
        if picture is None:
            raise ItemRejected("undecodable", f"no picture of {path.name!r} could be decoded")
        return _describe(media, video, tracks[1] if len(tracks) > 1 else None, picture)


def _read_tracks(media: OpenMedia) -> list[_Track]:
    streams = [stream for stream in (media.video, media.audio) if stream is not None]
    tracks = [_Track(stream) for stream in streams]
    by_index = {track.stream.index: track for track in tracks}
    for packet in packets(media, *streams):
        timestamp = packet.pts if packet.pts is not None else packet.dts
        if timestamp is None or packet.is_discard:
            continue
        track = by_index[packet.stream.index]
        base = track.stream.time_base
        time_us = media.micros(timestamp, base)
        if track.stream.start_time is not None:
            time_us = max(time_us, media.micros(track.stream.start_time, base))
        track.times_us.append(time_us)
        if packet.is_keyframe:
            track.keys_us.append(time_us)
        track.end_us = max(track.end_us, media.micros(timestamp + (packet.duration or 0), base))
        track.bytes += packet.size
    return tracks


def _sample(media: OpenMedia, video: _Track) -> _Picture | None:
    keys = sorted(video.keys_us) or [video.start_us]
    length = max(video.times_us) - video.start_us
    first: Any = None
    good = 0
    for share in _SAMPLED_AT:
        target_us = video.start_us + share * length
        key = max((key for key in keys if key <= target_us), default=keys[0])
        pictures = _pictures_from(media, key, _SAMPLED_PICTURES)
        good += bool(pictures)
        if first is None and pictures:
            first = pictures[0][1]
    last_us = -1
    for number, key in enumerate(reversed(keys[-3:])):
        tail = _pictures_from(media, key, _MOST_LAST_PICTURES)
        if tail:
            first = tail[0][1] if first is None else first
            last_us = max(time_us for time_us, _ in tail)
            if len(tail) >= _MOST_LAST_PICTURES:
                last_us = max(last_us, max(video.times_us))
            good += number == 0
            break
    if first is None:
        return None
    return _Picture(first, good / (len(_SAMPLED_AT) + 1), last_us)


def _pictures_from(media: OpenMedia, key_us: int, most: int) -> list[tuple[int, Any]]:
    pictures: list[tuple[int, Any]] = []
    for time_us, frame in timed(media, media.video, key_us / SECOND_US):
        if time_us >= key_us:
            pictures.append((time_us, frame if not pictures else None))
        if len(pictures) >= most:
            break
    return pictures


def _describe(media: OpenMedia, video: _Track, audio: _Track | None, picture: _Picture) -> Probe:
    if audio is not None and not len(audio.times_us):
        audio = None
    frame, context = picture.frame, media.video.codec_context
    orientation = frame_orientation(frame)
    aspect = media.video.sample_aspect_ratio
    width, height = displayed_size(frame.width, frame.height, aspect, orientation)
    fps, variable = _rate(video)
    video_start = video.start_us / SECOND_US
    last_us = picture.last_us if picture.last_us >= 0 else max(video.times_us)
    video_end = last_us / SECOND_US + 1 / fps
    start, end = video_start, video_end
    if audio is not None:
        start = max(start, audio.start_us / SECOND_US)
        end = min(end, audio.end_us / SECOND_US)
    declared, truncated = _declared(media, video_end, audio)
    sound = None if audio is None else audio.stream.codec_context
    return Probe(
        container=media.container.format.name,
        video_codec=context.name,
        audio_codec=None if sound is None else sound.name,
        width=width,
        height=height,
        coded_width=frame.width,
        coded_height=frame.height,
        rotation=orientation.degrees,
        sample_aspect=float(aspect or 1),
        fps=fps,
        variable_rate=variable,
        duration=declared,
        video_start=video_start,
        video_end=video_end,
        audio_start=None if audio is None else audio.start_us / SECOND_US,
        audio_end=None if audio is None else audio.end_us / SECOND_US,
        usable_start=start,
        usable_end=max(start, end),
        sample_rate=None if sound is None else sound.sample_rate,
        channels=None if sound is None else sound.channels,
        audio_tracks=len(media.container.streams.audio),
        hdr=int(frame.color_trc) in _HDR_TRANSFERS,
        interlaced=bool(frame.interlaced_frame),
        bit_depth=max(component.bits for component in frame.format.components),
        decodable=picture.share,
        truncated=truncated,
        video_bytes=video.bytes,
    )


def _rate(video: _Track) -> tuple[float, bool]:
    times = np.unique(np.frombuffer(video.times_us, dtype=np.int64)) / SECOND_US
    if len(times) < 2:
        return float(video.stream.average_rate or 25), False
    intervals = np.diff(times)
    usual = float(np.median(intervals))
    odd = np.abs(intervals - usual) > _JITTER_SECONDS
    variable = bool(odd.mean() > _JITTER_SHARE)
    if variable:
        return len(intervals) / float(times[-1] - times[0]), True
    steady = intervals[~odd]
    declared = float(video.stream.average_rate or 0)
    if declared and abs(len(steady) / declared - float(steady.sum())) < _ROUNDING_SECONDS:
        return declared, False
    return 1 / float(steady.mean()), False


def _declared(media: OpenMedia, video_end: float, audio: _Track | None) -> tuple[float, bool]:
    """The declared length, and whether the data end before it or before a stream's own length."""
    ends = [(media.video, video_end)]
    if audio is not None:
        ends.append((audio.stream, audio.end_us / SECOND_US))
    measured = max(end for _, end in ends)
    whole = (media.container.duration or 0) / SECOND_US
    missing = whole - measured
    for stream, end in ends:
        if stream.duration is not None:
            last = (stream.start_time or 0) + stream.duration
            missing = max(missing, media.micros(last, stream.time_base) / SECOND_US - end)
    return (whole if whole > 0 else measured), missing > _TRUNCATED_SECONDS
