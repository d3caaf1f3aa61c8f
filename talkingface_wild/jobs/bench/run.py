"""One run of ``tfw bench`` from its request to its page: checked, drawn, measured, told."""

import functools
from pathlib import Path
from typing import Any

from talkingface_wild.benchmark.candidates import BASELINES
from talkingface_wild.benchmark.clip_sources import SEEDS, candidates_of, clips_of, row_name
from talkingface_wild.benchmark.outputs import DrawingState
from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.benchmark.suite import BenchOutcome, select
from talkingface_wild.benchmark.suite import bench as measure
from talkingface_wild.benchmark.typical_costs import measuring_seconds
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.generator import Generator
from talkingface_wild.core.reporter import Look, Reporter
from talkingface_wild.engine.executors import device_for
from talkingface_wild.jobs.bench.progress import VideosProgress
from talkingface_wild.jobs.bench.training_overlap import facts_of_run
from talkingface_wild.models import generator_class, registered
from talkingface_wild.pages.run_page import write_page

OPTIONS = {"steps": "--steps", "guidance": "--cfg"}
"""The command line's names of a generator's options."""


class WarningsKept:
    """A Reporter that hands on, and knows what was teller of."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.warnings: set[str] = set()

    def say(self, text: str) -> None:
        """Hand on."""
        self._reporter.say(text)

    def warn(self, text: str) -> None:
        """Hand on and remember."""
        self.warnings.add(text)
        self._reporter.warn(text)

    def progress(self, look: Look) -> None:
        """Hand on."""
        self._reporter.progress(look)


def bench(request: BenchRequest, reporter: Reporter) -> BenchOutcome:
    """Measure and score; videos of a generator are drawn first. Writes the page, tells warnings."""
    request.check()
    teller = reporter if isinstance(reporter, WarningsKept) else WarningsKept(reporter)
    device = device_for(request.device)
    openers = {name: functools.partial(_opened, name, device) for name in registered()}
    _refuse_idle(request)
    checkpoint = None
    if request.model in openers:
        label = request.name or request.model
        checkpoint = generator_class(request.model).read_facts(request.checkpoint, label)
    selection = select(request)
    clips = clips_of(request).limited(request.limit)
    request = request.model_copy(update={"name": row_name(request, openers)})
    selection.refuse_missing(request.skip_missing)
    facts, notes = facts_of_run(checkpoint, clips) if checkpoint is not None else ({}, [])
    if request.seeds not in (None, SEEDS) and checkpoint is not None:
        notes.append(f"Made with --seeds {request.seeds} where the protocol asks for {SEEDS}.")
    for note in clips.notes:
        teller.warn(note)
    if request.outputs and request.model in BASELINES:
        teller.warn(f"{request.model} is made from the real videos; --outputs is not looked at.")
    drawing = VideosProgress(
        measuring_seconds(selection.protocol, selection.metrics, request.engine, request.workers)
    )

    def watch_videos(state: DrawingState) -> None:
        drawing.update(state)
        teller.progress(drawing.snapshot)

    outcome = measure(
        request,
        clips,
        selection,
        lambda: candidates_of(
            request, clips, selection.protocol, openers, teller.warn, watch_videos
        ),
        watch=lambda progress: teller.progress(lambda: drawing.before(progress.snapshot())),
        notes=notes,
        facts=facts,
    )
    _warn(teller, outcome)
    write_page(outcome.run, page_of(outcome))
    return outcome


def page_of(outcome: BenchOutcome) -> Path:
    """Where the page of a run is written."""
    return outcome.run.folder / "report.html"


def unofficial_of(outcome: BenchOutcome) -> list[str]:
    """Weights behind some score that are not the published ones."""
    return list(dict.fromkeys(w for s in outcome.run.scores.values() for w in s.unofficial))


def scores_of(outcome: BenchOutcome) -> dict[str, Any]:
    """Every score as plain data."""
    names = ("value", "low", "high", "n", "unit", "signature", "note", "deviation", "raw", "extra")
    return {
        key: {name: getattr(score, name) for name in names} | {"unofficial": score.unofficial}
        for key, score in outcome.run.scores.items()
    }


def data_of(request: BenchRequest, outcome: BenchOutcome) -> dict[str, Any]:
    """A run and its scores as plain data."""
    run = outcome.run
    return {
        "out": str(request.out),
        "name": run.name,
        "model": run.model,
        "protocol": run.protocol,
        "list": f"{run.list_name}:{run.list_sha8}",
        "clips": run.listed,
        "scored": int(
            run.listed and len(run.clips().query("state != 'unscored'")["clip"].unique())
        ),
        "unscored": outcome.unscored,
        "failed": outcome.failed,
        "static": run.failures,
        "scores": scores_of(outcome),
        "languages": {
            language: {key: {"value": s.value, "n": s.n} for key, s in scores.items()}
            for language, scores in run.languages.items()
        },
        "left_out": outcome.left_out,
        "unofficial": unofficial_of(outcome),
        "trained_on": run.facts.get("trained_on"),
        "report": str(page_of(outcome)),
    }


def _opened(name: str, device: str, checkpoint: Path | None) -> Generator:
    return generator_class(name).open(checkpoint, device)


def _refuse_idle(request: BenchRequest) -> None:
    """Raise UsageError for options that only a generator has a use for."""
    taken: tuple[str, ...] = ()
    if request.options and request.model in registered():
        taken = generator_class(request.model).options
    idle = [OPTIONS[name] for name in request.options if name not in taken]
    if idle:
        raise UsageError(
            f"Expected {', '.join(idle)} with a generator ({', '.join(registered())}), found "
            f"{request.model or 'finished videos'}; leave it out."
        )


def _warn(reporter: WarningsKept, outcome: BenchOutcome) -> None:
    """Say, once each, what a reader of the scores has to know."""
    scores = outcome.run.scores.values()
    unofficial = unofficial_of(outcome)
    sentences = [f"{m} is left out: {', '.join(w)} missing." for m, w in outcome.left_out.items()]
    sentences += [*outcome.notes, *(warning for score in scores for warning in score.warnings)]
    if unofficial:
        sentences.append(
            f"UNOFFICIAL WEIGHTS ({', '.join(unofficial)}): these numbers compare with none."
        )
    for text in dict.fromkeys(sentences):
        if text not in reporter.warnings:
            reporter.warn(text)
