"""A table as Markdown and as plain data; every name is escaped. Computes nothing."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

from talkingface_wild.benchmark.tables.score_columns import ARROWS, written
from talkingface_wild.benchmark.tables.table import Cell, RowBlock, ScoreColumn, Table

UNOFFICIAL = "UNOFFICIAL WEIGHTS"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]|#~$!])")


def one_line(text: str) -> str:
    """Text without control characters, line breaks and marks that turn the writing direction."""
    return _CONTROL.sub(" ", text).strip()


def markdown(table: Table) -> str:
    """GitHub's Markdown: a heading, one table, and the footer as a list; ends with a newline.

    The best is bold, the second underlined (``<u>``).
    """
    heads = ["Method", *(_head(column) for column in table.columns)]
    lines = [f"### {escaped(table.title)}", "", _line(heads)]
    lines.append(_line(["---", *("---:" for _ in table.columns)]))
    for block in table.blocks:
        if len(table.blocks) > 1:
            lines.append(_line([f"*{escaped(block.title)}*", *("" for _ in table.columns)]))
        for row in block.rows:
            cells = [_cell(row.cells.get(column.metric), column) for column in table.columns]
            lines.append(_line([escaped(row.name), *cells]))
    return "\n".join([*lines, "", *(f"- {_footer(line)}" for line in table.footer), ""])


def escaped(text: str) -> str:
    """Text whose Markdown and HTML mean nothing: a backslash or an entity before each sign."""
    entities = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKDOWN.sub(r"\\\1", entities)


def heading(column: ScoreColumn) -> str:
    """Title, arrow, and the count where all cells share it: ``FID ↓ (n = 100 clips)``."""
    arrow = ARROWS[column.better]
    title = f"{column.title} {arrow}".strip()
    return title if column.n is None else f"{title} (n = {column.n:,} {column.unit}".rstrip() + ")"


def around(cell: Cell, column: ScoreColumn) -> list[str]:
    """What stands behind the value: marks, interval, deviation between seeds, count, weights."""
    parts = [cell.marks] if cell.marks else []
    if cell.value is None or cell.printed:
        return parts
    if cell.low is not None and cell.high is not None:
        low, high = written(cell.low, column.metric), written(cell.high, column.metric)
        parts.append(f"[{low}, {high}]")
    if cell.deviation is not None:
        parts.append(f"± {written(cell.deviation, column.metric)}")
    if column.n is None:
        parts.append(f"n = {cell.n:,} {cell.unit}".rstrip())
    return [*parts, UNOFFICIAL] if cell.unofficial else parts


def value_text(cell: Cell, column: ScoreColumn) -> str:
    """The value as printed, or written with the column's decimals; an em dash for none."""
    return cell.printed or written(cell.value, column.metric)


def plain(tables: Sequence[Table]) -> dict[str, Any]:
    """The first table as ``rows``, ``columns`` and ``footer``; further ones under ``reported``."""
    first, *others = [_plain_table(table) for table in tables]
    return {**first, "reported": others}


def _plain_table(table: Table) -> dict[str, Any]:
    columns = [
        {
            "metric": column.metric,
            "title": column.title,
            "better": column.better,
            "n": column.n,
            "unit": column.unit,
        }
        for column in table.columns
    ]
    return {
        "title": table.title,
        "columns": columns,
        "rows": [row for block in table.blocks for row in _plain_rows(block)],
        "footer": list(table.footer),
        "unofficial": list(table.unofficial),
    }


def _plain_rows(block: RowBlock) -> list[dict[str, Any]]:
    return [
        {
            "name": row.name,
            "model": row.model,
            "block": block.title,
            "ranked": block.ranked,
            "failures": row.failures,
            "cells": {metric: dataclasses.asdict(cell) for metric, cell in row.cells.items()},
        }
        for row in block.rows
    ]


def _head(column: ScoreColumn) -> str:
    return escaped(heading(column))


def _cell(cell: Cell | None, column: ScoreColumn) -> str:
    if cell is None:
        return ""
    value = escaped(value_text(cell, column))
    if cell.best:
        value = f"**{value}**"
    elif cell.second:
        value = f"<u>{value}</u>"
    return " ".join([value, *map(escaped, around(cell, column))])


def _footer(line: str) -> str:
    """A line of the footer; the signature as code, so that it can be copied as it is."""
    what, colon, text = line.partition(": ")
    if what == "Signature" and colon:
        code = one_line(text).replace("`", "'")
        return f"Signature: `{code}`"
    return escaped(line)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
