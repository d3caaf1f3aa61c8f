"""``tfw generate``: a talking-face video from a portrait and a sound."""

from typing import Any

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.cli.typed_command import typed_command
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.stopping import break_off_on_signals
from talkingface_wild.jobs.generate.request import GenerateRequest

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
    output.result(data, lambda: _page(data))


def _page(data: dict[str, Any]) -> str:
    lines = [f"video    {data['out']}", f"says how {data['sidecar']}"]
    if "frames" in data:
        lines.insert(
            1,
            f"frames   {data['frames']} of {data['side']} px at {data['fps']} a second"
            f", {data['frames_per_second']:.2f} a second made, peak "
            f"{human_bytes(data['peak_memory_bytes'])}",
        )
    return "\n".join(lines)
