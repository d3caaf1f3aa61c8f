"""``tfw reasons``: why items are rejected or fail, what gives each reason, and what helps."""

from typing import Annotated

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output, shown_width
from talkingface_wild.jobs.request import ReasonsRequest

app = typer.Typer(add_completion=False)


@command(app, ReasonsRequest)
def reasons(
    request: ReasonsRequest,
    output: Output,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
) -> None:
    """Print the closed list of reasons: meaning, the stage or gate that gives it, the remedy."""
    from talkingface_wild.jobs.reasons import reasons as rows_of
    from talkingface_wild.pages.terminal import reasons as pages

    rows = rows_of(request)
    one = pages.described(rows[0]) if request.name is not None else None
    page = pages.markdown(rows) if markdown else one
    data = [pages.reason_data(row) for row in rows]
    output.result(data, lambda: page or pages.reasons_page(rows, shown_width()))
