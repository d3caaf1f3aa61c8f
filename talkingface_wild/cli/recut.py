"""``tfw recut``: other thresholds on what was measured, in seconds; what they would do; sweeps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import typer

from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, examples, table
from talkingface_wild.core.durations import human_hours
from talkingface_wild.jobs.recut import Blank, Recut, RecutRequest, sweep_of
from talkingface_wild.jobs.recut import recut as cut_anew

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from talkingface_wild.pipelines.sweep import Sweep

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "tfw recut demo_out --set gates.speech_ratio.at_least=0.85 --dry-run",
        "tfw recut demo_out --sweep clip_seconds --per-language",
        "tfw recut demo_out --sweep sharpness --from 5 --to 40 --steps 7",
        "tfw recut demo_out --set gates.length=5",
        "tfw recut demo_out --set gates.sharpness=off",
        "tfw recut demo_out --set gates.presence.zh=0.9",
    )
)
@options_of(RecutRequest)
def recut(request: RecutRequest, output: Output) -> None:
    """Write a new commit from stored measures under other gates; no video is opened.

    With --sweep, nothing is committed: a table, and a picture in figures/ of the data set.
    """
    if request.sweep is not None:
        _sweep(output, request)
    else:
        _recut(output, request)


def _recut(output: Output, request: RecutRequest) -> None:
    cut = cut_anew(request)
    for blank in cut.without_value:
        output.say(_without_value(blank))
    if cut.pending:
        finish = f"finish with `tfw curate --out {request.out}`"
        output.say(
            f"Pending: {cut.pending} (sources or clips that came in and have work still to come); "
            f"{'once it is cut so, ' if cut.dry_run else ''}{finish}."
        )
    data = dataclasses.asdict(cut) | {"commit": cut.commit.number, "new": cut.commit.new}
    output.result(data, lambda: _changes(cut))
    if cut.commit.new:
        output.say(f"Undo with `tfw commits {request.out} restore {cut.before}`.")


def _without_value(blank: Blank) -> str:
    clips = "1 clip has" if blank.clips == 1 else f"{blank.clips} clips have"
    if blank.kept:
        return f"{clips} no value of {blank.column}: kept, as gates.{blank.gate}.missing=pass says."
    return (
        f"{clips} no value of {blank.column}: rejected as unmeasured; "
        f"keep such clips with `--set gates.{blank.gate}.missing=pass`."
    )


def _changes(cut: Recut) -> Table:
    title = f"Commit {cut.commit.number}" + ("" if cut.commit.new else " (nothing changed)")
    if cut.dry_run:
        title = f"What would change since commit {cut.before} (dry run: nothing was written)"
    numbers = ("clips before", "won", "lost", "clips after", "time before", "time after")
    rows = [
        (
            change.language,
            change.clips_before,
            f"+{change.won}",
            f"-{change.lost}",
            change.clips_after,
            human_hours(change.hours_before),
            human_hours(change.hours_after),
        )
        for change in cut.languages
    ]
    return table(title, ("language", *numbers), rows, right=numbers)


def _sweep(output: Output, request: RecutRequest) -> None:
    swept, picture = sweep_of(request, output)
    data = dataclasses.asdict(swept) | {"column": swept.column.name, "unit": swept.column.unit}
    data |= {"bounds_of_languages": data.pop("per_language"), "picture": picture}
    output.result(data, lambda: _points(swept, request.per_language))
    for language, bound in swept.per_language.items():
        output.say(f"{language} keeps its own bound, {bound:g}.")
    if picture is not None:
        output.say(f"picture: {picture}")
    example = swept.points[len(swept.points) // 2].bound
    output.say(
        f"Cut at a bound with `tfw recut {request.out} "
        f"{''.join(f'--set {setting} ' for setting in request.settings)}"
        f"--set gates.{request.sweep}.{swept.word}={example:g}`."
    )


def _points(swept: Sweep, per_language: bool) -> Group:
    from rich import box
    from rich.console import Group
    from rich.text import Text

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
