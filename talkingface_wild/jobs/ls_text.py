"""The clips that ``jobs.ls`` lists as text: aligned for a window, with tabs, or as CSV."""

import csv
import io
import shutil
import sys
from collections.abc import Iterable
from typing import Any

from rich.cells import cell_len

from talkingface_wild.core.durations import human_seconds
from talkingface_wild.core.terminal import printable
from talkingface_wild.jobs.ls import Catalogue

_GAP = "  "
_LEAST_NAME = 12


def summary(listed: Catalogue) -> str:
    """How many there are, how long they are, how many of them are listed."""
    less = f", the first {len(listed.rows)} shown" if len(listed.rows) < listed.matching else ""
    length = f", {human_seconds(listed.seconds)}" if listed.seconds else ""
    return f"{listed.matching} of {listed.total}{length}{less}."


def page(listed: Catalogue) -> str | None:
    """Aligned on a terminal; elsewhere tabs between whole values."""
    if not listed.rows:
        return None
    if not sys.stdout.isatty():
        return tabbed(listed)
    return aligned(listed, shutil.get_terminal_size().columns)


def tabbed(listed: Catalogue) -> str:
    """The rows without a header, tabs between whole values."""
    return "\n".join("\t".join(_cells(listed, row)) for row in listed.rows)


def as_csv(listed: Catalogue) -> str:
    """The rows as CSV under a header."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(listed.columns)
    writer.writerows(_cells(listed, row) for row in listed.rows)
    return text.getvalue().rstrip("\n")


def _cells(listed: Catalogue, row: dict[str, Any]) -> list[str]:
    return [_plain(row[name]) for name in listed.columns]


def aligned(listed: Catalogue, width: int) -> str:
    """The rows under a header, names cut in the middle so that lines fit into ``width`` cells.

    Ids are never cut, but to what tells them. Columns that are empty everywhere are left out.
    """
    rows = listed.rows
    names = [n for n in listed.columns if n == "name" or any(row[n] is not None for row in rows)]
    cells = {name: [_cell(name, row[name], listed.id_length) for row in rows] for name in names}
    widths = {name: max(map(cell_len, [name, *cells[name]])) for name in names}
    others = sum(widths.values()) - widths["name"] + len(_GAP) * (len(names) - 1)
    room = max(_LEAST_NAME, width - others)
    cells["name"] = [_shortened(text, room) for text in cells["name"]]
    widths["name"] = max(map(cell_len, ["name", *cells["name"]]))
    right = {name for name in names if _is_number(row[name] for row in rows)}
    padded = []
    for name in names:
        texts = [name, *cells[name]]
        blanks = [" " * (widths[name] - cell_len(text)) for text in texts]
        pairs = zip(*((blanks, texts) if name in right else (texts, blanks)), strict=True)
        padded.append(["".join(pair) for pair in pairs])
    return "\n".join(_GAP.join(line).rstrip() for line in zip(*padded, strict=True))


def _is_number(values: Iterable[Any]) -> bool:
    some = [value for value in values if value is not None]
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in some)


def _cell(name: str, value: Any, id_length: int) -> str:
    if name == "id":
        return str(value)[:id_length]
    if name == "seconds" and value is not None:
        return f"{value:.1f}"
    return _plain(value)


def _plain(value: Any) -> str:
    """A value on one line: nothing for null, true and false as in conditions."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return printable(str(value))


def _shortened(text: str, room: int) -> str:
    """``text`` in at most ``room`` cells, its beginning and its end kept (the span is there)."""
    if cell_len(text) <= room:
        return text
    tail = text[text.rfind(" ") :] if " " in text else text[-4:]
    while tail and cell_len(tail) > room - 4:
        tail = tail[1:]
    head = text[: len(text) - len(tail)]
    while head and cell_len(head) + 1 + cell_len(tail) > room:
        head = head[:-1]
    return f"{head}…{tail}"
