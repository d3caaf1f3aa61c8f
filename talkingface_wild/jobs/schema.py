"""The columns of a data set's tables, from the declarations that make them."""

import dataclasses
from typing import Any

from talkingface_wild.core.columns import Column
from talkingface_wild.jobs.request import SchemaRequest
from talkingface_wild.pipelines.schema import described_columns

HEADINGS = ("column", "type", "unit", "range", "stage", "meaning")


def schema(request: SchemaRequest) -> list[tuple[Column, str]]:
    """Each column with the stage behind it. Raises UsageError for an unknown table or recipe."""
    return described_columns(request.table, request.recipe)


def cells(column: Column, stage: str) -> tuple[str, ...]:
    """What stands under ``HEADINGS``."""
    low, high = ("" if end is None else f"{end:g}" for end in (column.low, column.high))
    span = f"{low}…{high}" if low or high else ""
    return (column.name, column.type, column.unit, span, stage, column.meaning)


def markdown(rows: list[tuple[Column, str]]) -> str:
    """A Markdown table of ``schema``'s rows."""
    lines = [f"| {' | '.join(HEADINGS)} |", "|---" * len(HEADINGS) + "|"]
    for column, stage in rows:
        name, *others, meaning = cells(column, stage)
        lines.append(" | ".join([f"| `{name}`", *others, meaning.replace("|", "\\|")]) + " |")
    return "\n".join(lines)


def data_of(rows: list[tuple[Column, str]]) -> list[dict[str, Any]]:
    """The columns as plain data."""
    data = []
    for column, stage in rows:
        data.append(dataclasses.asdict(column) | {"stage": stage})
        del data[-1]["locates"]
        if "float" not in column.type:
            data[-1]["decimals"] = None
    return data
