"""What ``tfw recut --sweep`` shows: a row per bound, and where the picture is."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.cli.output import Output
from talkingface_wild.core.durations import human_hours

if TYPE_CHECKING:
    from rich.console import Group

    from talkingface_wild.pipelines.sweep import Point, Range, Sweep


def show_sweep(
    output: Output,
    out: Path,
    name: str,
    settings: Sequence[str],
    bounds: Range,
    at_least: bool,
    per_language: bool,
    dry_run: bool,
) -> None:
    """Sweep, draw (unless ``dry_run``) and show."""
    from talkingface_wild.pages.sweep_figure import write_figure
    from talkingface_wild.pipelines.sweep import sweep

    swept = sweep(out, name, settings, at_least, bounds)
    picture = None
    if not dry_run:
        try:
            picture = write_figure(out, swept)
        except OSError as error:
            output.warn(f"The picture could not be written in {out}: {error.strerror}.")
    output.result(_data(swept, picture), human=lambda: _page(swept, per_language))
    for language, bound in swept.per_language.items():
        output.say(f"{language} keeps its own bound, {bound:g}.")
    if picture is not None:
        output.say(f"picture: {picture}")
    example = swept.points[len(swept.points) // 2].bound
    output.say(
        f"Cut at a bound with `tfw recut {out} "
        f"{''.join(f'--set {setting} ' for setting in settings)}"
        f"--set gates.{name}.{swept.word}={example:g}`."
    )


def _data(swept: Sweep, picture: Path | None) -> dict[str, Any]:
    return {
        "commit": swept.commit,
        "gate": swept.gate,
        "column": swept.column.name,
        "unit": swept.column.unit,
        "word": swept.word,
        "now": swept.now,
        "bounds_of_languages": swept.per_language,
        "points": [dataclasses.asdict(point) for point in swept.points],
        "picture": picture,
    }


def _page(swept: Sweep, per_language: bool) -> Group:
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    unit = f" {swept.column.unit}" if swept.column.unit else ""
    mark = ", > is the bound now" if any(point.current for point in swept.points) else ""
    title = (
        f"{swept.column.name} {swept.word.replace('_', ' ')} …{unit} (commit {swept.commit}{mark})"
    )
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    pending = any(point.pending.clips for point in swept.points)
    languages = sorted({language for point in swept.points for language in point.languages})
    for name in ["bound", "clips", "time", *(["pending"] if pending else [])]:
        table.add_column(name, justify="right", no_wrap=True)
    if per_language:
        for language in languages:
            table.add_column(language, justify="right")
    for point in swept.points:
        cells = [_bound(point), str(point.kept.clips), human_hours(point.kept.hours)]
        if pending:
            cells.append(str(point.pending.clips))
        if per_language:
            amounts = [point.languages.get(language) for language in languages]
            cells += ["0" if amount is None else str(amount.clips) for amount in amounts]
        table.add_row(*cells, style="bold" if point.current else None)
    return Group(Text(title), table)


def _bound(point: Point) -> str:
    return f"{'> ' if point.current else ''}{point.bound:g}"
