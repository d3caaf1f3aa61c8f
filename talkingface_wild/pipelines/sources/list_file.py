"""Reads a list file into rows of text and says what is wrong with bad lines. Judges no column."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.csv_rows import csv_fields, csv_text
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.pipelines.sources.address import is_address

SUFFIXES = (".txt", ".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
MOST_FIELD = 1 << 17
"""Characters that one field may have."""


@dataclass(frozen=True)
class SourceRow:
    """One row of a list: its line (its number, in Parquet), its cells, or what is wrong with it."""

    line: int
    cells: dict[str, str]
    fault: str = ""


def read_rows(path: Path) -> list[SourceRow]:
    """All rows of a txt, CSV, JSONL or Parquet list, without empty cells; names in lower case.

    Raises InputUnreadable when the file cannot be read as what its suffix says.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputUnreadable(f"Expected a list as {', '.join(SUFFIXES)}, found {path}; rename it.")
    if suffix == ".parquet":
        return [_checked(row) for row in _parquet(path)]
    lines = _decoded(path)
    reader = {".txt": _plain, ".csv": _csv, ".tsv": _csv}.get(suffix, _jsonl)
    return [_checked(row) for row in reader(lines, path)]


def _checked(row: SourceRow) -> SourceRow:
    """The row, at fault if its text cannot be kept: NUL, undecodable bytes, an oversized field."""
    for name, value in row.cells.items():
        if "\0" in value or "\0" in name:
            return SourceRow(row.line, {}, f"the cell {name[:40]!r} holds a NUL character")
        if not value.isprintable() and _has_surrogate(value):
            return SourceRow(row.line, {}, f"the cell {name[:40]!r} is not valid UTF-8")
        if len(value) > MOST_FIELD:
            return SourceRow(
                row.line, {}, f"the cell {name[:40]!r} has more than {MOST_FIELD} characters"
            )
    return row


def _has_surrogate(value: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in value)


def _decoded(path: Path) -> str:
    """The file's text without its byte order mark; bytes that are no UTF-8 stay as surrogates."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputUnreadable(
            f"Expected a list in {path}, found that it cannot be opened ({error.strerror}); "
            "check its name and permissions."
        ) from error
    return csv_text(data, errors="surrogateescape")


def _plain(text: str, path: Path) -> Iterator[SourceRow]:
    """One address or path a line; a line that opens with ``#`` is a comment."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        value = line.strip()
        if value and not value.startswith("#"):
            yield SourceRow(number, {"url" if is_address(value) else "path": value})


def _csv(text: str, path: Path) -> Iterator[SourceRow]:
    """Rows under the first line's names."""
    reader = csv_fields(text)
    names: list[str] = []
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield SourceRow(start, {}, f"it is no CSV ({error})")
            continue
        if not names:
            names = [cell.strip().lower() for cell in cells]
            _check_names(names, path)
        elif len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            yield SourceRow(start, {}, f"it has {len(cells)} cells under {len(names)} names")
        elif any(cell.strip() for cell in cells):
            yield SourceRow(start, _filled(dict(zip(names, cells, strict=False))))


def _jsonl(text: str, path: Path) -> Iterator[SourceRow]:
    """One JSON object a line; nested values are kept as JSON text."""
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield SourceRow(number, {}, f"it is no JSON ({error})")
            continue
        if isinstance(value, dict):
            cells = {str(name).strip().lower(): _as_text(cell) for name, cell in value.items()}
            yield SourceRow(number, _filled(cells))
        else:
            yield SourceRow(number, {}, "it is no JSON object")


def _parquet(path: Path) -> Iterator[SourceRow]:
    """Rows of a Parquet file, columns of raw bytes left out; ``line`` counts from 1."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            columns = [field.name for field in file.schema_arrow if not _is_binary(field.type)]
            _check_names([name.strip().lower() for name in columns], path)
            number = 0
            for batch in file.iter_batches(columns=columns, batch_size=8192):
                for record in batch.to_pylist():
                    number += 1
                    cells = {name.strip().lower(): _as_text(cell) for name, cell in record.items()}
                    yield SourceRow(number, _filled(cells))
    except (OSError, pa.ArrowException) as error:
        first = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise InputUnreadable(
            f"Expected a Parquet list in {path}, found that it cannot be read ({first}); "
            "write it again or give it as CSV."
        ) from error


def _is_binary(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(
        types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
    )


def _check_names(names: list[str], path: Path) -> None:
    """Refuse a table without a column that says where the video is."""
    if "url" not in names and "path" not in names:
        shown = ", ".join(repr(name[:40]) for name in names[:12])
        raise InputUnreadable(
            f"Expected a column 'url' or 'path' in {path}, found {shown or 'none'}; "
            "name the column in the first line."
        )


def _filled(cells: dict[str, str]) -> dict[str, str]:
    """The cells that hold something, under names that are not empty."""
    return {name: value for name, value in cells.items() if name and value.strip()}


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return json.dumps(value, ensure_ascii=False, default=str)
