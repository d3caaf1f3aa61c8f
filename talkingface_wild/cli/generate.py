"""``tfw generate``: a talking-face video from a portrait and a sound."""

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.cli.typed_command import typed_command
from talkingface_wild.core.stopping import break_off_on_signals
from talkingface_wild.jobs.generate.request import GenerateRequest
from talkingface_wild.pages.terminal.generated_page import generated_page

app = typer.Typer(add_completion=False)


@command(app, GenerateRequest)
def generate(request: GenerateRequest, output: Output) -> None:
    """Make a talking-face video from a portrait and a sound of any length.

    Frames are written as they are made; a run that was stopped or killed goes on with --resume to
    the same frames. The video and the file beside it say that it is generated.
    """
    from talkingface_wild.jobs.generate.run import generate as run

    go_on = typed_command(without=["--fresh"], also=["--resume"])
    with Board(output) as board, break_off_on_signals():
        result = run(request, board, go_on)
    data = {"out": str(result.out), "sidecar": str(result.sidecar), **result.figures}
    output.result(data, lambda: generated_page(data))
