"""``tfw train``: train a generator in stages on a curated data set."""

import os
from typing import Any

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.cli.typed_command import going_on_by
from talkingface_wild.jobs.train.logs import logs_of, tensorboard_line
from talkingface_wild.jobs.train.request import TrainRequest

app = typer.Typer(add_completion=False)


@command(app, TrainRequest)
def train(request: TrainRequest, output: Output) -> None:
    """Train a generator in stages. A stopped run goes on; a finished stage is not run again.

    Several GPUs: accelerate launch -m talkingface_wild.cli.main train …
    """
    from talkingface_wild.jobs.train.run import train as run

    live = os.environ.get("RANK", "0") == "0"
    with going_on_by(), Board(output, live=live) as board:
        result = run(request, board)
    if result.main:
        content = {
            "out": str(result.out),
            "model": str(result.model),
            "stages": result.stages,
            "done": result.done,
            "preset": result.preset,
            "logs": logs_of(result.out),
            "tensorboard": tensorboard_line(result.out),
        }
        output.result(content, lambda: _page(request.model, content))


def _page(model: str, content: dict[str, Any]) -> str:
    lines = [
        f"model    {content['model']}",
        *(f"losses   {path}" for path in content["logs"]),
        f"curves   {content['tensorboard']}",
    ]
    if "3" in content["done"]:
        lines.append(
            f"next     tfw generate --model {model} --checkpoint {content['out']} --image FACE.jpg "
            "--audio SPEECH.wav --out v.mp4"
        )
    return "\n".join(lines)
