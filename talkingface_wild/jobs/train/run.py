"""``train``: the stages that are asked for, in a training folder; a stopped run goes on."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface_wild.core.durations import clock
from talkingface_wild.core.errors import Interrupted, RecipeError, UsageError
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.stopping import stop_on_signals
from talkingface_wild.jobs.train.data import training_clips
from talkingface_wild.jobs.train.logs import logs_line, logs_of, tensorboard_line
from talkingface_wild.jobs.train.progress import TrainingRows
from talkingface_wild.jobs.train.request import TrainRequest
from talkingface_wild.jobs.train.sample_videos import sample_writer
from talkingface_wild.jobs.train.trainer import FeatureMaker, Trainer
from talkingface_wild.models import generator_class

STOPPING = "Stopping: what is in work is finished and saved; once more breaks off at once."


@dataclass(frozen=True)
class TrainResult:
    """The training folder as it stands."""

    out: Path
    model: Path
    done: list[str]
    preset: str
    main: bool
    """Whether this is the first of several processes: the others give no result."""
    stages: dict[str, Any] = field(default_factory=dict)
    """Figures of the stages that ran now."""


def train(request: TrainRequest, reporter: Reporter) -> TrainResult:
    """Train the stages that are not done yet. Raises Interrupted with what was done saved."""
    request.check()
    kind: type[Trainer] = generator_class(request.model).trainer()
    with stop_on_signals(STOPPING):
        trainer = kind(
            request.out,
            preset=request.preset,
            settings=request.settings,
            variant=request.variant,
            cpu=request.cpu,
            anew=request.fresh and request.stage in ("features", "all"),
            tell=reporter.say,
            write_sample=sample_writer(request.data, model=request.model),
        )
        with _shown_logs(trainer, reporter):
            return _run(request, trainer, reporter)


def _run(request: TrainRequest, trainer: Trainer, reporter: Reporter) -> TrainResult:
    stages = trainer.stages() if request.stage == "all" else [request.stage]
    if request.weights and "features" not in stages:
        raise UsageError("--weights is read at the stage features; run that stage with it.")
    finished = {} if request.fresh else trainer.done()
    rows = TrainingRows(reporter, trainer.parts(stages), stages, finished)
    trainer.watch(rows.iteration)
    maker = None
    if "features" in stages and "features" not in finished:
        maker = _feature_maker(request, trainer, reporter, rows)
    if request.fresh:
        trainer.forget(stages[0])
    results: dict[str, Any] = {}
    for name in stages:
        _announce(trainer, name, reporter)
        started = time.monotonic()
        result = trainer.run(name, maker)
        rows.finish(name)
        if result is None:
            _tell(trainer, reporter, f"{_title(name)} is done already")
            if name == "features":
                _warn_of_unread(request, trainer, reporter)
            continue
        seconds = time.monotonic() - started
        _tell(trainer, reporter, f"{_title(name)} done in {clock(seconds)}: {_figures(result)}")
        results[name] = result | {"seconds": round(seconds, 1)}
    return TrainResult(
        trainer.out,
        trainer.model_folder,
        list(trainer.done()),
        trainer.preset,
        trainer.main,
        results,
    )


def _tell(trainer: Trainer, reporter: Reporter, text: str) -> None:
    """Of several processes the first one speaks."""
    if trainer.main:
        reporter.say(text)


def _warn_of_unread(request: TrainRequest, trainer: Trainer, reporter: Reporter) -> None:
    """Say what only the stage ``features`` reads, where it is done and something else was asked."""
    if request.weights or request.limit is not None:
        reporter.warn(
            "--weights and --limit are read at the stage features; add --fresh to begin anew."
        )
    before, data = trainer.trained_on().get("dataset"), request.data
    if data is not None and before not in (None, data.resolve().name):
        reporter.warn(f"Features are of {before}, not of {data.name}; add --fresh to begin anew.")


def _feature_maker(
    request: TrainRequest, trainer: Trainer, reporter: Reporter, rows: TrainingRows
) -> FeatureMaker:
    """What measures the data set for the first stage: clips read here, networks in models/.

    The clips are looked up at once, so that a data set that is not there is refused before
    anything is made or forgotten.
    """
    if request.data is None:
        raise RecipeError(
            "Expected --data with the stage features, found none; give a data set's folder."
        )
    sources = request.sources
    clips = training_clips(request.data, None, trainer.side, trainer.fps)[: request.limit]
    return trainer.feature_maker(request.data, clips, sources, reporter.say, rows.features)


def _announce(trainer: Trainer, stage: str, reporter: Reporter) -> None:
    """Where the losses of a stage can be watched, as soon as it is sure to begin."""
    stages, done = trainer.stages(), trainer.done()
    earlier = stages[: stages.index(stage)] if stage in stages else [stage]
    if stage != "features" and stage not in done and all(name in done for name in earlier):
        _tell(trainer, reporter, f"{_title(stage)} begins: {logs_line(trainer.out, stage)}")


@contextlib.contextmanager
def _shown_logs(trainer: Trainer, reporter: Reporter) -> Iterator[None]:
    """A training that is stopped says where its curves are, too."""
    try:
        yield
    except Interrupted:
        for line in [*logs_of(trainer.out), tensorboard_line(trainer.out)]:
            _tell(trainer, reporter, line)
        raise


def _title(stage: str) -> str:
    return stage if stage in ("features", "encoders") else f"stage {stage}"


def _figures(result: dict[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}"
        for name, value in result.items()
        if not isinstance(value, dict | list)
    )
