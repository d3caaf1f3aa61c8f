"""``tfw status``: how far a data set is, who works on it, and what is left."""

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.request import StatusRequest
from talkingface_wild.pages.terminal.status import status_page

app = typer.Typer(add_completion=False)


@command(app, StatusRequest)
def status(request: StatusRequest, output: Output) -> None:
    """Say how far a run is, and what is left; ``cut`` counts what was cut into clips."""
    from talkingface_wild.jobs.status import status as status_of

    data = status_of(request)
    output.result(data, lambda: status_page(data))
