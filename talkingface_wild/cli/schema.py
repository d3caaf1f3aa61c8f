"""``tfw schema``: every column of the data set's tables, from the declarations that make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

if TYPE_CHECKING:
    from rich.table import Table

    from talkingface_wild.core.columns import Column

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "tfw schema",
        "tfw schema --table ledger",
        "tfw schema --table items",
        "tfw schema --markdown",
    )
)
def schema(
    table: Annotated[str, typer.Option(help="clips, tracks, sources, ledger or items")] = "clips",
    recipe: Annotated[
        str, typer.Option(help="The recipe whose stages are meant.")
    ] = "talkingface_wild",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
    json: JsonOption = False,
) -> None:
    """Print the columns of a table: name, type, unit, range, meaning, and the stage behind it."""
    output = Output("schema", json)
    from talkingface_wild.pipelines.schema import described_columns

    rows = described_columns(table, recipe)
    data = [
        {
            "name": column.name,
            "type": column.type,
            "unit": column.unit,
            "low": column.low,
            "high": column.high,
            "decimals": column.decimals if "float" in column.type else None,
            "meaning": column.meaning,
            "stage": stage,
        }
        for column, stage in rows
    ]
    output.result(data, human=lambda: _markdown(rows) if markdown else _table(rows))


def _range(column: Column) -> str:
    if column.low is None and column.high is None:
        return ""
    low = "" if column.low is None else f"{column.low:g}"
    high = "" if column.high is None else f"{column.high:g}"
    return f"{low}…{high}"


def _markdown(rows: list[tuple[Column, str]]) -> str:
    lines = ["| column | type | unit | range | stage | meaning |", "|---|---|---|---|---|---|"]
    for column, stage in rows:
        meaning = column.meaning.replace("|", "\\|")
        lines.append(
            f"| `{column.name}` | {column.type} | {column.unit} | {_range(column)} "
            f"| {stage} | {meaning} |"
        )
    return "\n".join(lines)


def _table(rows: list[tuple[Column, str]]) -> Table:
    from rich.table import Table

    table = Table()
    for name in ("column", "type", "unit", "range", "stage", "meaning"):
        table.add_column(name, overflow="fold")
    for column, stage in rows:
        table.add_row(column.name, column.type, column.unit, _range(column), stage, column.meaning)
    return table
