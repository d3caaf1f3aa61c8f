"""``tfw review``: give a sample to reviewers, take their words into a new commit."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import typer

from talkingface_wild.cli.options import options_of
from talkingface_wild.cli.output import Output, bar, examples, table
from talkingface_wild.jobs import review as job
from talkingface_wild.jobs.review import Reviewed, ReviewExportRequest, ReviewImportRequest

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _review() -> None:
    """Give a sample to reviewers and take their words.

    Answers go into the columns decision (accept or reject), reason and words of the manifest.
    """


@app.command(
    epilog=examples("tfw review export demo_out", "tfw review export demo_out --no-sheets")
)
@options_of(ReviewExportRequest)
def export(request: ReviewExportRequest, output: Output) -> None:
    """Write review/manifest.parquet, manifest.csv and contact sheets.

    The sample is that many random kept clips a language, and the clips nearest to each gate.
    """
    with bar("contact sheets") as progress:
        sample = job.export(request, progress)
    out, text = request.out, sample.csv
    words = (
        f"{sample.clips} clips to review, {sample.random} of them drawn at random: {text}\n"
        f"{len(sample.sheets)} contact sheets in {out / 'review' / 'sheets'}\n"
        f"Fill in decision, reason, words and reviewer, then: tfw review import {text} --out {out}"
    )
    output.result(dataclasses.asdict(sample), words)


@app.command(
    "import", epilog=examples("tfw review import demo_out/review/manifest.csv --out demo_out")
)
@options_of(ReviewImportRequest)
def import_command(request: ReviewImportRequest, output: Output) -> None:
    """Take reviewers' answers in: rejected clips leave clips/ in a new commit.

    No measure is edited. One wrong line, and nothing is imported.
    """
    reviewed = job.import_answers(request, output)
    data = dataclasses.asdict(reviewed)
    data |= {"commit": reviewed.commit.number, "new": reviewed.commit.new}
    output.result(data, lambda: _defects(reviewed))


def _defects(reviewed: Reviewed) -> Table:
    caption = "Random clips alone; exact 95 % interval."
    if reviewed.defect_rate is not None:
        caption += f" All languages, weighted by their kept clips: {reviewed.defect_rate:.1%}."
    rows = [
        (
            row.language,
            row.kept,
            row.drawn,
            row.answered,
            row.defects,
            *("—" if rate is None else f"{rate:.1%}" for rate in (row.rate, row.high)),
        )
        for row in reviewed.defects
    ]
    return table(
        f"Commit {reviewed.commit.number}: rejected {reviewed.rejected}, "
        f"accepted {reviewed.accepted}, left empty {reviewed.empty}",
        ("language", "kept", "drawn", "answered", "defects", "defect rate", "at most"),
        rows,
        caption=caption,
    )
