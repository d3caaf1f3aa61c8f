"""Turns the rows of a user's list into entries; a bad row becomes a note and the others go on."""

import math
import os
import re
from collections import Counter
from pathlib import Path, PurePath

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.pipelines.sources.address import canonical
from talkingface_wild.pipelines.sources.entry import (
    ListedVideo,
    is_wanted,
    language_of,
    skipped,
    summary,
)
from talkingface_wild.pipelines.sources.list_file import SourceRow, read_rows

ALIASES = {
    "start_seconds": "start",
    "end_seconds": "end",
    "license": "licence",
    "lang": "language",
    "crop_left": "crop_x",
    "crop_top": "crop_y",
    "crop_width": "crop_w",
    "crop_height": "crop_h",
}
"""Other names under which a known column is understood."""

_CROP = ("crop_x", "crop_y", "crop_w", "crop_h")
_KNOWN = {
    *("url", "path", "language", "start", "end", "crop", "licence", "consent", "channel"),
    *_CROP,
}
_CLOCK = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2}(?:\.\d*)?)")


def read_list(path: Path, languages: tuple[str, ...] | None) -> tuple[list[ListedVideo], list[str]]:
    """The entries of one list in its order, and notes on what was left out and why.

    Paths are relative to the list's folder; absolute ones and ``..`` are the user's own choice and
    are noted. Raises InputUnreadable when the file cannot be read or no row of it is usable.
    """
    entries: list[ListedVideo] = []
    faults: list[str] = []
    other: Counter[str] = Counter()
    rows = read_rows(path)
    for row in rows:
        try:
            entry = _entry(row, path, languages)
        except ValueError as error:
            faults.append(f"{path}, line {row.line}: {error}; the row is left out.")
            continue
        if is_wanted(entry.language, languages):
            entries.append(entry)
        else:
            other[entry.language] += 1
    if not rows or len(faults) == len(rows):
        first = f"the first: {faults[0]}" if faults else "there is no row in it."
        raise InputUnreadable(
            f"Expected at least one usable row in {path}, found none of {len(rows)}; {first}"
        )
    notes = summary(faults, str(path)) + skipped(other, languages, str(path))
    outside = sum(_leaves(entry) for entry in entries)
    if outside:
        notes.append(f"{path}: {outside} paths lead out of the list's own folder.")
    return entries, notes


def _entry(row: SourceRow, path: Path, languages: tuple[str, ...] | None) -> ListedVideo:
    """One row as an entry; ValueError says in a clause what is wrong with it."""
    if row.fault:
        raise ValueError(row.fault)
    cells = {ALIASES.get(name, name): value for name, value in row.cells.items()}
    further = {name: value for name, value in cells.items() if name not in _KNOWN}
    place, address = cells.get("path"), cells.get("url", "").strip()
    key = url = None
    if place is not None:
        _check_path(place)
        if address:
            further["url"] = canonical(address)[1]
    elif address:
        key, url = canonical(address)
    else:
        raise ValueError("it gives neither a url nor a path")
    start, end = _seconds(cells, "start"), _seconds(cells, "end")
    if end is not None and end <= (start or 0.0):
        raise ValueError(f"its end {end:g} s is not after its start {start or 0.0:g} s")
    return ListedVideo(
        language=language_of(cells.get("language", ""), languages),
        path=place,
        root=str(path.parent.absolute()) if place is not None else None,
        key=key,
        url=url,
        start_seconds=start,
        end_seconds=end,
        crop=_crop(cells),
        channel=cells.get("channel"),
        licence=cells.get("licence"),
        consent=cells.get("consent"),
        given=further,
    )


def _check_path(place: str) -> None:
    """Refuse what the system could not open under any circumstance."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", place):
        raise ValueError(f"{place[:60]!r} is an address and no path; it belongs under 'url'")
    if any(len(os.fsencode(part)) > 255 for part in PurePath(place).parts):
        raise ValueError("its path has a part of more than 255 bytes")


def _seconds(cells: dict[str, str], name: str) -> float | None:
    """A time in seconds, or as ``m:ss`` or ``h:mm:ss``."""
    text = cells.get(name, "").strip()
    if not text:
        return None
    clock = _CLOCK.fullmatch(text)
    if clock:
        hours, minutes, seconds = clock.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"its {name} {text[:40]!r} is no time in seconds")
    return value


def _crop(cells: dict[str, str]) -> tuple[int, int, int, int] | None:
    """``x,y,w,h`` in one cell or in four: pixels of the source."""
    parts = [cells.get(name, "") for name in _CROP]
    if "crop" in cells:
        parts = re.split(r"[,;\s]+", cells["crop"].strip("[]() \t"))
    if not any(parts):
        return None
    try:
        numbers = [float(part) for part in parts]
        left, top, width, height = (int(number) for number in numbers)
        if any(number != int(number) for number in numbers):
            raise ValueError("not whole")
    except (ValueError, OverflowError):
        shown = ",".join(parts)[:60]
        raise ValueError(f"its crop {shown!r} is not four whole numbers x,y,w,h") from None
    if left < 0 or top < 0 or width < 1 or height < 1:
        raise ValueError(f"its crop {left},{top},{width},{height} is no window of the picture")
    return left, top, width, height


def _leaves(entry: ListedVideo) -> bool:
    """Whether the path points out of the list's folder, by its spelling alone."""
    if entry.path is None:
        return False
    relative = os.path.normpath(entry.path)
    return os.path.isabs(relative) or relative.split(os.sep)[0] == ".."
