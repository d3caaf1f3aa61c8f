"""Reads packets and decoded frames of an open file in order, from any instant, past damage."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av

from talkingface_wild.media.container import OpenMedia
from talkingface_wild.media.frame_times import MOST_LOOK_AHEAD_US, SECOND_US, micros

_SEEK_MARGINS_SECONDS = (0.5, 5.0, float("inf"))
"""How far before a span reading starts; more when what the seek found came too late."""


def packets(media: OpenMedia, *streams: Any) -> Iterator[Any]:
    """Packets in file order, until the data end or break off; corrupt ones are left out."""
    media.begun = True
    try:
        for packet in media.container.demux(*streams):
            if packet.is_corrupt:
                media.damaged_packets += 1
            elif packet.size > 0:
                yield packet
    except (av.FFmpegError, EOFError):
        media.broke_off = True


def decoded(media: OpenMedia, *streams: Any) -> Iterator[tuple[Any, Any]]:
    """(stream, frame) in decoding order; what the decoder refuses is counted, not raised."""
    for packet in packets(media, *streams):
        for frame in _decode(media, packet.stream, packet):
            yield packet.stream, frame
    for stream in streams:
        for frame in _decode(media, stream, None):
            yield stream, frame


def frame_micros(media: OpenMedia, stream: Any, frame: Any) -> int | None:
    """A frame's time in microseconds on the clock; None when the file gives it no time at all."""
    timestamp = frame.pts if frame.pts is not None else frame.dts
    return None if timestamp is None else media.micros(timestamp, stream.time_base)


def _decode(media: OpenMedia, stream: Any, packet: Any) -> list[Any]:
    try:
        return list(stream.codec_context.decode(packet))
    except (av.FFmpegError, EOFError):
        media.damaged_packets += 1
        return []


def timed(
    media: OpenMedia, stream: Any, start: float | None = None, end: float | None = None
) -> Iterator[tuple[int, Any]]:
    """(microseconds on the clock, decoded frame), times never falling.

    Begins with what is shown or heard at ``start`` or earlier, if there is any; ends with the
    first beyond ``end``.
    """
    stop_us = None if end is None else micros(end) + MOST_LOOK_AHEAD_US
    last_us: int | None = None
    for time_us, frame in _from_key_frame(media, stream, start):
        if last_us is not None and time_us < last_us:
            continue
        last_us = time_us
        yield time_us, frame
        if stop_us is not None and time_us >= stop_us:
            return


def lasting_us(stream: Any, frame: Any) -> int:
    """How many microseconds a frame of ``stream`` lasts: as the file says, else by the rate."""
    if frame.duration:
        return round(Fraction(frame.duration * stream.time_base) * SECOND_US)
    rate = Fraction(getattr(stream, "average_rate", None) or 25)
    return round(SECOND_US / rate)


def _from_key_frame(
    media: OpenMedia, stream: Any, start: float | None
) -> Iterator[tuple[int, Any]]:
    for margin in _SEEK_MARGINS_SECONDS:
        from_the_top = start is None or start - margin <= 0
        if start is not None and not from_the_top:
            media.seek(stream, start - margin)
        else:
            media.rewind()
        frames = _with_times(media, stream)
        first = next(frames, None)
        if from_the_top or (first is not None and first[0] <= micros(start or 0.0)):
            if first is not None:
                yield first
                yield from frames
            return


def _with_times(media: OpenMedia, stream: Any) -> Iterator[tuple[int, Any]]:
    next_us = 0
    for _, frame in decoded(media, stream):
        time_us = frame_micros(media, stream, frame)
        time_us = next_us if time_us is None else time_us
        next_us = time_us + lasting_us(stream, frame)
        yield time_us, frame
