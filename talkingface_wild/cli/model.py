"""``tfw model``: look into a trained generator; ``analyse`` draws the paper's Figures 5 to 7."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.core.errors import UsageError

if TYPE_CHECKING:
    from talkingface_wild.jobs.figures.run import Figure

app = typer.Typer(add_completion=False, no_args_is_help=True)
analyse = typer.Typer(add_completion=False, no_args_is_help=True)
app.add_typer(analyse, name="analyse")

_FRAMES = "30,300,1800,3600,7200"
_LIPS_FRAMES, _ALPHA_FRAMES = 48, 75

CheckpointOption = Annotated[
    Path, typer.Option("--checkpoint", help="The --out of `tfw train`, or a model's folder.")
]
ImageOption = Annotated[Path | None, typer.Option(help="A picture of one face, with --audio.")]
AudioOption = Annotated[Path | None, typer.Option(help="Its speech: sound, or video with sound.")]
DatasetOption = Annotated[
    Path | None, typer.Option(help="Clips of a curated data set instead; real frames to compare.")
]
SplitOption = Annotated[
    str | None,
    typer.Option(help="train, val or test. Default: test, where there is one."),
]
LimitOption = Annotated[int, typer.Option(min=1, help="The first so many clips.")]
StepsOption = Annotated[
    int | None, typer.Option(min=1, max=1000, help="Denoising steps. Default: the model's.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Another seed draws other noise.")]
DetectorOption = Annotated[
    str, typer.Option(help="Face detector: auto, haar, scrfd_10g, scrfd_2.5g, scrfd_500m.")
]
WholeOption = Annotated[
    bool, typer.Option("--whole", help="Take the picture as it is; look for no face.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
OutOption = Annotated[Path, typer.Option("--out", help="Folder of the picture and the table.")]


@app.callback()
def _model() -> None:
    """Look into a trained generator."""


@analyse.callback()
def _analyse() -> None:
    """Draw the paper's Figures 5, 6 and 7 of a trained model: a PNG and a CSV each.

    Pictures of a small or untrained model say so.
    """


@analyse.command(
    epilog=examples(
        "tfw model analyse drift --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 "
        "--out figures",
        "tfw model analyse drift --checkpoint runs/tiny --dataset demo_out --split test "
        "--frames 30,75 --steps 8 --out figures",
    )
)
def drift(
    checkpoint: CheckpointOption,
    out: OutOption,
    image: ImageOption = None,
    audio: AudioOption = None,
    dataset: DatasetOption = None,
    split: SplitOption = None,
    limit: LimitOption = 4,
    frames: Annotated[
        str, typer.Option(help="Frames to look at; those that the sound reaches are taken.")
    ] = _FRAMES,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    detector: DetectorOption = "auto",
    whole: WholeOption = False,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Figure 5: SSIM over a long video, with and without the archived clip (F_a).

    Against a data set's real frames, else against the portrait. Without F_a is variants/no_archive
    where it was trained, else the same weights with the reference as their archive.
    """
    output = Output("model analyse drift", json)
    numbers = _frames_of(frames)
    from talkingface_wild.jobs.figures.request import FigureRequest
    from talkingface_wild.jobs.figures.run import drift as run

    request = FigureRequest(
        checkpoint=checkpoint,
        out=out,
        image=image,
        audio=audio,
        dataset=dataset,
        split=split,
        limit=limit,
        steps=steps,
        seed=seed,
        detector=detector,
        whole=whole,
        device=device,
    )
    figure = run(request, numbers, output)
    _give(output, figure, _drift_page(figure))


@analyse.command(
    epilog=examples(
        "tfw model analyse lips --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 "
        "--out figures",
        "tfw model analyse lips --checkpoint runs/tiny --dataset demo_out --frames 24 "
        "--mouth 0.28,0.59,0.72,0.94 --out figures",
    )
)
def lips(
    checkpoint: CheckpointOption,
    out: OutOption,
    image: ImageOption = None,
    audio: AudioOption = None,
    dataset: DatasetOption = None,
    split: SplitOption = None,
    limit: LimitOption = 4,
    frames: Annotated[
        int | None, typer.Option(min=1, help=f"Frames of each clip; {_LIPS_FRAMES} at most.")
    ] = None,
    mouth: Annotated[
        str | None,
        typer.Option(
            help="The mouth's left, top, right and bottom in [0, 1] of the frame. Default: from "
            "the faces' boxes, or where portraits have it."
        ),
    ] = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    detector: DetectorOption = "auto",
    whole: WholeOption = False,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Figure 6a: where in the frame the present attention reads the lip tokens.

    Without the prior (variants/no_present, where it was trained) it is the sound token that looks
    most at the mouth.
    """
    output = Output("model analyse lips", json)
    box = _box_of(mouth)
    from talkingface_wild.jobs.figures.request import FigureRequest
    from talkingface_wild.jobs.figures.run import lips as run

    request = FigureRequest(
        checkpoint=checkpoint,
        out=out,
        image=image,
        audio=audio,
        dataset=dataset,
        split=split,
        limit=limit,
        steps=steps,
        seed=seed,
        detector=detector,
        whole=whole,
        device=device,
    )
    figure = run(request, frames, box, output)
    _give(output, figure, _lips_page(figure))


@analyse.command(
    epilog=examples(
        "tfw model analyse expressions --checkpoint runs/tiny --dataset demo_out --out figures",
        "tfw model analyse expressions --checkpoint runs/tiny --image face.jpg "
        "--labels emotions.csv --out figures  # needs your own files",
    )
)
def expressions(
    checkpoint: CheckpointOption,
    out: OutOption,
    image: Annotated[
        Path | None,
        typer.Option(help="One portrait for all sounds, so that only sound tells them apart."),
    ] = None,
    dataset: Annotated[
        Path | None, typer.Option(help="A curated data set; else --image with --labels.")
    ] = None,
    split: SplitOption = None,
    limit: LimitOption = 200,
    labels: Annotated[
        Path | None,
        typer.Option(help="CSV with label and clip_id (of --dataset) or audio (beside the file)."),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(
            help="Column of the data set that labels clips. Default: given_emotion or emotion, "
            "else identity or language, and the picture says so."
        ),
    ] = None,
    points: Annotated[int, typer.Option(min=1, help="Most points of a clip.")] = 20,
    neighbours: Annotated[int, typer.Option(min=1, help="Neighbours for the purity.")] = 5,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    detector: DetectorOption = "auto",
    whole: WholeOption = False,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Figure 6b: t-SNE of predicted expression tokens, with purity and silhouette in their space.

    Beside them the sound: the tokens of variants/no_present where it was trained, else features.
    """
    output = Output("model analyse expressions", json)
    from talkingface_wild.jobs.figures.request import FigureRequest
    from talkingface_wild.jobs.figures.run import expressions as run

    request = FigureRequest(
        checkpoint=checkpoint,
        out=out,
        image=image,
        labels=labels,
        label=label,
        dataset=dataset,
        split=split,
        limit=limit,
        steps=steps,
        seed=seed,
        detector=detector,
        whole=whole,
        device=device,
    )
    figure = run(request, points, neighbours, output)
    _give(output, figure, _expressions_page(figure))


@analyse.command(
    epilog=examples(
        "tfw model analyse alpha --checkpoint runs/tiny --dataset demo_out --split test "
        "--out figures",
        "tfw model analyse alpha --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 "
        "--frames 48 --steps 8 --out figures",
    )
)
def alpha(
    checkpoint: CheckpointOption,
    out: OutOption,
    image: ImageOption = None,
    audio: AudioOption = None,
    dataset: DatasetOption = None,
    split: SplitOption = None,
    limit: LimitOption = 4,
    frames: Annotated[
        int | None, typer.Option(min=1, help=f"Frames of each clip; {_ALPHA_FRAMES} at most.")
    ] = None,
    steps: StepsOption = None,
    seed: SeedOption = 0,
    detector: DetectorOption = "auto",
    whole: WholeOption = False,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Figure 7: SSIM over alpha, the weight of the past in the motion memory.

    Each alpha by the variant trained at it (variants/alpha_0 to alpha_9), else by the model's own
    weights, which the picture tells apart; a line for w/o MTA where variants/no_mta was trained.
    """
    output = Output("model analyse alpha", json)
    from talkingface_wild.jobs.figures.request import FigureRequest
    from talkingface_wild.jobs.figures.run import alpha as run

    request = FigureRequest(
        checkpoint=checkpoint,
        out=out,
        image=image,
        audio=audio,
        dataset=dataset,
        split=split,
        limit=limit,
        steps=steps,
        seed=seed,
        detector=detector,
        whole=whole,
        device=device,
    )
    figure = run(request, frames, output)
    _give(output, figure, _alpha_page(figure))


def _give(output: Output, figure: Figure, lines: list[str]) -> None:
    data = {
        "picture": figure.picture,
        "table": figure.table,
        "source": figure.source,
        **figure.figures,
    }
    text = [*lines, f"picture  {figure.picture}", f"table    {figure.table}"]
    output.result(data, "\n".join(text))


def _frames_of(text: str) -> tuple[int, ...]:
    """Whole numbers with commas. Raises UsageError."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and 0 < int(word) < 10**8 for word in words):
        raise UsageError(
            f"Expected --frames as whole numbers from 1 with commas, such as 30,300, found "
            f"{text!r}."
        )
    return tuple(sorted({int(word) for word in words}))


def _box_of(text: str | None) -> tuple[float, float, float, float] | None:
    """Left, top, right, bottom in [0, 1]. Raises UsageError."""
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        left, top, right, bottom = (float(word) for word in text.split(","))
        if 0 <= left < right <= 1 and 0 <= top < bottom <= 1:
            return left, top, right, bottom
    raise UsageError(
        f"Expected --mouth as left,top,right,bottom in [0, 1], such as 0.28,0.59,0.72,0.94, found "
        f"{text!r}."
    )


def _drift_page(figure: Figure) -> list[str]:
    """SSIM at each frame asked for."""
    lines = [f"SSIM against {figure.against}"]
    for name, run in figure.figures.items():
        values = "  ".join(f"{f}: {v:.4f}" for f, v in run["ssim"].items() if v is not None)
        lines.append(f"{name:9}{values}  ({run['weights']})")
    return lines


def _lips_page(figure: Figure) -> list[str]:
    """The mouth's share of the attention."""
    figures = figure.figures
    lines = [
        f"{name:9}{100 * model['mass']:.1f} % of the attention to {model['tokens']} in the mouth"
        for name, model in figures["models"].items()
    ]
    return [*lines, f"{'even':9}{100 * figures['even']:.1f} %"]


def _expressions_page(figure: Figure) -> list[str]:
    """Purity and silhouette of each space."""
    figures = figure.figures
    lines = [
        f"{name:9}purity {_shown(space['purity'])}, silhouette {_shown(space['silhouette'])}  "
        f"({space['space']})"
        for name, space in figures["spaces"].items()
    ]
    return [*lines, f"{'chance':9}purity {_shown(figures['purity_by_chance'])}"]


def _alpha_page(figure: Figure) -> list[str]:
    """SSIM at each alpha."""
    figures = figure.figures
    lines = [
        f"alpha {alpha:5}{point['ssim']:.4f}  ({point['weights']})"
        for alpha, point in figures["alpha"].items()
    ]
    without = figures["without_mta"]
    return lines if without is None else [*lines, f"{'w/o MTA':11}{without:.4f}"]


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
