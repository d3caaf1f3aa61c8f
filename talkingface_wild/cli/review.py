"""``tfw review``: give a sample to reviewers, take their words into a new commit."""

import dataclasses

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.request import ReviewExportRequest, ReviewImportRequest
from talkingface_wild.pages.terminal.bar import bar
from talkingface_wild.pages.terminal.review import defects_table, sample_page

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def _review() -> None:
    """Give a sample to reviewers and take their words.

    Answers go into the columns decision (accept or reject), reason and words of the manifest.
    """


@command(app, ReviewExportRequest)
def export(request: ReviewExportRequest, output: Output) -> None:
    """Write review/manifest.parquet, manifest.csv and contact sheets.

    The sample is that many random kept clips a language, and the clips nearest to each gate.
    """
    from talkingface_wild.jobs import review as job

    with bar("contact sheets") as progress:
        sample = job.export(request, progress)
    data = dataclasses.asdict(sample)
    output.result(data, sample_page(request.out, data))


@command(app, ReviewImportRequest, "import")
def import_command(request: ReviewImportRequest, output: Output) -> None:
    """Take reviewers' answers in: rejected clips leave clips/ in a new commit.

    No measure is edited. One wrong line, and nothing is imported.
    """
    from talkingface_wild.jobs import review as job

    reviewed = job.import_answers(request, output)
    data = dataclasses.asdict(reviewed)
    data |= {"commit": reviewed.commit.number, "new": reviewed.commit.new}
    output.result(data, lambda: defects_table(data))
