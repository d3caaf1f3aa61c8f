"""``tfw schema``: every column of the data set's tables, from the declarations that make them."""

from typing import Annotated

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.request import SchemaRequest
from talkingface_wild.pages.terminal.rich_table import table

app = typer.Typer(add_completion=False)


@command(app, SchemaRequest)
def schema(
    request: SchemaRequest,
    output: Output,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Print the columns of a table: name, type, unit, range, meaning, and the stage behind it."""
    from talkingface_wild.jobs import schema as job

    rows = job.schema(request)
    page = job.markdown(rows) if markdown else None
    lines = (job.cells(column, stage) for column, stage in rows)
    output.result(job.data_of(rows), lambda: page or table(None, job.HEADINGS, lines, fold=True))
