"""What a recut changes, and what a sweep of a bound shows."""

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from talkingface_wild.core.durations import human_hours
from talkingface_wild.pages.terminal.rich_table import table
from talkingface_wild.pipelines.sweep import Sweep


def changes_table(data: Mapping[str, Any]) -> Table:
    """Clips and hours of each language before and after, of a recut's ``--json`` data."""
    title = f"Commit {data['commit']}" + ("" if data["new"] else " (nothing changed)")
    if data["dry_run"]:
        title = f"What would change since commit {data['before']} (dry run: nothing was written)"
    numbers = ("clips before", "won", "lost", "clips after", "time before", "time after")
    rows = [
        (
            row["language"],
            row["clips_before"],
            f"+{row['won']}",
            f"-{row['lost']}",
            row["clips_after"],
            human_hours(row["hours_before"]),
            human_hours(row["hours_after"]),
        )
        for row in data["languages"]
    ]
    return table(title, ("language", *numbers), rows, right=numbers)


def sweep_page(swept: Sweep, per_language: bool) -> Group:
    """A row per bound, the one in use marked; a column per language where asked for."""
    points = swept.points
    unit = f" {swept.column.unit}" if swept.column.unit else ""
    mark = ", > is the bound now" if any(point.current for point in points) else ""
    title = (
        f"{swept.column.name} {swept.word.replace('_', ' ')} …{unit} (commit {swept.commit}{mark})"
    )
    pending = any(point.pending.clips for point in points)
    languages = sorted({tag for point in points for tag in point.languages}) * per_language
    rows = []
    for point in points:
        bound = f"{'> ' if point.current else ''}{point.bound:g}"
        amounts = [point.languages.get(language) for language in languages]
        rows.append(
            [
                bound,
                point.kept.clips,
                human_hours(point.kept.hours),
                *[point.pending.clips] * pending,
                *("0" if amount is None else amount.clips for amount in amounts),
            ]
        )
    main = ["bound", "clips", "time", *["pending"] * pending]
    drawn = table(
        None,
        [*main, *languages],
        rows,
        right=[*main, *languages],
        unwrapped=main,
        styles=["bold" if point.current else None for point in points],
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    return Group(Text(title), drawn)
