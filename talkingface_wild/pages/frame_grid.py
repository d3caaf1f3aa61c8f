"""Methods × frames of one clip as one picture, in the manner of the paper's Fig. 3."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.core.errors import UsageError
from talkingface_wild.pages.run_videos import MethodVideo, Runs, ShownClip, pictures

COLUMNS = 6
SIDE = 192
_GAP = 4
_HEADING = 26
_MOST_LABEL = 240
_INK, _PAPER = (25, 25, 25), (255, 255, 255)


@dataclass(frozen=True)
class Grid:
    """The picture, the clip that it shows, its rows' names and its columns' frames."""

    picture: Image.Image
    clip: str
    rows: tuple[str, ...]
    frames: tuple[int, ...]


def make_grid(
    runs: Sequence[BenchRun],
    clip: str | None = None,
    indices: Sequence[int] | None = None,
    side: int = SIDE,
) -> Grid:
    """One row a method, the real video first; one column a frame, at 25 a second.

    ``clip`` defaults to the first that all runs have scored, ``indices`` to six from the first
    frame to the last that all have. Raises UsageError for frames that not all have, and what
    ``Runs.show`` and ``run_videos.pictures`` raise.
    """
    shown_clip = Runs(runs).show(clip)
    frames = _frames(shown_clip, indices)
    rows = _rows(shown_clip)
    strips = [pictures(row, frames, side) for row in rows]
    names = tuple(row.name for row in rows)
    return Grid(_draw(names, frames, strips, side), shown_clip.clip, names, frames)


def _frames(clip: ShownClip, indices: Sequence[int] | None) -> tuple[int, ...]:
    count = clip.frames
    if indices is None:
        spread = np.linspace(0, count - 1, min(COLUMNS, count)).round().astype(int)
        return tuple(dict.fromkeys(int(index) for index in spread))
    frames = tuple(sorted(set(indices)))
    if not frames or frames[0] < 0 or frames[-1] >= count:
        raise UsageError(
            f"Expected frames between 0 and {count - 1} (what all runs have of {clip.clip!r}), "
            f"found {', '.join(map(str, frames)) or 'none'}; give others with --frames."
        )
    return frames


def _rows(clip: ShownClip) -> list[MethodVideo]:
    """The real video once, at the top, then the methods."""
    truth = clip.truth
    if truth is None:
        return list(clip.methods)
    return [truth, *(row for row in clip.methods if row.still or row.path != truth.path)]


def _draw(
    names: Sequence[str], frames: Sequence[int], strips: Sequence[Sequence[object]], side: int
) -> Image.Image:
    font = ImageFont.load_default(size=16)
    labels = [_fitted(name, font) for name in names]
    left = round(max(font.getlength(label) for label in labels)) + 3 * _GAP
    width = left + len(frames) * (side + _GAP)
    height = _HEADING + len(names) * (side + _GAP)
    sheet = Image.new("RGB", (width, height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    for column, frame in enumerate(frames):
        middle = left + column * (side + _GAP) + side // 2
        pen.text((middle, _HEADING // 2), f"frame {frame}", _INK, font, anchor="mm")
    for row, (label, strip) in enumerate(zip(labels, strips, strict=True)):
        top = _HEADING + row * (side + _GAP)
        pen.text((left - 2 * _GAP, top + side // 2), label, _INK, font, anchor="rm")
        for column, picture in enumerate(strip):
            place = (left + column * (side + _GAP), top)
            sheet.paste(Image.fromarray(np.asarray(picture, dtype=np.uint8)), place)
    return sheet


def _fitted(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """A name short enough for the margin, without control characters."""
    text = "".join(char if char.isprintable() else "?" for char in name)
    while len(text) > 1 and font.getlength(text) > _MOST_LABEL:
        text = text[:-2] + "…"
    return text
