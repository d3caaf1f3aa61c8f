"""``tfw reasons``: why items are rejected or fail, what gives each reason, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, examples, shown_width, table
from talkingface_wild.jobs import reasons as job
from talkingface_wild.jobs.reasons import ReasonsRequest

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from talkingface_wild.pipelines.schema import GivenReason

app = typer.Typer(add_completion=False)
_NARROWEST_TABLE = 60
"""Columns below which four columns hold no words: a list stands there instead."""


@app.command(
    epilog=examples("tfw reasons", "tfw reasons no_face", "tfw reasons --recipe embedded --json")
)
@options_of(ReasonsRequest)
def reasons(
    request: ReasonsRequest,
    output: Output,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
) -> None:
    """Print the closed list of reasons: meaning, the stage or gate that gives it, the remedy."""
    rows = job.reasons(request)
    one = job.described(rows[0]) if request.name is not None else None
    page = job.markdown(rows) if markdown else one
    output.result([_data(row) for row in rows], lambda: page or _page(rows))


def _data(row: GivenReason) -> dict[str, Any]:
    return {
        "name": row.reason.name,
        "group": row.reason.group,
        "meaning": row.reason.meaning,
        "stages": row.reason.stages,
        "gates": [{"gate": gate, "stage": stage, "keeps": rule} for gate, stage, rule in row.gates],
        "remedy": row.remedy,
    }


def _page(rows: list[GivenReason]) -> Group | str:
    from rich.console import Group

    if shown_width() < _NARROWEST_TABLE:
        return job.listed(rows, shown_width())
    return Group(*(_table(f"{group}. {words}", own) for group, words, own in job.grouped(rows)))


def _table(title: str, rows: list[GivenReason]) -> Table:
    cells = [
        (row.reason.name, row.reason.meaning, "\n".join(job.sources_of(row)), row.remedy)
        for row in rows
    ]
    headings = ("reason", "meaning", "given by", "what helps")
    return table(title, headings, cells, fold=True, unwrapped=headings[:1])
