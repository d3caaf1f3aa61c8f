"""``tfw curate``: the command line of a run, its live board, and what it prints at the end."""

import os
from pathlib import Path
from typing import Annotated

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.cli.typed_command import going_on_by, typed_command
from talkingface_wild.jobs.curate.request import CurateRequest

app = typer.Typer(add_completion=False)


@command(app, CurateRequest, after={"settings": ("plan",)})
def curate(
    request: CurateRequest,
    output: Output,
    plan: Annotated[
        bool, typer.Option("--plan", help="Print what would be done, and do nothing.")
    ] = False,
    cookies: Annotated[
        Path | None, typer.Option(help="A cookies.txt for downloads; kept out of every output.")
    ] = None,
    cookies_from_browser: Annotated[
        str | None, typer.Option(help="Take the cookies of this browser instead.")
    ] = None,
    proxy: Annotated[str | None, typer.Option(help="A proxy's address for downloads.")] = None,
) -> None:
    """Make a data set: download, shots, faces, quality, lip-sync, Parquet. Resumes by itself."""
    _give_access(cookies, cookies_from_browser, proxy)
    if plan:
        _show_plan(output, request)
    else:
        _run(output, request)


def _give_access(cookies: Path | None, browser: str | None, proxy: str | None) -> None:
    """Hand secrets to the workers by the environment: they enter no recipe, journal or table."""
    secrets = {
        "TFW_COOKIES": None if cookies is None else str(cookies.absolute()),
        "TFW_COOKIES_BROWSER": browser,
        "TFW_PROXY": proxy,
    }
    os.environ.update({name: value for name, value in secrets.items() if value})


def _show_plan(output: Output, request: CurateRequest) -> None:
    from talkingface_wild.jobs.curate.plan import plan_run
    from talkingface_wild.pages.terminal.curation import plan_page

    plan = plan_run(request)
    output.result(plan, human=lambda: plan_page(plan))


def _run(output: Output, request: CurateRequest) -> None:
    from talkingface_wild.cli.board import Board
    from talkingface_wild.jobs.curate.run import curate as run
    from talkingface_wild.jobs.curate.run import failures, summary
    from talkingface_wild.pages.terminal.curation import result_page

    with Board(output) as board, going_on_by():
        outcome = run(request, board)
    for note in outcome.notes[:20]:
        output.say(f"note: {note}")
    failed = outcome.count("failed")
    if outcome.stopped == "interrupted":
        command = typed_command(without=("--fresh",))
        output.say(f"Interrupted; the journal is intact. Go on with: {command}")
    elif failed:
        command = typed_command(without=("--fresh",), also=("--retry-failed",))
        output.say(f"Failed: {failed} ({failures(outcome)}); try again with: {command}")
    code = 130 if outcome.stopped == "interrupted" else 1 if failed or outcome.stopped else 0
    data = summary(outcome)
    output.result(data, human=lambda: result_page(data), exit_code=code)
