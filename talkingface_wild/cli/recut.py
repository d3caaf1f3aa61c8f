"""``tfw recut``: other thresholds on what was measured, in seconds; what they would do; sweeps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.durations import human_hours
from talkingface_wild.core.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from talkingface_wild.jobs.recut import Blank, Recut

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
def recut(
    out: Annotated[Path, typer.Argument(help="The data set's folder.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="gates.NAME=BOUND, gates.NAME.LANGUAGE=BOUND, gates.NAME=off; NAME is a gate or, "
            "as in gates.yaw_p90.at_most=20, any measured column (at_least, at_most, above, below, "
            "equals)",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and write nothing.")
    ] = False,
    sweep: Annotated[
        str | None,
        typer.Option(help="Show what is kept as the bound of this gate or column moves."),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="About so many steps of a sweep; default: 12.")
    ] = None,
    least: Annotated[
        float | None, typer.Option("--from", help="First bound; default: about the 1st percentile.")
    ] = None,
    most: Annotated[
        float | None, typer.Option("--to", help="Last bound; default: about the 99th percentile.")
    ] = None,
    at_least: Annotated[
        bool, typer.Option("--at-least", help="Sweep a least value, not a greatest one.")
    ] = False,
    per_language: Annotated[
        bool, typer.Option("--per-language", help="A column of a sweep's table per language.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Write a new commit from stored measures under other gates; no video is opened.

    With --sweep, nothing is committed: a table, and a picture in figures/ of the data set.
    """
    output = Output("recut", json)
    if sweep is not None:
        from talkingface_wild.cli.sweep import show_sweep
        from talkingface_wild.pipelines.sweep import STEPS, Range

        tried = Range(STEPS if steps is None else steps, least, most)
        show_sweep(output, out, sweep, settings or [], tried, at_least, per_language, dry_run)
        return
    if (steps, least, most, at_least, per_language) != (None, None, None, False, False):
        raise UsageError(
            "Expected --sweep COLUMN beside --steps, --from, --to, --at-least or --per-language, "
            f"found none; for example `tfw recut {out} --sweep clip_seconds`."
        )
    from talkingface_wild.jobs.recut import recut as cut_anew

    _report(output, out, cut_anew(out, settings or [], dry_run))


def _report(output: Output, out: Path, cut: Recut) -> None:
    for blank in cut.blanks:
        output.say(_without_value(blank))
    if cut.pending:
        finish = f"finish with `tfw curate --out {out}`"
        output.say(
            f"Pending: {cut.pending} (sources or clips that came in and have work still to come); "
            f"{'once it is cut so, ' if cut.dry_run else ''}{finish}."
        )
    data = {
        "commit": cut.commit.number,
        "new": cut.commit.new,
        "before": cut.before,
        "dry_run": cut.dry_run,
        "pending": cut.pending,
        "without_value": [dataclasses.asdict(blank) for blank in cut.blanks],
        "languages": [dataclasses.asdict(change) for change in cut.changes],
    }
    output.result(data, human=lambda: _table(cut))
    if cut.commit.new:
        output.say(f"Undo with `tfw commits {out} restore {cut.before}`.")


def _without_value(blank: Blank) -> str:
    clips = "1 clip has" if blank.clips == 1 else f"{blank.clips} clips have"
    if blank.kept:
        return f"{clips} no value of {blank.column}: kept, as gates.{blank.gate}.missing=pass says."
    return (
        f"{clips} no value of {blank.column}: rejected as unmeasured; "
        f"keep such clips with `--set gates.{blank.gate}.missing=pass`."
    )


def _table(cut: Recut) -> Table:
    from rich.table import Table

    title = f"Commit {cut.commit.number}" + ("" if cut.commit.new else " (nothing changed)")
    if cut.dry_run:
        title = f"What would change since commit {cut.before} (dry run: nothing was written)"
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
    for change in cut.changes:
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
