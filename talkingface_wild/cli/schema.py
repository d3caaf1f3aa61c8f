"""``tfw schema``: every column of the data set's tables, from the declarations that make them."""

import dataclasses
from typing import Annotated

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.schema import HEADINGS, SchemaRequest, cells
from talkingface_wild.jobs.schema import markdown as markdown_table
from talkingface_wild.jobs.schema import schema as columns_of
from talkingface_wild.pages.terminal.rich_table import table

app = typer.Typer(add_completion=False)


@command(app, SchemaRequest)
def schema(
    request: SchemaRequest,
    output: Output,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Print the columns of a table: name, type, unit, range, meaning, and the stage behind it."""
    rows = columns_of(request)
    data = []
    for column, stage in rows:
        data.append(dataclasses.asdict(column) | {"stage": stage})
        del data[-1]["locates"]
        if "float" not in column.type:
            data[-1]["decimals"] = None
    page = markdown_table(rows) if markdown else None
    lines = (cells(column, stage) for column, stage in rows)
    output.result(data, lambda: page or table(None, HEADINGS, lines, fold=True))
