"""How far a data set is, who works on it, and what is left."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.text import Text

from talkingface_wild.core.durations import human_hours
from talkingface_wild.pages.terminal.rich_table import table

_LEVELS = ("source", "clip")


def status_page(data: Mapping[str, Any]) -> Group:
    """What a person sees of ``--json``'s data; a row per state, so that it fits 40 columns."""
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
