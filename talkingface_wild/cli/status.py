"""``tfw status``: how far a data set is, who works on it, and what is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.durations import human_hours

if TYPE_CHECKING:
    from rich.console import Group

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("tfw status demo_out", "tfw status demo_out --json"))
def status(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")], json: JsonOption = False
) -> None:
    """Say how far a run is, and what is left; ``cut`` counts what was cut into clips."""
    output = Output("status", json)
    from talkingface_wild.jobs.status import status_of

    data = status_of(out)
    output.result(data, human=lambda: page(data))


def page(data: dict[str, Any]) -> Group:
    """What a person sees of ``--json``'s data; a row per state, so that it fits 40 columns."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(title=f"{data['out']} — recipe {data['recipe']}", title_justify="left")
    levels = ("source", "clip")
    for name in ("", *(f"{level}s" for level in levels)):
        table.add_column(name, justify="right" if name else "left")
    for state in ("kept", "rejected", "failed", "pending", "split"):
        counts = [str(data["items"][level].get(state, 0)) for level in levels]
        table.add_row("cut" if state == "split" else state, *counts)
    commit = "none yet"
    if data["commit"]:
        commit = (
            f"{data['commit']}: {data['rows']['clips']} clips, {human_hours(data['hours_kept'])}"
        )
    lines = [Text(f"commit {commit}; {data['results']} results in the journal")]
    lines += [
        Text(f"{stage}: not measured ({why})", style="bright_black")
        for stage, why in data["unmeasured"].items()
    ]
    if data["held_by"]:
        holder = data["held_by"]
        lines.append(
            Text(
                f"process {holder['process']} on {holder['host']} works on it "
                f"since {holder['since']}"
            )
        )
    if data["left"]:
        left = ", ".join(f"{stage} {count}" for stage, count in data["left"].items())
        lines += [Text(f"left to do: {left}"), Text(f"go on with: tfw curate --out {data['out']}")]
    return Group(table, *lines)
