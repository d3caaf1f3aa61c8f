"""What a person sees of a run of curation: its plan; at its end the funnel and the languages."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from talkingface_wild.core.counting import counted, human_bytes
from talkingface_wild.core.durations import clock, human_hours
from talkingface_wild.pages.terminal.rich_table import table

_COUNTS = ("entered", "kept", "rejected", "failed", "pending")


def plan_page(plan: Mapping[str, Any]) -> Group:
    """The page of ``--plan``."""
    numbers = ("done", "to do", "about")
    stages = table(
        f"Plan of recipe {plan['recipe']}",
        ("stage", "weights", *numbers, "gates"),
        map(_stage_cells, plan["stages"]),
        right=numbers,
        fold=True,
    )
    return Group(stages, *map(Text, [*_plan_lines(plan), *plan["notes"]]))


def _stage_cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    lacking = [f"{name} MISSING ({row['policy']})" for name in row["weights_missing"]]
    names = [*row["weights_present"], *lacking]
    planned = row["runs"] or row["policy"] == "required"
    needs = f"\nneeds {'weights' if lacking else 'a package'}" * (not row["runs"])
    return (
        row["stage"],
        "\n".join(names) or "–",
        str(row["done"]) if planned else "–",
        f"{'~' * row['approximate']}{row['to_do']}{needs}" if planned else "not measured",
        clock(row["seconds_estimated"]) if row["to_do"] else "–",
        "\n".join(row["gates"]),
    )


def _plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """What the whole run of ``plan_run``'s data takes up, in sentences."""
    disk = plan["disk_bytes"]
    at_once = f"{plan['workers']:.2g}".rstrip("0").rstrip(".")
    lines = [_sources_line(plan)]
    whose = "What is known so far" if plan["searches_unexpanded"] else "The run"
    if plan["seconds_estimated"]:
        lines += [
            f"{whose} will take about {clock(plan['seconds_estimated'])}, "
            f"{at_once} items at a time (stages: seconds of one worker).",
            f"Disk: about {human_bytes(disk['media'])} of finished media, "
            f"{human_bytes(disk['tables'])} of tables, at most {human_bytes(disk['cache'])} "
            "of cache while it works.",
        ]
    elif plan["searches_unexpanded"]:
        lines.append("What there is to do is known after the searches.")
    elif plan["sources"]:
        lines.append("Nothing is left to do.")
    return lines


def _sources_line(plan: Mapping[str, Any]) -> str:
    """How many sources there are, how many of them are new, how much video they hold."""
    count, new, links = plan["sources"], plan["sources_new"], plan["links_of_unknown_length"]
    parts = [counted(count, "source")]
    if count == 1:
        parts.append("new" if new else "not new")
    elif count:
        parts.append(f"{new or 'none'} of them new")
    if plan["video_seconds"] or not links:
        parts += [f"{clock(plan['video_seconds'])} of video"] * bool(count)
    if links and plan["seconds_estimated"]:
        assumed = clock(plan["seconds_assumed_per_link"])
        each = " each" * (links > 1)
        parts.append(f"{counted(links, 'link')} of unknown length taken as {assumed}{each}")
    return ", ".join(parts) + "."


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
    counts = ("sources", "clips cut", "clips kept", "time kept")
    names = ("language", "sources", "clips_cut", "clips_kept")
    rows = [
        (*(row[name] for name in names), human_hours(row["hours_kept"]))
        for row in data["languages"]
    ]
    languages = table("Languages", ("language", *counts), rows, right=counts)
    return Group(_funnel(data["funnel"]), languages, *map(Text, lines))


def _funnel(steps: list[dict[str, Any]]) -> Table:
    return table(
        "Funnel",
        ("stage", "of", *_COUNTS, "time kept", "reasons"),
        map(_step_cells, steps),
        right=(*_COUNTS, "time kept"),
        fold=True,
        styles=[None if step["measured"] else "bright_black" for step in steps],
    )


def _step_cells(step: dict[str, Any]) -> tuple[Any, ...]:
    counts = {name: step[name] for name in _COUNTS}
    time = "" if step["hours_kept"] is None else human_hours(step["hours_kept"])
    reasons = ", ".join(f"{reason} {count}" for reason, count in step["reasons"].items())
    if not step["measured"]:
        # What went through unmeasured was not kept by any judgement: no number stands there.
        counts["kept"] = time = "–"
        reasons = f"not measured ({step['unmeasured']})" + (f"; {reasons}" if reasons else "")
    return (step["stage"], step["level"], *counts.values(), time, reasons)
