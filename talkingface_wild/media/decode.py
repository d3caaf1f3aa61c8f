"""The one picture decoder: frames of a span, upright, with square pixels, streamed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation, VideoReformatter

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.media.container import OpenMedia, decoded, frame_micros, open_media
from talkingface_wild.media.geometry import (
    Orientation,
    Picture,
    displayed_size,
    fit_inside,
    orientation_of,
)
from talkingface_wild.media.grid import (
    MOST_LOOK_AHEAD_US,
    SECOND_US,
    GridPicker,
    Ticks,
    micros,
    tick_count,
)

_SEEK_MARGINS_SECONDS = (0.2, 5.0, float("inf"))
"""How far before a span reading starts; more when the first key frame found came too late."""


@dataclass(frozen=True)
class Frame:
    """One picture: seconds on the source's clock, and (H, W, 3) uint8 RGB as displayed."""

    seconds: float
    rgb: Picture


@dataclass
class Upright:
    """Turns decoded frames into RGB pictures of one size: shrunk, square pixels, upright."""

    media: OpenMedia
    max_side: int | None = None
    multiple: int = 1
    size: tuple[int, int] | None = None
    """Displayed width and height of what is given out, known after the first picture."""
    orientation: Orientation = field(default_factory=Orientation)
    reformatter: Any = field(default_factory=VideoReformatter)

    def rgb(self, frame: Any) -> Picture:
        """(H, W, 3) uint8 of one frame."""
        if self.size is None:
            self.orientation = frame_orientation(frame)
            shown = displayed_size(
                frame.width,
                frame.height,
                self.media.video.sample_aspect_ratio,
                self.orientation,
            )
            self.size = fit_inside(*shown, self.max_side, self.multiple)
        width, height = self.orientation.coded(*self.size)
        shrinks = width * height < frame.width * frame.height
        picture = self.reformatter.reformat(
            frame,
            width=width,
            height=height,
            format="rgb24",
            interpolation=Interpolation.AREA if shrinks else Interpolation.BICUBIC,
        )
        return self.orientation.apply(picture.to_ndarray())


def frame_orientation(frame: Any) -> Orientation:
    """How a decoded frame is turned for display, from the display matrix it carries."""
    for data in frame.side_data:
        if data.type == SideDataType.DISPLAYMATRIX:
            return orientation_of(bytes(data))
    return Orientation()


def frames(
    path: Path,
    *,
    start: float | None = None,
    end: float | None = None,
    fps: float | Fraction | None = None,
    max_side: int | None = None,
) -> Iterator[Frame]:
    """Pictures of ``[start, end)``, seconds on the source's clock; the whole stream by default.

    Without ``fps`` every picture that begins in the span. With it, picture k is what is shown at
    ``start + k / fps`` (the last that begins before that instant plus half a tick, 20 ms at
    most; instants before the first picture show the first), ``round((end - start) * fps)`` of
    them, fewer only where the pictures end early. ``max_side`` shrinks. Repeated pictures share
    one array: treat it as read-only. Raises ItemRejected("undecodable") when nothing decodes,
    and what ``open_media`` raises.
    """
    with open_media(path) as media:
        upright = Upright(media, max_side)
        pictures = timed(media, start, end)
        first = next(pictures, None)
        if first is None:
            raise ItemRejected("undecodable", f"no picture of {path.name!r} could be decoded")
        pictures = itertools.chain([first], pictures)
        if fps is not None:
            start_us = first[0] if start is None else micros(start)
            rate = Fraction(fps).limit_denominator(100_000)
            count = None if end is None else tick_count(start_us, micros(end), rate)
            yield from _on_grid(pictures, GridPicker(Ticks(start_us, rate, count)), upright)
            return
        for time_us, frame in pictures:
            if (start is None or time_us >= micros(start)) and (
                end is None or time_us < micros(end)
            ):
                yield Frame(time_us / SECOND_US, upright.rgb(frame))


def timed(
    media: OpenMedia, start: float | None = None, end: float | None = None
) -> Iterator[tuple[int, Any]]:
    """(microseconds on the clock, decoded frame), times never falling.

    Begins with the picture shown at ``start`` or an earlier one; ends with the first beyond
    ``end``.
    """
    stop_us = None if end is None else micros(end) + MOST_LOOK_AHEAD_US
    last_us: int | None = None
    for time_us, frame in _from_key_frame(media, start):
        if last_us is not None and time_us < last_us:
            continue
        last_us = time_us
        yield time_us, frame
        if stop_us is not None and time_us >= stop_us:
            return


def lasting_us(media: OpenMedia, frame: Any) -> int:
    """How long a frame is shown, in microseconds: as the file says, else by the mean rate."""
    if frame.duration:
        return round(Fraction(frame.duration * media.video.time_base) * SECOND_US)
    rate = Fraction(media.video.average_rate or 25)
    return round(SECOND_US / rate)


def _on_grid(
    pictures: Iterator[tuple[int, Any]], picker: GridPicker, upright: Upright
) -> Iterator[Frame]:
    converted: tuple[Any, Picture] | None = None
    media = upright.media
    settled = (
        pair
        for time_us, frame in pictures
        for pair in picker.push(time_us, frame, lasting_us(media, frame))
    )
    for tick, frame in itertools.chain(settled, picker.finish()):
        if converted is None or converted[0] is not frame:
            converted = (frame, upright.rgb(frame))
        yield Frame(picker.ticks.seconds(tick), converted[1])
        if picker.next_tick == picker.ticks.count and tick == picker.next_tick - 1:
            return


def _from_key_frame(media: OpenMedia, start: float | None) -> Iterator[tuple[int, Any]]:
    for margin in _SEEK_MARGINS_SECONDS:
        from_the_top = start is None or start - margin <= 0
        if start is not None and not from_the_top:
            media.seek(media.video, start - margin)
        else:
            media.rewind()
        stream = _with_times(media)
        first = next(stream, None)
        if from_the_top or (first is not None and first[0] <= micros(start or 0.0)):
            if first is not None:
                yield first
                yield from stream
            return


def _with_times(media: OpenMedia) -> Iterator[tuple[int, Any]]:
    next_us = 0
    for _, frame in decoded(media, media.video):
        time_us = frame_micros(media, media.video, frame)
        time_us = next_us if time_us is None else time_us
        next_us = time_us + lasting_us(media, frame)
        yield time_us, frame
