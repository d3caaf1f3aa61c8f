"""``tfw report``: one HTML page on a data set."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.durations import human_hours

if TYPE_CHECKING:
    from talkingface_wild.pages.data_report import Report

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples("tfw report demo_out", "tfw report demo_out --output report.html --json")
)
def report(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")],
    output_file: Annotated[
        Path | None, typer.Option("--output", help="The page; OUT/report.html without it.")
    ] = None,
    pictures: Annotated[
        int, typer.Option("--pictures", min=0, help="Most stills of borderline clips.")
    ] = 60,
    json: JsonOption = False,
) -> None:
    """Write one HTML page that needs nothing else: funnel, gates, languages, cost.

    The page holds small pictures of people; share it as you would share the clips.
    """
    output = Output("report", json)
    from talkingface_wild.pages.report_page import write_report

    made = write_report(out, output_file, pictures)
    path = output_file or out / "report.html"
    for warning in made.warnings:
        output.warn(warning)
    size = path.stat().st_size
    data = _data(made) | {"output": path, "bytes": size}
    what = f"{made.clips} clips, {human_hours(made.hours)}, commit {made.recorded.number}"
    output.result(data, f"{path} ({human_bytes(size)}): {what}")


def _data(made: Report) -> dict[str, Any]:
    examples_shown = [example for view in made.gates for example in view.examples]
    return {
        "commit": made.recorded.number,
        "name": made.recorded.name,
        "written": made.recorded.written,
        "recipe": made.recorded.recipe,
        "clips": made.clips,
        "hours": made.hours,
        "mean_seconds": made.mean_seconds,
        "identities": made.identities,
        "duplicates": made.duplicates,
        "languages": [dataclasses.asdict(row) for row in made.languages],
        "funnel": {
            level: [dataclasses.asdict(step) for step in steps]
            for level, steps in made.funnels.items()
        },
        "costs": [dataclasses.asdict(cost) for cost in made.costs],
        "failures": len(made.failures),
        "unmeasured": dict(made.recorded.unmeasured),
        "pictures": sum(example.picture is not None for example in examples_shown),
        "pictures_missing": sum(example.picture is None for example in examples_shown),
    }
