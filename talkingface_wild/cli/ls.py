"""``tfw ls``: a line per clip; the first word of a line is what ``tfw why`` takes."""

import dataclasses
import sys
from typing import Annotated

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.core.errors import UsageError
from talkingface_wild.jobs.request import LsRequest

app = typer.Typer(add_completion=False)


@command(app, LsRequest)
def ls(
    request: LsRequest,
    output: Output,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV with a header.")] = False,
) -> None:
    """List the clips of a data set. In a pipe: whole ids and names, tabs between, no header."""
    if output.json and csv:
        raise UsageError("Expected --json or --csv, found both; take one away.")
    from talkingface_wild.jobs import ls_text
    from talkingface_wild.jobs.ls import ls as list_clips

    listed = list_clips(request)
    data = dataclasses.asdict(listed) | {"seconds": round(listed.seconds, 3)}
    del data["id_length"]
    output.result(data, lambda: ls_text.as_csv(listed) if csv else ls_text.page(listed))
    if sys.stdout.isatty() and not csv and not output.json:
        output.say(ls_text.summary(listed))
