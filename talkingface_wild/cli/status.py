"""``tfw status``: how far a data set is, who works on it, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples

if TYPE_CHECKING:
    from rich.console import Group

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("tfw status demo_out", "tfw status demo_out --json"))
def status(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")],
    json: JsonOption = False,
) -> None:
    """Say how far a run is, and what is left."""
    output = Output("status", json)
    from talkingface_wild.pipelines.standing import standing

    data = standing(out)
    output.result(data, human=lambda: _page(data))


def _page(data: dict[str, Any]) -> Group:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{data['out']} — recipe {data['recipe']}", title_justify="left")
    for name in ("", "kept", "rejected", "failed", "pending", "split"):
        table.add_column(name, justify="right" if name else "left")
    for level in ("source", "clip"):
        counts = data["items"][level]
        table.add_row(
            level + "s",
            *(str(counts.get(n, 0)) for n in ("kept", "rejected", "failed", "pending", "split")),
        )
    lines = [f"commit {data['commit'] or 'none yet'}; {data['results']} results in the journal"]
    if data["held_by"]:
        holder = data["held_by"]
        lines.append(
            f"process {holder['process']} on {holder['host']} works on it since {holder['since']}"
        )
    if data["left"]:
        lines.append(
            "left to do: " + ", ".join(f"{stage} {count}" for stage, count in data["left"].items())
        )
        lines.append(f"go on with: tfw curate --out {data['out']}")
    return Group(table, *(Text(line) for line in lines))
