"""``tfw train``: train a generator in stages on a curated data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.cli.typed_command import going_on_by
from talkingface_wild.jobs.train.logs import logs_of, tensorboard_line

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "tfw train --model mcdm --preset tiny --stage all --data demo_out --out runs/tiny",
        "tfw train --model mcdm --preset tiny --stage 3 --data demo_out --out runs/tiny "
        "--set training.stage3.iterations=600 --fresh",
        "tfw train --model mcdm --preset tiny --variant no_archive --data demo_out --out runs/tiny",
    )
)
def train(
    model: Annotated[str, typer.Option(help="Which generator: mcdm.")] = "mcdm",
    stage: Annotated[
        str, typer.Option(help="features, encoders, 1, 2, 3, or all in this order.")
    ] = "all",
    data: Annotated[
        Path | None, typer.Option(help="A curated data set's folder; the stage features reads it.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of this training.")] = Path("runs/mcdm"),
    preset: Annotated[
        str,
        typer.Option(help="paper, robust or tiny (for a CPU). Default: what OUT has, or paper."),
    ] = "",
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="section.field=value of the configuration; repeatable."),
    ] = None,
    variant: Annotated[
        str,
        typer.Option(
            help="A variant of the paper's tables: no_archive, no_present, no_mta, qformer, "
            "reference_unet, alpha_0 to alpha_9. It is trained in OUT/variants/NAME."
        ),
    ] = "ours",
    weights: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=PATH of published weights to start from: sd15, vae, animatediff, moore, "
            "clip, wav2vec2; repeatable."
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="The first so many clips.")] = None,
    cpu: Annotated[bool, typer.Option("--cpu", help="Use no GPU.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget this stage and all after it, and train anew.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Train a generator in stages. A stopped run goes on; a finished stage is not run again.

    Several GPUs: accelerate launch -m talkingface_wild.cli.main train …
    """
    output = Output("train", json)
    from talkingface_wild.jobs.train.request import TrainRequest
    from talkingface_wild.jobs.train.run import train as run

    request = TrainRequest(
        model=model,
        stage=stage,
        data=data,
        out=out,
        preset=preset,
        settings=tuple(settings or ()),
        variant=variant,
        weights=tuple(weights or ()),
        limit=limit,
        cpu=cpu,
        fresh=fresh,
    )
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
        output.result(content, lambda: _page(model, content))


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
