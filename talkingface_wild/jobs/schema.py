"""The columns of a data set's tables, from the declarations that make them."""

from typing import ClassVar

from talkingface_wild.core.columns import Column
from talkingface_wild.core.request import Request
from talkingface_wild.pipelines.schema import described_columns

HEADINGS = ("column", "type", "unit", "range", "stage", "meaning")


class SchemaRequest(Request):
    """Which table's columns are shown."""

    EXAMPLES: ClassVar = (
        "tfw schema",
        "tfw schema --table ledger",
        "tfw schema --table items",
        "tfw schema --markdown",
    )

    table: str = "clips"
    """clips, tracks, sources, ledger or items"""
    recipe: str = "talkingface_wild"
    """The recipe whose stages are meant."""


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
