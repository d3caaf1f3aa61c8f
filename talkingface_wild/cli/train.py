"""``tfw train``: train a generator in stages on a curated data set."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples
from talkingface_wild.cli.training_logs import logs_line, logs_of, tensorboard_line
from talkingface_wild.cli.typed_command import going_on_by
from talkingface_wild.core.durations import clock
from talkingface_wild.core.errors import (
    ExtraMissing,
    Interrupted,
    RecipeError,
    UsageError,
    nearest,
)
from talkingface_wild.core.stopping import stop_on_signals

if TYPE_CHECKING:
    from talkingface_wild.models.mcdm import MCDMConfig
    from talkingface_wild.models.mcdm.training.run import TrainingRun

app = typer.Typer(add_completion=False)
MODELS = ("mcdm",)


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
    if model not in MODELS:
        raise UsageError(f"--model expects {', '.join(MODELS)}, found {model!r}.")
    order = ("features", "encoders", "1", "2", "3")
    if stage not in (*order, "all"):
        raise UsageError(
            f"--stage expects {', '.join(order)} or all, found {stage!r}{nearest(stage, order)}."
        )
    try:
        import accelerate  # noqa: F401
        import diffusers  # noqa: F401
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the extra 'models', found {error.name} missing; run "
            "pip install -c constraints.txt 'talkingface-wild[models]'."
        ) from error
    from talkingface_wild.models.mcdm.variants import FOLDER

    folder = out if variant == "ours" else out / FOLDER / variant
    config = _configuration(out, folder, preset, settings or [], variant)
    anew = fresh and stage in ("features", "all")
    from talkingface_wild.models.training.staged_run import STOPPING

    with stop_on_signals(STOPPING):
        course = _course(output, folder, config, data, cpu, anew)
        with going_on_by(), _shown_logs(course):
            _run(output, course, stage, data, weights or [], limit, fresh)


def _configuration(
    out: Path, folder: Path, preset: str, settings: list[str], variant: str
) -> MCDMConfig:
    """The configuration asked for; without a preset, the folder's own or its parent's."""
    import json

    from talkingface_wild.models.mcdm import MCDMConfig
    from talkingface_wild.models.mcdm import preset as preset_by_name
    from talkingface_wild.models.mcdm.variants import varied

    kept = next((p for p in (folder / "config.json", out / "config.json") if p.is_file()), None)
    if preset or kept is None:
        config = preset_by_name(preset or "paper")
    else:
        config = MCDMConfig.from_dict(json.loads(kept.read_text("utf-8")), str(kept))
    return varied(config, variant).changed(settings)


def _course(
    output: Output, folder: Path, config: MCDMConfig, data: Path | None, cpu: bool, anew: bool
) -> TrainingRun:
    from accelerate import Accelerator

    from talkingface_wild.cli.training_data import sample_writer
    from talkingface_wild.models.mcdm.training.run import TrainingRun

    accelerator = Accelerator(cpu=cpu, mixed_precision=config.training.precision)
    return TrainingRun(
        out=folder,
        config=config,
        tell=output.say if accelerator.is_main_process else _nothing,
        write_sample=sample_writer(data),
        accelerator=accelerator,
        anew=anew,
    )


def _nothing(_: str) -> None:
    """What all processes but the first say."""


def _run(
    output: Output,
    course: TrainingRun,
    stage: str,
    data: Path | None,
    weights: list[str],
    limit: int | None,
    fresh: bool,
) -> None:
    from talkingface_wild.cli.board import Board
    from talkingface_wild.cli.training_progress import TrainingProgressBoard

    asked = course.stages() if stage == "all" else [stage]
    if weights and "features" not in asked:
        raise UsageError("--weights is read at the stage features; run that stage with it.")
    shown = Board(output, live=course.accelerator.is_main_process)
    board = TrainingProgressBoard(shown, course.config, asked, {} if fresh else course.done())
    course.watch = board.iteration
    maker = None
    if "features" in asked and (fresh or "features" not in course.done()):
        maker = _feature_maker(output, data, course, weights, limit, board.features)
    if fresh and course.accelerator.is_main_process:
        course.forget(asked[0])
    course.accelerator.wait_for_everyone()
    results: dict[str, Any] = {}
    with shown:
        for name in asked:
            _announce(course, name)
            started = time.monotonic()
            result = course.run(name, maker)
            board.finish(name)
            if result is None:
                course.tell(f"{_title(name)} is done already")
                if name == "features":
                    _warn_of_unread(output, course, data, weights, limit)
                continue
            seconds = time.monotonic() - started
            course.tell(f"{_title(name)} done in {clock(seconds)}: {_figures(result)}")
            results[name] = result | {"seconds": round(seconds, 1)}
    found = {
        "out": str(course.out),
        "model": str(course.model_folder),
        "stages": results,
        "done": list(course.done()),
        "preset": course.config.name,
        "logs": logs_of(course.out),
        "tensorboard": tensorboard_line(course.out),
    }
    if course.accelerator.is_main_process:
        output.result(found, lambda: _page(found))


def _warn_of_unread(
    output: Output, course: TrainingRun, data: Path | None, weights: list[str], limit: int | None
) -> None:
    """Say what only the stage ``features`` reads, where it is done and something else was asked."""
    if weights or limit is not None:
        output.warn(
            "--weights and --limit are read at the stage features; add --fresh to begin anew."
        )
    before = course.trained_on().get("dataset")
    if data is not None and before not in (None, data.resolve().name):
        output.warn(f"Features are of {before}, not of {data.name}; add --fresh to begin anew.")


def _feature_maker(
    output: Output,
    data: Path | None,
    course: TrainingRun,
    weights: list[str],
    limit: int | None,
    watch: Callable[[int, int], None],
) -> Any:
    """What measures the data set for the first stage: clips read here, networks in models/.

    The clips are looked up at once, so that a data set that is not there is refused before
    anything is made or forgotten.
    """
    if data is None:
        raise RecipeError(
            "Expected --data with the stage features, found none; give a data set's folder."
        )
    from talkingface_wild.cli.training_data import training_clips
    from talkingface_wild.models.mcdm.training.features import cache_features

    picture, sources = course.config.picture, _sources(weights)
    clips = training_clips(data, None, picture.side, picture.fps)[:limit]

    def make(parts: Any, folder: Path) -> dict[str, Any]:
        started_from: list[str] = []
        if weights:
            from talkingface_wild.models.loading import load_weights

            for coverage in load_weights(parts, sources):
                output.say(str(coverage))
                started_from.append(coverage.group)
        course.keep_configuration()
        summary = cache_features(
            parts,
            clips,
            folder,
            tell=output.say,
            watch=watch,
            device=course.accelerator.device,
            accelerator=course.accelerator,
        )
        parts.facts["trained_on"] = summary.trained_on(data)
        parts.facts["started_from"] = started_from
        return summary.figures()

    return make


def _sources(words: list[str]) -> dict[str, str]:
    """NAME=PATH words as a mapping; UsageError for another form, or a name given twice."""
    found: dict[str, str] = {}
    for word in words:
        name, equals, path = word.partition("=")
        if not equals or name in found:
            raise UsageError(f"--weights expects NAME=PATH, each name once; found {word!r}.")
        found[name] = path
    return found


def _announce(course: TrainingRun, stage: str) -> None:
    """Where the losses of a stage can be watched, as soon as it is sure to begin."""
    stages, done = course.stages(), course.done()
    earlier = stages[: stages.index(stage)] if stage in stages else [stage]
    if stage != "features" and stage not in done and all(name in done for name in earlier):
        course.tell(f"{_title(stage)} begins: {logs_line(course.out, stage)}")


@contextlib.contextmanager
def _shown_logs(course: TrainingRun) -> Iterator[None]:
    """A training that is stopped says where its curves are, too."""
    try:
        yield
    except Interrupted:
        for line in [*logs_of(course.out), tensorboard_line(course.out)]:
            course.tell(line)
        raise


def _title(stage: str) -> str:
    return stage if stage in ("features", "encoders") else f"stage {stage}"


def _figures(result: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}"
        for name, value in result.items()
        if not isinstance(value, dict | list)
    )


def _page(found: dict[str, Any]) -> str:
    lines = [
        f"model    {found['model']}",
        *(f"losses   {path}" for path in found["logs"]),
        f"curves   {found['tensorboard']}",
    ]
    if "3" in found["done"]:
        lines.append(
            f"next     tfw generate --model mcdm --checkpoint {found['out']} --image FACE.jpg "
            "--audio SPEECH.wav --out v.mp4"
        )
    return "\n".join(lines)
