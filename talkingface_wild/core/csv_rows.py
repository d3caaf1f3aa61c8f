"""How every CSV file of a user is read: UTF-8 with or without a byte order mark, or UTF-16 with
one; commas, semicolons or tabs, as the first line has most of.

What is wrong with a file stays OSError, UnicodeDecodeError or csv.Error: its reader says what the
file should have been.
"""

from __future__ import annotations

import codecs
import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _csv import Reader


def csv_text(data: bytes, errors: str = "strict") -> str:
    """The text of a file's bytes, without its byte order mark."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="strict" if errors == "strict" else "replace")
    return data.removeprefix(codecs.BOM_UTF8).decode("utf-8", errors=errors)


def csv_fields(text: str, strict: bool = True) -> Reader:
    """The lines as lists of fields, the heading first; ``strict`` refuses broken quotes."""
    return csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=strict)


def csv_rows(path: Path, strict: bool = False) -> csv.DictReader[str]:
    """The rows under the first line's names; its ``line_num`` is the line of the last one read."""
    text = csv_text(path.read_bytes())
    stream = io.StringIO(text, newline="")
    return csv.DictReader(stream, delimiter=_delimiter(text), strict=strict)


def _delimiter(text: str) -> str:
    return max(",;\t", key=text.split("\n", 1)[0].count)
