"""``tfw status``: how far a data set is, who works on it, and what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, examples, table
from talkingface_wild.core.durations import human_hours
from talkingface_wild.jobs.status import StatusRequest
from talkingface_wild.jobs.status import status as status_of

if TYPE_CHECKING:
    from rich.console import Group

app = typer.Typer(add_completion=False)
_LEVELS = ("source", "clip")


@app.command(epilog=examples("tfw status demo_out", "tfw status demo_out --json"))
@options_of(StatusRequest)
def status(request: StatusRequest, output: Output) -> None:
    """Say how far a run is, and what is left; ``cut`` counts what was cut into clips."""
    data = status_of(request)
    output.result(data, lambda: page(data))


def page(data: dict[str, Any]) -> Group:
    """What a person sees of ``--json``'s data; a row per state, so that it fits 40 columns."""
    from rich.console import Group
    from rich.text import Text

    states = ("kept", "rejected", "failed", "pending", "split")
    counts = table(
        f"{data['out']} — recipe {data['recipe']}",
        ("", *(f"{level}s" for level in _LEVELS)),
        [
            ["cut" if s == "split" else s, *(data["items"][level].get(s, 0) for level in _LEVELS)]
            for s in states
        ],
        right=("sources", "clips"),
    )
    commit = "none yet"
    if data["commit"]:
        hours = human_hours(data["hours_kept"])
        commit = f"{data['commit']}: {data['rows']['clips']} clips, {hours}"
    lines = [f"commit {commit}; {data['results']} results in the journal"]
    grey = [f"{stage}: not measured ({why})" for stage, why in data["unmeasured"].items()]
    if holder := data["held_by"]:
        lines.append(
            f"process {holder['process']} on {holder['host']} works on it since {holder['since']}"
        )
    if data["left"]:
        left = ", ".join(f"{stage} {count}" for stage, count in data["left"].items())
        lines += [f"left to do: {left}", f"go on with: tfw curate --out {data['out']}"]
    texts = [*map(Text, lines[:1]), *(Text(line, style="bright_black") for line in grey)]
    return Group(counts, *texts, *map(Text, lines[1:]))
