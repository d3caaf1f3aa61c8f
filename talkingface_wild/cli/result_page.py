"""What a person sees at the end of a run: the funnel, the languages, and where things are."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from talkingface_wild.core.durations import human_hours

_COUNTS = ("entered", "kept", "rejected", "failed", "pending")
_GREY = "bright_black"


def result_page(data: Mapping[str, Any]) -> Group:
    """The page of a finished run's ``--json`` data."""
    compact = data["null_columns"]
    lines = [
        f"{data['clips_kept']} clips kept, {human_hours(data['hours_kept'])}, "
        f"commit {data['commit']}" + ("" if data["new_commit"] else " (nothing new)"),
        f"tables  {data['dataset']}/{{clips,sources,ledger}}"
        + (f" ({len(compact)} null columns left out, see manifest.json)" if compact else ""),
        f"media   {data['media']}",
        f"next    tfw report {data['out']}",
    ]
    return Group(_funnel(data["funnel"]), _languages(data["languages"]), *map(Text, lines))


def _funnel(steps: list[dict[str, Any]]) -> Table:
    table = Table(title="Funnel", title_justify="left")
    for name in ("stage", "of", *_COUNTS, "time kept", "reasons"):
        left = name in ("stage", "of", "reasons")
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for step in steps:
        counts = {name: str(step[name]) for name in _COUNTS}
        time = "" if step["hours_kept"] is None else human_hours(step["hours_kept"])
        reasons = ", ".join(f"{reason} {count}" for reason, count in step["reasons"].items())
        if not step["measured"]:
            # What went through unmeasured was not kept by any judgement: no number stands there.
            counts["kept"] = time = "–"
            reasons = f"not measured ({step['unmeasured']})" + (f"; {reasons}" if reasons else "")
        style = None if step["measured"] else _GREY
        table.add_row(step["stage"], step["level"], *counts.values(), time, reasons, style=style)
    return table


def _languages(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="Languages", title_justify="left")
    for name in ("language", "sources", "clips cut", "clips kept", "time kept"):
        table.add_column(name, justify="left" if name == "language" else "right")
    for row in rows:
        counts = [str(row[name]) for name in ("sources", "clips_cut", "clips_kept")]
        table.add_row(row["language"], *counts, human_hours(row["hours_kept"]))
    return table
