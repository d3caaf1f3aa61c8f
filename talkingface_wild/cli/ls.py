"""``tfw ls``: a line per clip; the first word of a line is what ``tfw why`` takes."""

from __future__ import annotations

import csv
import io
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples, printable
from talkingface_wild.core.durations import human_seconds
from talkingface_wild.core.errors import UsageError

if TYPE_CHECKING:
    from talkingface_wild.dataset.catalogue import Catalogue

app = typer.Typer(add_completion=False)

_GAP = "  "
_LEAST_NAME = 12


@app.command(
    epilog=examples(
        "tfw ls demo_out",
        "tfw ls demo_out --rejected",
        "tfw ls demo_out --reason too_short --language en",
        "tfw ls demo_out --where 'speech_ratio < 0.85' --sort speech_ratio",
        "tfw ls demo_out --all --columns state,sharpness --sort=-sharpness --limit 5",
        "tfw ls demo_out --csv",
    )
)
def ls(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")],
    kept: Annotated[bool, typer.Option("--kept", help="Kept clips: the default.")] = False,
    rejected: Annotated[
        bool, typer.Option("--rejected", help="Rejected clips, and sources that gave none.")
    ] = False,
    failed: Annotated[bool, typer.Option("--failed", help="What failed.")] = False,
    pending: Annotated[
        bool, typer.Option("--pending", help="What has work still to come.")
    ] = False,
    every: Annotated[bool, typer.Option("--all", help="All of them.")] = False,
    reason: Annotated[str | None, typer.Option(help="Those with this reason.")] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Those of this language; may be given often.")
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Those whose source has this text in its path or address.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="A condition, such as 'yaw_p90 > 20 and language == \"de\"'.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Columns to show beside id and name: a,b,c")
    ] = None,
    sort: Annotated[
        str | None, typer.Option(help="Sort by a column; with - before it, greatest first.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Show the first so many.")] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
    json: JsonOption = False,
) -> None:
    """List the clips of a data set. In a pipe: whole ids and names, tabs between, no header."""
    output = Output("ls", json)
    if json and as_csv:
        raise UsageError("Expected --json or --csv, found both; take one away.")
    from talkingface_wild.dataset.catalogue import STATES, Query, catalogue

    flags = dict(zip(STATES, (kept, rejected, failed, pending), strict=True))
    states = STATES if every else tuple(state for state, is_set in flags.items() if is_set)
    query = Query(
        states or None,
        reason,
        tuple(language or ()),
        source,
        where,
        None if columns is None else tuple(name.strip() for name in columns.split(",")),
        sort,
        limit,
    )
    _show(output, catalogue(out, query), as_csv)


def _show(output: Output, listed: Catalogue, as_csv: bool) -> None:
    data = {
        "columns": listed.columns,
        "rows": listed.rows,
        "matching": listed.matching,
        "total": listed.total,
        "seconds": round(listed.seconds, 3),
    }
    output.result(data, human=lambda: _text(listed, as_csv))
    if sys.stdout.isatty() and not as_csv and not output.json:
        output.say(_summary(listed))


def _text(listed: Catalogue, as_csv: bool) -> str | None:
    if as_csv:
        return _csv(listed)
    if not listed.rows:
        return None
    if not sys.stdout.isatty():
        return "\n".join(
            "\t".join(_plain(row[name]) for name in listed.columns) for row in listed.rows
        )
    return aligned(listed, shutil.get_terminal_size().columns)


def _summary(listed: Catalogue) -> str:
    less = f", the first {len(listed.rows)} shown" if len(listed.rows) < listed.matching else ""
    length = f", {human_seconds(listed.seconds)}" if listed.seconds else ""
    return f"{listed.matching} of {listed.total}{length}{less}."


def _csv(listed: Catalogue) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(listed.columns)
    writer.writerows([_plain(row[name]) for name in listed.columns] for row in listed.rows)
    return text.getvalue().rstrip("\n")


def aligned(listed: Catalogue, width: int) -> str:
    """The rows under a header, names cut in the middle so that lines fit into ``width`` cells.

    Ids are never cut, but to what tells them. Columns that are empty everywhere are left out.
    """
    from rich.cells import cell_len

    rows = listed.rows
    names = [n for n in listed.columns if n == "name" or any(row[n] is not None for row in rows)]
    cells = {name: [_cell(name, row[name], listed.id_length) for row in rows] for name in names}
    widths = {name: max(map(cell_len, [name, *cells[name]])) for name in names}
    others = sum(widths.values()) - widths["name"] + len(_GAP) * (len(names) - 1)
    room = max(_LEAST_NAME, width - others)
    cells["name"] = [_shortened(text, room) for text in cells["name"]]
    widths["name"] = max(map(cell_len, ["name", *cells["name"]]))
    right = {name for name in names if _is_number(row[name] for row in rows)}
    lines = []
    for texts in zip(*([name, *cells[name]] for name in names), strict=True):
        padded = []
        for name, text in zip(names, texts, strict=True):
            blank = " " * (widths[name] - cell_len(text))
            padded.append(blank + text if name in right else text + blank)
        lines.append(_GAP.join(padded).rstrip())
    return "\n".join(lines)


def _is_number(values: Any) -> bool:
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
    from rich.cells import cell_len

    if cell_len(text) <= room:
        return text
    tail = text[text.rfind(" ") :] if " " in text else text[-4:]
    while tail and cell_len(tail) > room - 4:
        tail = tail[1:]
    head = text[: len(text) - len(tail)]
    while head and cell_len(head) + 1 + cell_len(tail) > room:
        head = head[:-1]
    return f"{head}…{tail}"
