"""``tfw model``: look into a trained generator; ``analyse`` draws the paper's Figures 5 to 7."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from talkingface_wild.cli.model_run import (
    Asked,
    alpha_page,
    at_most,
    box_of,
    drift_page,
    expressions_page,
    frames_of,
    lips_page,
    opened,
    write,
)
from talkingface_wild.cli.output import JsonOption, Output, examples

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
    looked = frames_of(frames)
    asked = Asked(image, audio, dataset, split, limit, detector, whole)
    asked.check()
    from talkingface_wild.cli.model_subjects import subjects
    from talkingface_wild.models.mcdm.analyses.drift import drift as measured
    from talkingface_wild.models.mcdm.analyses.drift_picture import draw_drift

    with opened(asked, checkpoint, device, steps, seed) as model:
        chosen, source = subjects(model.asked, model.parts.config.picture, looked[-1], output.warn)
        found = measured(model.checkpoint, model.parts, chosen, model.draws, looked, output.say)
    write(output, out, "drift", found, source, draw_drift, drift_page)


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
    box = box_of(mouth)
    asked = Asked(image, audio, dataset, split, limit, detector, whole)
    asked.check()
    from talkingface_wild.cli.model_subjects import subjects
    from talkingface_wild.models.mcdm.analyses.lips import lips as measured
    from talkingface_wild.models.mcdm.analyses.lips_picture import draw_lips

    with opened(asked, checkpoint, device, steps, seed) as model:
        picture, most = model.parts.config.picture, frames or _LIPS_FRAMES
        chosen, source = subjects(model.asked, picture, most, output.warn)
        count = at_most(frames, _LIPS_FRAMES, chosen, picture.fps)
        found = measured(model.checkpoint, model.parts, chosen, model.draws, count, box, output.say)
    write(output, out, "lips", found, source, draw_lips, lips_page)


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
    asked = Asked(image, None, dataset, split, limit, detector, whole, labels=labels, column=label)
    asked.check(labels=True)
    from talkingface_wild.cli.model_labels import labelled
    from talkingface_wild.models.mcdm.analyses.expressions import expressions as measured
    from talkingface_wild.models.mcdm.analyses.expressions_picture import draw_expressions

    with opened(asked, checkpoint, device, steps, seed) as model:
        chosen, by, source = labelled(model.asked, model.parts.config.picture, output.warn)
        found = measured(
            model.checkpoint,
            model.parts,
            chosen,
            by,
            model.draws,
            points,
            neighbours,
            output.say,
        )
    write(output, out, "expressions", found, source, draw_expressions, expressions_page)


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
    asked = Asked(image, audio, dataset, split, limit, detector, whole)
    asked.check()
    from talkingface_wild.cli.model_subjects import subjects
    from talkingface_wild.models.mcdm.analyses.alpha import alpha_curve
    from talkingface_wild.models.mcdm.analyses.alpha_picture import draw_alpha

    with opened(asked, checkpoint, device, steps, seed) as model:
        picture, most = model.parts.config.picture, frames or _ALPHA_FRAMES
        chosen, source = subjects(model.asked, picture, most, output.warn)
        count = at_most(frames, _ALPHA_FRAMES, chosen, picture.fps)
        found = alpha_curve(model.checkpoint, model.parts, chosen, model.draws, count, output.say)
    write(output, out, "alpha", found, source, draw_alpha, alpha_page)
