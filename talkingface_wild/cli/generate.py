"""``tfw generate``: a talking-face video from a portrait and a sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples, human_bytes
from talkingface_wild.cli.requested import Request, is_made
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.litter import no_empty_folders
from talkingface_wild.core.stopping import break_off_on_signals

app = typer.Typer(add_completion=False)
MODELS = ("mcdm",)
SOLVERS = ("ddim", "dpm++", "unipc", "lcm")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


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
    given = {"--checkpoint": checkpoint, "--image": image, "--audio": audio, "--out": out}
    _check(model, solver, precision, given, out, resume and fresh)
    asked = {
        "steps": steps,
        "prior_steps": prior_steps,
        "guidance": cfg,
        "solver": solver,
        "drift_gate": drift_gate,
    }
    request = Request(
        checkpoint=checkpoint or Path(),
        image=image or Path(),
        audio=audio or Path(),
        out=out or Path(),
        landmarks=landmarks,
        seconds=seconds,
        seed=seed,
        sampling={name: value for name, value in asked.items() if value is not None},
        detector=detector,
        whole=whole,
        device=device,
        precision=precision,
        compiled=compiled,
        resume=resume,
        fresh=fresh,
    )
    _run(output, request)


def _check(
    model: str,
    solver: str | None,
    precision: str,
    given: dict[str, Path | None],
    out: Path | None,
    both: bool,
) -> None:
    """Refuse what can be seen from the command line alone."""
    words = {"--model": (model, MODELS), "--precision": (precision, PRECISIONS)}
    for option, (word, known) in {**words, "--solver": (solver, SOLVERS)}.items():
        if word is not None and word not in known:
            raise UsageError(
                f"{option} expects {', '.join(known)}, found {word!r}{nearest(word, known)}."
            )
    lacking = [option for option, value in given.items() if value is None]
    if lacking:
        raise UsageError(f"Expected {', '.join(lacking)}, found none; see 'tfw generate --help'.")
    if out is not None and out.suffix.lower() != ".mp4":
        raise UsageError(f"--out expects a file that ends in .mp4, found {out}.")
    if out is not None and out.is_dir():
        raise UsageError(f"--out expects a file, found the folder {out}.")
    if both:
        raise UsageError("Expected --resume or --fresh, found both.")


def _run(output: Output, request: Request) -> None:
    from talkingface_wild.cli.bench_generators import need_models
    from talkingface_wild.cli.half_made import HalfMade
    from talkingface_wild.cli.preparing import prepare

    need_models()
    from talkingface_wild.models.out_of_memory import peak_memory_bytes

    half_made = HalfMade(request.out)
    if half_made.there and not (request.resume or request.fresh):
        raise UsageError(
            f"Expected no half-made video at {request.out}, found one; go on with it by --resume, "
            "or start anew by --fresh."
        )
    with (
        break_off_on_signals(),
        no_empty_folders(request.out.parent),
        half_made.alone(),
    ):
        going_on = request.resume and half_made.there
        generation = prepare(output, request, half_made, going_on)
        if request.fresh:
            half_made.state_path.unlink(missing_ok=True)
        made = request.resume and is_made(request.out, generation.provenance.request)
        if made and not going_on:
            output.say(f"{request.out} is complete already; nothing is left to do.")
            figures: dict[str, Any] = {"complete": True}
        else:
            figures = generation.run()
        device = generation.pipeline.parts.device
        figures["side"] = generation.pipeline.parts.config.picture.side
        figures["peak_memory_bytes"] = peak_memory_bytes(device)
    _tell(output, request, figures)


def _tell(output: Output, request: Request, figures: dict[str, Any]) -> None:
    from talkingface_wild.models.provenance import sidecar_path

    data = {"out": str(request.out), "sidecar": str(sidecar_path(request.out)), **figures}

    def page() -> str:
        lines = [f"video    {data['out']}", f"says how {data['sidecar']}"]
        if "frames" in figures:
            lines.insert(
                1,
                f"frames   {figures['frames']} of {figures['side']} px at {figures['fps']} a second"
                f", {figures['frames_per_second']:.2f} a second made, peak "
                f"{human_bytes(figures['peak_memory_bytes'])}",
            )
        return "\n".join(lines)

    output.result(data, page)
