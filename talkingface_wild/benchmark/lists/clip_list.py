"""Lists of clips to score: CSV files with a hash beside them, read strictly. Opens no video.

Columns: ``clip`` (id), ``source`` (where it comes from: ``WDA/Name``, a video's id, a content
hash), ``path`` (the video, relative to the list's folder; empty until it is at hand),
``start_seconds``, ``frames`` (at 25 a second), ``crop_left``, ``crop_top``, ``crop_side``,
``language``, ``identity``, ``phash`` (five frames), ``sound_print``, ``sound`` and ``portrait``
(files of an open-set row, relative too). Nothing of the three crop columns is known where they are
empty.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface_wild.core.csv_rows import csv_rows
from talkingface_wild.core.errors import CheckFailed, InputUnreadable, nearest
from talkingface_wild.core.fingerprint import digest, file_sha256
from talkingface_wild.core.paths import write_text
from talkingface_wild.media.geometry import Window

FPS = 25
_MOST_ROWS = 1_000_000
_MOST_FRAMES = 25 * 3600 * 24
_NUMBERS = ("start_seconds", "crop_left", "crop_top", "crop_side")
_CROP = ("crop_left", "crop_top", "crop_side")
_FILES = ("path", "sound", "portrait")
_HEX = re.compile(r"[0-9a-f]*")


Crop = tuple[float, float, float]
"""``crop_left``, ``crop_top``, ``crop_side``."""


@dataclass(frozen=True)
class ListRow:
    """One clip. The crop is a square of the displayed picture, W x H pixels with square pixels.

    ``crop_left`` is a share of W, ``crop_top`` of H, ``crop_side`` of min(W, H): the square begins
    at (left x W, top x H) and is side x min(W, H) wide. It may reach beyond the picture. 0, 0, 1 is
    the whole of a square picture.
    """

    clip: str
    source: str
    path: str = ""
    start_seconds: float = 0.0
    frames: int = 0
    crop_left: float | None = None
    crop_top: float | None = None
    crop_side: float | None = None
    language: str = ""
    identity: str = ""
    phash: str = ""
    """``functional.fingerprints.picture_fingerprint`` of five frames, first to last: 80 digits."""
    sound_print: str = ""
    """``functional.fingerprints.sound_fingerprint`` of the first 15 s at most."""
    sound: str = ""
    portrait: str = ""

    @property
    def seconds(self) -> float:
        """How long the clip is."""
        return self.frames / FPS

    def cropped(self, crop: Crop | None) -> ListRow:
        """The row with that crop, or with none."""
        left, top, side = crop or (None, None, None)
        return dataclasses.replace(self, crop_left=left, crop_top=top, crop_side=side)

    def window(self, width: int, height: int) -> Window | None:
        """The crop in pixels of a ``width`` x ``height`` picture; None where it is not known."""
        if self.crop_left is None or self.crop_top is None or self.crop_side is None:
            return None
        side = max(2, round(self.crop_side * min(width, height)))
        return Window(round(self.crop_left * width), round(self.crop_top * height), side)


COLUMNS = tuple(field_.name for field_ in dataclasses.fields(ListRow))


def relative_crop(window: Window, width: int, height: int) -> Crop:
    """The three crop columns of a window in pixels, to five decimals."""
    corner = round(window.left / width, 5), round(window.top / height, 5)
    return (*corner, round(window.side / min(width, height), 5))


def relative_path(path: Path, folder: Path) -> str:
    """``path`` relative to the list's folder, links resolved, or '' where it lies outside."""
    inside = os.path.relpath(path.resolve(), folder.resolve())
    return "" if inside.split(os.sep)[0] == os.pardir else Path(inside).as_posix()


@dataclass(frozen=True)
class BenchList:
    """A list and the folder that its paths are relative to."""

    name: str
    sha8: str
    """Of what decides a number (clip, source, start, frames, crop, language, identity); where the
    videos lie and how they are encoded changes the file's own hash, not this one."""
    rows: tuple[ListRow, ...]
    folder: Path = field(default=Path())

    def file(self, row: ListRow, column: str = "path") -> Path | None:
        """The file that ``path``, ``sound`` or ``portrait`` names, or None where it is empty."""
        text = getattr(row, column)
        return self.folder / text if text else None


def content_sha8(rows: Sequence[ListRow]) -> str:
    """The hash of a list's content, whatever the order of its rows."""
    left_out = (*_FILES, "phash", "sound_print")
    plain = [
        {name: value for name, value in dataclasses.asdict(row).items() if name not in left_out}
        for row in rows
    ]
    return digest(sorted(plain, key=lambda row: str(row["clip"])), 8)


def hash_file(path: Path) -> Path:
    """Where the sha256 of the list at ``path`` stands."""
    return path.with_suffix(".sha256")


def write_list(path: Path, rows: Sequence[ListRow]) -> BenchList:
    """Write ``path`` (CSV) and its sha256 beside it; returns the list as it would be read.

    The rows are sorted by clip, so that the file depends on nothing but their content.
    """
    ordered = sorted(rows, key=lambda row: row.clip)
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in ordered:
        values = dataclasses.asdict(row)
        writer.writerow({name: "" if value is None else value for name, value in values.items()})
    text = stream.getvalue()
    write_text(path, text)
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    write_text(hash_file(path), f"{sha256}  {path.name}\n")
    return BenchList(path.stem, content_sha8(ordered), tuple(ordered), path.parent)


def read_list(path: Path) -> BenchList:
    """The list at ``path``, its rows in the file's order.

    Raises InputUnreadable, with the line, for a file that is no list, an unknown column, a wrong
    number or a path that leaves the list's folder; CheckFailed when the file is not what its
    ``.sha256`` says.
    """
    _check_hash(path)
    rows: list[ListRow] = []
    seen: dict[str, int] = {}
    try:
        reader = csv_rows(path, strict=True)
        _check_heading(path, reader.fieldnames or ())
        for values in reader:
            where = f"{path}, line {reader.line_num}"
            row = _row(values, where, path.parent)
            first = seen.setdefault(row.clip, reader.line_num)
            if first != reader.line_num:
                raise _wrong(where, "each clip once", f"{row.clip!r} again (line {first})")
            rows.append(row)
            if len(rows) > _MOST_ROWS:
                raise _wrong(where, f"at most {_MOST_ROWS} rows", "more")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputUnreadable(
            f"Expected a list of clips (CSV in UTF-8) in {path}, found none that can be read "
            f"({error}); make one with `tfw bench list make NAME`."
        ) from error
    if not rows:
        raise InputUnreadable(
            f"Expected at least one clip in {path}, found none; make the list again with "
            "`tfw bench list make NAME`."
        )
    return BenchList(path.stem, content_sha8(rows), tuple(rows), path.parent)


def _check_hash(path: Path) -> None:
    try:
        expected = hash_file(path).read_text(encoding="utf-8").split()[:1]
        sha256 = file_sha256(path)
    except FileNotFoundError:
        return  # A list written by hand has no hash; a missing list is told by whoever opens it.
    except (OSError, UnicodeDecodeError) as error:
        raise InputUnreadable(
            f"Expected the sha256 of the list in {hash_file(path)}, found none that can be read "
            f"({error}); make the list again."
        ) from error
    if expected != [sha256]:
        raise CheckFailed(
            f"Expected {path} to have the sha256 in {hash_file(path).name}, found {sha256[:8]}…: "
            "the list was changed after it was made; make it again, or delete the .sha256 file to "
            "use it as a list of your own."
        )


def _check_heading(path: Path, names: Sequence[str]) -> None:
    for name in names:
        if name not in COLUMNS:
            raise _wrong(
                f"{path}, line 1",
                f"columns of {', '.join(COLUMNS)}",
                f"{name!r}{nearest(str(name), COLUMNS)}",
            )
    missing = [name for name in ("clip", "source", "start_seconds", "frames") if name not in names]
    if missing or len(set(names)) != len(names):
        instead = f"none called {missing[0]!r}" if missing else "one of them twice"
        raise _wrong(f"{path}, line 1", "the columns of a list", instead)


def _row(values: Mapping[Any, Any], where: str, folder: Path) -> ListRow:
    if None in values or None in values.values():
        raise _wrong(where, "as many fields as the heading has", "another number of them")
    fields: dict[str, Any] = {name: str(value).strip() for name, value in values.items()}
    if not fields["clip"] or not fields["clip"].isprintable():
        raise _wrong(where, "a clip's id", repr(fields["clip"]))
    for name in _NUMBERS:
        if name in fields:
            fields[name] = _number(fields[name], name, where)
    fields["frames"] = _frames(fields["frames"], where)
    if fields["start_seconds"] is None or fields["start_seconds"] < 0:
        raise _wrong(where, "start_seconds of 0 or more", str(values["start_seconds"]) or "none")
    filled = [fields.get(name) is not None for name in _CROP]
    if any(filled) and not all(filled):
        raise _wrong(where, "all three crop columns or none", "some of them")
    side = fields.get("crop_side")
    if side is not None and (not 0 < side <= 4 or max(map(abs, _corner(fields))) > 4):
        raise _wrong(where, "a crop near the picture", f"{[fields[name] for name in _CROP]}")
    for name in ("phash", "sound_print"):
        if not _HEX.fullmatch(fields.get(name, "")):
            raise _wrong(where, f"hexadecimal digits in {name}", repr(fields[name][:20]))
    for name in _FILES:
        if fields.get(name):
            _check_inside(fields[name], name, where, folder)
    return ListRow(**fields)


def _corner(fields: Mapping[str, Any]) -> tuple[float, float]:
    return float(fields["crop_left"]), float(fields["crop_top"])


def _number(text: str, name: str, where: str) -> float | None:
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(where, f"a number in {name}", repr(text))
    return number


def _frames(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:12]) <= _MOST_FRAMES:
        raise _wrong(where, f"frames between 1 and {_MOST_FRAMES}", repr(text))
    return int(text)


def _check_inside(text: str, name: str, where: str, folder: Path) -> None:
    """A path ends inside the list's folder, whatever links and ``..`` it takes."""
    root = os.path.realpath(folder)
    inside = text.isprintable() and os.path.realpath(os.path.join(root, text)).startswith(
        os.path.join(root, "")
    )
    if not inside:
        raise _wrong(where, f"a {name} inside the list's folder {folder}", repr(text))


def _wrong(where: str, expected: str, instead: str) -> InputUnreadable:
    return InputUnreadable(f"{where}: expected {expected}, found {instead}; mend that line.")
