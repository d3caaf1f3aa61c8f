"""The one picture decoder: frames of a span, upright, with square pixels, streamed."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from av.sidedata.sidedata import Type as SideDataType
from av.video.reformatter import Interpolation, VideoReformatter

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.media.container import OpenMedia, open_media
from talkingface_wild.media.demux import lasting_us, timed
from talkingface_wild.media.frame_times import SECOND_US, GridPicker, Ticks, micros, tick_count
from talkingface_wild.media.geometry import (
    Orientation,
    Picture,
    displayed_size,
    fit_inside,
    orientation_of,
)


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
                frame.width, frame.height, self.media.video.sample_aspect_ratio, self.orientation
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
        pictures = timed(media, media.video, start, end)
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


def _on_grid(
    pictures: Iterator[tuple[int, Any]], picker: GridPicker, upright: Upright
) -> Iterator[Frame]:
    converted: tuple[Any, Picture] | None = None
    media = upright.media
    settled = (
        pair
        for time_us, frame in pictures
        for pair in picker.push(time_us, frame, lasting_us(media.video, frame))
    )
    for tick, frame in itertools.chain(settled, picker.finish()):
        if converted is None or converted[0] is not frame:
            converted = (frame, upright.rgb(frame))
        yield Frame(picker.ticks.seconds(tick), converted[1])
        if picker.next_tick == picker.ticks.count and tick == picker.next_tick - 1:
            return
