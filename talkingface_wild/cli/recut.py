"""``tfw recut``: other thresholds on what was measured, in seconds; what they would do; sweeps."""

import dataclasses

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.request import RecutRequest

app = typer.Typer(add_completion=False)


@command(app, RecutRequest)
def recut(request: RecutRequest, output: Output) -> None:
    """Write a new commit from stored measures under other gates; no video is opened.

    With --sweep, nothing is committed: a table, and a picture in figures/ of the data set.
    """
    if request.sweep is not None:
        _sweep(output, request)
    else:
        _recut(output, request)


def _recut(output: Output, request: RecutRequest) -> None:
    from talkingface_wild.jobs.recut import recut as cut_anew
    from talkingface_wild.pages.terminal.recut import changes_table

    cut = cut_anew(request)
    for blank in cut.without_value:
        output.say(blank.sentence)
    if cut.pending:
        finish = f"finish with `tfw curate --out {request.out}`"
        output.say(
            f"Pending: {cut.pending} (sources or clips that came in and have work still to come); "
            f"{'once it is cut so, ' if cut.dry_run else ''}{finish}."
        )
    data = dataclasses.asdict(cut) | {"commit": cut.commit.number, "new": cut.commit.new}
    output.result(data, lambda: changes_table(data))
    if cut.commit.new:
        output.say(f"Undo with `tfw commits {request.out} restore {cut.before}`.")


def _sweep(output: Output, request: RecutRequest) -> None:
    from talkingface_wild.jobs.recut import sweep_of
    from talkingface_wild.pages.terminal.recut import sweep_page

    swept, picture = sweep_of(request, output)
    data = dataclasses.asdict(swept) | {"column": swept.column.name, "unit": swept.column.unit}
    data |= {"bounds_of_languages": data.pop("per_language"), "picture": picture}
    output.result(data, lambda: sweep_page(swept, request.per_language))
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
