"""``tfw generate``: a talking-face video from a portrait and a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from talkingface_wild.cli.board import Board
from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.cli.typed_command import typed_command
from talkingface_wild.core.counting import human_bytes
from talkingface_wild.core.stopping import break_off_on_signals

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "tfw generate --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 --out v.mp4",
        "tfw generate --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 --out v.mp4 --resume",
        "tfw generate --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 --seconds 2 --solver dpm++ --steps 8 --seed 1 "
        "--out short.mp4 --json",
    )
)
def generate(
    model: Annotated[str, typer.Option(help="Which generator: mcdm.")] = "mcdm",
    checkpoint: Annotated[
        Path | None, typer.Option(help="The --out of 'tfw train', or a model's folder.")
    ] = None,
    image: Annotated[
        Path | None, typer.Option(help="A picture of one face; of a video, its first frame.")
    ] = None,
    audio: Annotated[
        Path | None, typer.Option(help="Speech: sound, or a video with sound, of any length.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The video, an .mp4 file.")] = None,
    landmarks: Annotated[
        Path | None, typer.Option(help="A video whose head's way the portrait takes over.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Denoising steps a clip. Default: the model's.")
    ] = None,
    prior_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps for the motion tokens. Default: the model's.")
    ] = None,
    cfg: Annotated[
        float | None,
        typer.Option(min=0, help="Guidance; 1 is off and takes half. Default: the model's."),
    ] = None,
    solver: Annotated[
        str | None, typer.Option(help="ddim, dpm++, unipc or lcm. Default: the model's.")
    ] = None,
    drift_gate: Annotated[
        bool | None,
        typer.Option(
            "--drift-gate/--no-drift-gate",
            help="Make a clip again that leaves the portrait's look. Default: the model's.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another video.")] = 0,
    seconds: Annotated[
        float | None, typer.Option(min=0.04, help="Only so much of the sound.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a video that was not finished.")
    ] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget a video that was not finished.")
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda")] = "auto",
    precision: Annotated[
        str, typer.Option(help="auto (bf16 on a GPU, else fp32), fp32, bf16 or fp16.")
    ] = "auto",
    compiled: Annotated[
        bool, typer.Option("--compile", help="Compile the network: slow to begin, then faster.")
    ] = False,
    detector: Annotated[
        str, typer.Option(help="Face detector: auto, haar, scrfd_10g, scrfd_2.5g, scrfd_500m.")
    ] = "auto",
    whole: Annotated[
        bool, typer.Option("--whole", help="Take the picture as it is; look for no face.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make a talking-face video from a portrait and a sound of any length.

    Frames are written as they are made; a run that was stopped or killed goes on with --resume to
    the same frames. The video and the file beside it say that it is generated.
    """
    output = Output("generate", json)
    from talkingface_wild.jobs.generate.request import GenerateRequest
    from talkingface_wild.jobs.generate.run import generate as run

    request = GenerateRequest(
        model=model,
        checkpoint=checkpoint,
        image=image,
        audio=audio,
        out=out,
        landmarks=landmarks,
        steps=steps,
        prior_steps=prior_steps,
        cfg=cfg,
        solver=solver,
        drift_gate=drift_gate,
        seed=seed,
        seconds=seconds,
        resume=resume,
        fresh=fresh,
        device=device,
        precision=precision,
        compiled=compiled,
        detector=detector,
        whole=whole,
    )
    request.check()
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
