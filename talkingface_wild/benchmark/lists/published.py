"""The published lists of HDTF and CelebV-HQ, as their authors lay them out. Opens no video.

HDTF (Zhang et al., CVPR 2021; ``HDTF_dataset/`` of its repository) has three parts, RD, WDA and
WRA, each with ``<part>_video_url.txt`` (name, address), ``<part>_annotion_time.txt`` (name.mp4,
then mm:ss-mm:ss of each segment), ``<part>_crop_wh.txt`` (name_segment.mp4, left, width, top,
height in pixels) and ``<part>_resolution.txt`` (name.mp4, the height that those pixels mean).
CelebV-HQ (Zhu et al., ECCV 2022) is one JSON file: ``clips`` by id with ``ytb_id``, ``duration``
(``start_sec``, ``end_sec``) and ``bbox`` (top, bottom, left, right as shares of the picture).
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlparse

from talkingface_wild.benchmark.lists.clip_list import Crop, relative_crop
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.media.geometry import Window

HDTF_PARTS = ("RD", "WDA", "WRA")
UNNAMED = "Radio"
"""The stem of HDTF's radio part, whose speakers the list doesn't name."""
ASPECT = 16 / 9
"""Width by height of the videos, which neither list states; both crops are given in shares or
pixels of one side alone. With the videos at hand their own size is used."""
_SPAN = re.compile(r"(?:(\d+):)?(\d+):(\d+)-(?:(\d+):)?(\d+):(\d+)")
_BOX = ("top", "bottom", "left", "right")
_MARGIN = 0.02
"""CelebV-HQ's own script widens each box by this share of the picture before it crops."""


@dataclass(frozen=True)
class Segment:
    """One span of a published video, in seconds of the whole video."""

    clip: str
    source: str
    names: tuple[str, ...]
    """What the video's file may be called, without its suffix."""
    identity: str
    start: float
    end: float
    crop: Crop | None
    """The list's crop columns; None where the published list has no crop."""

    @property
    def seconds(self) -> float:
        """How long the segment is."""
        return self.end - self.start


def name_stem(name: str) -> str:
    """A video's name without its trailing number: the speaker, as far as HDTF tells."""
    return name.rstrip("0123456789") or name


def read_hdtf(folder: Path) -> list[Segment]:
    """All segments of the published lists in ``folder`` (or its ``HDTF_dataset``).

    The identity is the name's stem; stems that share a video are one person under two names and
    get the first of them. Raises InputUnreadable without a list, or with the line of a bad one.
    """
    inner = folder / "HDTF_dataset"
    folder = inner if inner.is_dir() else folder
    segments: list[Segment] = []
    videos: dict[str, set[str]] = {}
    for part in HDTF_PARTS:
        times = folder / f"{part}_annotion_time.txt"
        if times.is_file():
            segments += _hdtf_part(folder, part, times, videos)
    if not segments:
        raise InputUnreadable(
            f"Expected HDTF's lists ({HDTF_PARTS[1]}_annotion_time.txt and its like) in {folder}, "
            "found none; give the folder HDTF_dataset of the HDTF repository."
        )
    people = _people(videos)
    return [
        replace(segment, identity=people.get(segment.identity, segment.identity))
        for segment in sorted(segments, key=lambda segment: segment.clip)
    ]


def _hdtf_part(
    folder: Path, part: str, times: Path, videos: dict[str, set[str]]
) -> Iterator[Segment]:
    crops = {fields[0]: (where, fields) for where, fields in _lines(folder, part, "crop_wh")}
    heights = {fields[0]: fields[1:] for _, fields in _lines(folder, part, "resolution")}
    ids: dict[str, str] = {}
    for _, fields in _lines(folder, part, "video_url"):
        video_id = _video_id(fields[-1])
        if video_id:
            ids[fields[0]] = video_id
            videos.setdefault(video_id, set()).add(name_stem(fields[0]))
    for where, fields in _fields(times):
        name = fields[0].removesuffix(".mp4")
        video = ids.get(name, "")
        names = tuple(filter(None, (name, f"{part}_{name}", video)))
        for index, text in enumerate(fields[1:]):
            start, end = _span(text, where)
            clip = f"{name}_{index}"
            crop = _hdtf_crop(crops.get(f"{clip}.mp4"), heights.get(f"{name}.mp4"))
            yield Segment(clip, f"{part}/{name}", names, name_stem(name), start, end, crop)


def _lines(folder: Path, part: str, kind: str) -> Iterator[tuple[str, list[str]]]:
    path = folder / f"{part}_{kind}.txt"
    return _fields(path) if path.is_file() else iter(())


def _fields(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Where each line with at least two fields stands, and its fields."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputUnreadable(
            f"Expected a list of HDTF in {path}, found none that can be read ({error}); "
            "copy it again from the HDTF repository."
        ) from error
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if len(fields) > 1:
            yield f"{path}, line {number}", fields


def _span(text: str, where: str) -> tuple[float, float]:
    match = _SPAN.fullmatch(text)
    if match:
        numbers = [int(number or 0) for number in match.groups()]
        start, end = (
            float(3600 * hours + 60 * minutes + seconds)
            for hours, minutes, seconds in (numbers[:3], numbers[3:])
        )
        if end > start:
            return start, end
    raise InputUnreadable(
        f"{where}: expected a span such as 00:05-01:30, found {text[:40]!r}; mend that line."
    )


def _hdtf_crop(
    line: tuple[str, Sequence[str]] | None, height_fields: Sequence[str] | None
) -> Crop | None:
    """The crop columns; None where the list has no crop or no height for it."""
    if line is None or not height_fields or len(height_fields) != 1:
        return None
    where, fields = line
    try:
        left, width, top, _ = (int(field) for field in fields[1:])
        height = int(height_fields[0])
        if width < 1 or height < 1:
            raise ValueError("sides of at least a pixel are needed")
    except ValueError as error:
        raise InputUnreadable(
            f"{where}: expected left, width, top and height in pixels, found "
            f"{' '.join(fields[1:])[:60]!r} ({error}); mend that line."
        ) from error
    return relative_crop(Window(left, top, width), round(height * ASPECT), height)


def _video_id(address: str) -> str:
    return (parse_qs(urlparse(address).query).get("v") or [""])[0]


def _people(videos: Mapping[str, set[str]]) -> dict[str, str]:
    """For each stem that shares a video with another, the first stem of its group."""
    first: dict[str, str] = {}

    def root(stem: str) -> str:
        while first.get(stem, stem) != stem:
            stem = first[stem]
        return stem

    for stems in videos.values():
        roots = sorted(root(stem) for stem in stems)
        for stem in roots:
            first[stem] = roots[0]
    return {stem: root(stem) for stem in first}


def read_celebvhq(path: Path) -> list[Segment]:
    """All clips of ``celebvhq_info.json`` (or of the folder that holds it), sorted by id.

    The identity is the video: CelebV-HQ's file names no people, and two videos may show one person.
    Raises InputUnreadable with the clip that is not as published.
    """
    path = path / "celebvhq_info.json" if path.is_dir() else path
    try:
        clips = json.loads(path.read_text(encoding="utf-8"))["clips"]
        items = sorted(clips.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputUnreadable(
            f"Expected CelebV-HQ's list (JSON with 'clips') in {path}, found none that can be read "
            f"({type(error).__name__}: {error}); give celebvhq_info.json as published."
        ) from error
    return [_celebvhq_clip(path, name, item) for name, item in items]


def _celebvhq_clip(path: Path, name: str, item: Any) -> Segment:
    try:
        video = item["ytb_id"]
        start, end = (float(item["duration"][key]) for key in ("start_sec", "end_sec"))
        box = [min(max(float(item["bbox"][key]), 0.0), 1.0) for key in _BOX]
        good = isinstance(video, str) and bool(video) and 0 <= start < end < math.inf
        good = good and box[0] < box[1] and box[2] < box[3]
    except (KeyError, TypeError, ValueError):
        good = False
    if not good:
        raise InputUnreadable(
            f"{path}: expected ytb_id, duration and bbox as CelebV-HQ publishes them in the clip "
            f"{str(name)[:60]!r}, found something else; give celebvhq_info.json as published."
        )
    return Segment(name, video, (video,), video, start, end, _celebvhq_crop(box))


def _celebvhq_crop(box: Sequence[float]) -> Crop:
    """The square that CelebV-HQ's script cuts: the shorter side of the widened box, centred."""
    top, bottom = max(box[0] - _MARGIN, 0.0), min(box[1] + _MARGIN, 1.0)
    left, right = max(box[2] - _MARGIN, 0.0), min(box[3] + _MARGIN, 1.0)
    side = min(bottom - top, (right - left) * ASPECT)
    corner = (
        round((left + right) / 2 - side / ASPECT / 2, 5),
        round((top + bottom) / 2 - side / 2, 5),
    )
    return (*corner, round(side, 5))
