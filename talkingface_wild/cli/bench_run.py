"""One run of ``tfw bench`` from its request to its page: checked, made, measured, told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.cli.bench_generators import (
    NAMES,
    OPTIONS,
    Sampling,
    checkpoint_facts,
    generators,
)
from talkingface_wild.cli.output import Output
from talkingface_wild.core.errors import UsageError

if TYPE_CHECKING:
    from talkingface_wild.benchmark.outputs import Making
    from talkingface_wild.benchmark.request import BenchRequest
    from talkingface_wild.benchmark.suite import BenchOutcome


def measured(output: Output, request: BenchRequest, sampling: Sampling) -> BenchOutcome:
    """Measure and score; videos of a generator are made first. Writes the page, says warnings."""
    from talkingface_wild.benchmark import networks
    from talkingface_wild.benchmark.candidates import FLOORS
    from talkingface_wild.benchmark.costs import measuring_seconds
    from talkingface_wild.benchmark.metrics import chosen_metrics
    from talkingface_wild.benchmark.resolving import SEEDS, asked_of, clips_of, row_name
    from talkingface_wild.benchmark.suite import bench as go
    from talkingface_wild.benchmark.suite import protocol_of
    from talkingface_wild.cli.board import Board
    from talkingface_wild.cli.videos_progress import VideosProgress
    from talkingface_wild.engine.executors import device_for
    from talkingface_wild.pages.run_page import write_page

    offered = generators(device_for(request.device), sampling)
    _refuse_idle(request, sampling)
    checkpoint = None
    if request.model in offered:
        checkpoint = checkpoint_facts(request.model, request.checkpoint, request.name)
    chosen = protocol_of(request)
    names = [metric.name for metric in chosen_metrics(request.metrics, chosen.metrics)]
    clips = clips_of(request).limited(request.limit)
    named = row_name(request, offered)
    request = dataclasses.replace(request, name=named, sampling=str(sampling))
    if not request.skip_missing:
        networks.refuse_missing(networks.missing(chosen, names))
    facts, notes = checkpoint.of_run(clips) if checkpoint is not None else ({}, [])
    if request.seeds not in (None, SEEDS) and checkpoint is not None:
        notes.append(f"Made with --seeds {request.seeds} where the protocol asks for {SEEDS}.")
    for note in clips.notes:
        output.warn(note)
    if request.outputs and request.model in FLOORS:
        output.warn(f"{request.model} is made from the real videos; --outputs is not looked at.")
    with Board(output) as board:
        left_out = networks.missing(chosen, names)
        measured_names = [name for name in names if name not in left_out]
        making = VideosProgress(
            measuring_seconds(chosen, measured_names, request.engine, request.workers)
        )

        def made(state: Making) -> None:
            making.update(state)
            board.show(making.snapshot)

        outcome = go(
            request,
            clips,
            lambda: asked_of(request, clips, chosen, offered, output.warn, made),
            watch=lambda progress: board.show(lambda: making.before(progress.snapshot())),
            notes=notes,
            facts=facts,
        )
    _warn(output, outcome)
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


def _refuse_idle(request: BenchRequest, sampling: Sampling) -> None:
    """Raise UsageError for options that only a generator has a use for."""
    idle = [OPTIONS[name] for name in sampling.given()]
    if idle and request.model not in NAMES:
        raise UsageError(
            f"Expected {', '.join(idle)} with a generator ({', '.join(NAMES)}), found "
            f"{request.model or 'finished videos'}; leave it out."
        )


def _warn(output: Output, outcome: BenchOutcome) -> None:
    """Say, once each, what a reader of the scores has to know."""
    scores = outcome.run.scores.values()
    unofficial = unofficial_of(outcome)
    said = [f"{m} is left out: {', '.join(w)} missing." for m, w in outcome.left_out.items()]
    said += [*outcome.notes, *(warning for score in scores for warning in score.warnings)]
    if unofficial:
        said.append(
            f"UNOFFICIAL WEIGHTS ({', '.join(unofficial)}): these numbers compare with none."
        )
    for text in dict.fromkeys(said):
        if text not in output.warnings:
            output.warn(text)
