"""``tfw recut``: other thresholds on what was measured, in seconds."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.durations import human_hours

if TYPE_CHECKING:
    from rich.table import Table

    from talkingface_wild.pipelines.recutting import Change

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "tfw recut demo_out --set gates.length=5",
        "tfw recut demo_out --set gates.sharpness=off",
        "tfw recut demo_out --set gates.presence.zh=0.9",
    )
)
def recut(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="gates.NAME=BOUND, gates.NAME.LANGUAGE=BOUND, gates.NAME=off"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write a new commit from stored measures under other gates; no video is opened."""
    output = Output("recut", json)
    from talkingface_wild.pipelines.recutting import recut as cut_anew

    made = cut_anew(out, settings or [])
    if made.pending:
        output.say(
            f"Pending: {made.pending} (sources or clips that came in and have work still to come); "
            f"finish with `tfw curate --out {out}`."
        )
    data = {
        "commit": made.commit.number,
        "new": made.commit.new,
        "pending": made.pending,
        "languages": [dataclasses.asdict(change) for change in made.changes],
    }
    output.result(data, human=lambda: _table(made.changes, made.commit.number, made.commit.new))


def _table(changes: list[Change], number: int, new: bool) -> Table:
    from rich.table import Table

    title = f"Commit {number}" + ("" if new else " (nothing changed)")
    table = Table(title=title, title_justify="left")
    for name in (
        "language",
        "clips before",
        "won",
        "lost",
        "clips after",
        "time before",
        "time after",
    ):
        table.add_column(name, justify="left" if name == "language" else "right")
    for change in changes:
        table.add_row(
            change.language,
            str(change.clips_before),
            f"+{change.won}",
            f"-{change.lost}",
            str(change.clips_after),
            human_hours(change.hours_before),
            human_hours(change.hours_after),
        )
    return table
