"""One call of ``tfw bench``: features through the engine, scores, the run on the disk.

The caller hands in generators and shows what comes back. A run's folder holds one method on one
list under one protocol.
"""

import dataclasses
import json
import os
import platform
import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface_wild import weights
from talkingface_wild.benchmark import metric_weights
from talkingface_wild.benchmark.candidates import BASELINES, ClipCandidate
from talkingface_wild.benchmark.clips import ClipSet
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.measure_stage import (
    Features,
    FeaturesConfig,
    content_key,
    extractors_of,
    fingerprints_of,
    jobs,
    sides_from,
)
from talkingface_wild.benchmark.metrics import METRICS, metrics_of
from talkingface_wild.benchmark.protocol import Protocol, load_protocol
from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.benchmark.runs import (
    BenchRun,
    add_values,
    failed_rows,
    read_run,
    remarks,
    rows_of,
    write_run,
)
from talkingface_wild.benchmark.scoring import Scoring
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.benchmark.typical_costs import bench_costs
from talkingface_wild.core.errors import DiskFull, InputUnreadable, Interrupted, UsageError
from talkingface_wild.core.version import __version__
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.executors import device_for, make_executor
from talkingface_wild.engine.journal import Journal
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.progress import Progress
from talkingface_wild.engine.run import Run
from talkingface_wild.engine.stage import Item, Workplace

PAIRS = "pairs"


@dataclass
class BenchOutcome:
    """A finished run, and what its caller tells of it."""

    run: BenchRun
    failed: int = 0
    unscored: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Metrics that were skipped, with the weights they lack."""

    @property
    def notes(self) -> list[str]:
        """What a reader of the scores has to know."""
        return list(self.run.facts["notes"])


@dataclass(frozen=True)
class Selection:
    """The protocol as it is run on this machine, and the metrics that can be measured here."""

    protocol: Protocol
    metrics: list[str]
    left_out: dict[str, list[str]]
    """The request's other metrics, with the weights they lack."""

    def refuse_missing(self, skip_missing: bool) -> None:
        """Raise WeightMissing unless ``skip_missing``; UsageError where no metric is left."""
        if not skip_missing:
            metric_weights.refuse_missing(self.left_out)
        if not self.metrics:
            raise UsageError(
                "Expected at least one metric that can be measured here, found none left: "
                + "; ".join(f"{m} lacks {', '.join(w)}" for m, w in self.left_out.items())
                + "; get the weights, or ask for --metrics ssim,psnr."
            )


def select(request: BenchRequest) -> Selection:
    """The protocol and metrics of a request. Raises UsageError, RecipeError."""
    protocol = metric_weights.resolved(load_protocol(request.protocol))
    if request.autocast:
        protocol = dataclasses.replace(protocol, autocast=True)
    names = [metric.name for metric in metrics_of(request.metrics, protocol.metrics)]
    left_out = metric_weights.missing(protocol, names)
    return Selection(protocol, [name for name in names if name not in left_out], left_out)


def bench(
    request: BenchRequest,
    clips: ClipSet,
    selection: Selection,
    candidates_of: Callable[[], Sequence[ClipCandidate]],
    watch: Callable[[Progress], None] | None = None,
    notes: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
) -> BenchOutcome:
    """Measure and score; writes the run under ``request.out``. ``candidates_of`` gives each clip
    with its candidate, and may make videos: it is called while the folder is locked. ``facts`` are
    plain data of the method that the run keeps, such as what it was trained on.

    Raises UsageError before any work for a folder that holds something else; InputUnreadable when
    no clip could be scored; DiskFull and Interrupted leave the journal intact.
    """
    out, protocol = request.out.absolute(), selection.protocol
    device = device_for(request.device)
    metrics = _metrics_to_measure(out, request, clips, selection)
    with folder_lock(out):
        if request.fresh:
            shutil.rmtree(out / "journal", ignore_errors=True)
            if request.features is None:
                shutil.rmtree(out / "features", ignore_errors=True)
        store = FeatureStore((request.features or out / "features").absolute())
        config = FeaturesConfig(protocol.to_json(), metrics, str(store.folder))
        plan = make_plan([(Features, config, None)], (), weights.sha256)
        place = Workplace(out, device=device, run=uuid.uuid4().hex)
        candidates = candidates_of()
        _check_delivered(request, candidates)
        items = [candidate.item() for candidate in candidates]
        scoring = _scoring(request, clips, protocol, metrics, store)
        _reopen_lost(out, plan, items, scoring)
        executor = make_executor(request.engine, request.workers)
        run = Run(
            plan,
            items,
            place,
            executor,
            retry_failed=request.retry_failed,
            watch=watch,
            costs=bench_costs(protocol, metrics, candidates, request.engine, request.workers),
        )
        try:
            ruling = run.go()
        finally:
            executor.close()
        rows = rows_of(candidates, items, ruling)
        scored = [row for row in rows if row["state"] != "unscored"]
        if run.stopped:
            error = Interrupted if run.stopped == "interrupted" else DiskFull
            raise error(
                f"Stopped ({run.stopped}) with {len(scored)} of {len(rows)} clips measured in "
                f"{request.out}; the journal is intact; run the same command again to go on."
            )
        if not scored:
            reasons = [f"{row['clip']}: {row['reason']} ({row['detail']})" for row in rows[:3]]
            raise InputUnreadable(
                f"Expected at least one clip that can be scored, found none of {len(rows)}: "
                f"{'; '.join(reasons)}; look at those files first."
            )
        notes = [*clips.notes, *notes]
        bench_run = _scored(request, clips, scoring, rows, selection.left_out, notes, facts or {})
        shutil.rmtree(place.scratch, ignore_errors=True)
        failed = int((ruling.verdicts["state"] == "failed").sum())
        return BenchOutcome(bench_run, failed, len(rows) - len(scored), selection.left_out)


def _metrics_to_measure(
    out: Path, request: BenchRequest, clips: ClipSet, selection: Selection
) -> tuple[str, ...]:
    """The selection's metrics, and those that the run in ``out`` has already.

    Raises UsageError when ``out`` is a data set's folder or holds another run.
    """
    if Layout(out).has_commit():
        raise UsageError(
            f"Expected a folder for a run, found the data set in {out}; choose another --out."
        )
    if not (out / "run.json").is_file() or request.fresh:
        return tuple(selection.metrics)
    facts = read_run(out).facts
    there, here = facts.get("request"), _identity_of_run(request, clips, selection.protocol)
    if there != here:
        before = dict(there or {})
        differing = [
            f"{key} {before.get(key, '')!r} instead of {here.get(key, '')!r}"
            for key in dict.fromkeys([*before, *here])
            if before and before.get(key) != here.get(key)
        ]
        raise UsageError(
            f"Expected the same run in {out}, found another ({', '.join(differing) or 'older'}); "
            "choose another --out, or --fresh to replace it."
        )
    lacking = metric_weights.missing(selection.protocol, facts["metrics"])
    earlier = (name for name in facts["metrics"] if name not in lacking)
    return tuple(dict.fromkeys([*earlier, *selection.metrics]))


def _identity_of_run(request: BenchRequest, clips: ClipSet, protocol: Protocol) -> dict[str, str]:
    """What makes a run another one: the method, its videos, the list and the protocol."""
    identity = {
        "model": request.model or request.name or "pairs",
        "outputs": str(request.outputs.absolute()) if request.outputs else "",
        "list": clips.name,
        "protocol": protocol.name,
    }
    if request.checkpoint:
        identity["checkpoint"] = str(request.checkpoint.absolute())
    return identity | ({"sampling": request.sampling} if request.sampling else {})


def _check_delivered(request: BenchRequest, candidates: Sequence[ClipCandidate]) -> None:
    """Raise InputUnreadable when not one of a method's videos is where it should be."""
    paths = [entry.candidate.path for entry in candidates if entry.candidate.kind == "file"]
    if paths and not any(Path(path).is_file() for path in paths):
        remedy = "check --outputs and how the files are called"
        if request.outputs is None and (request.run_command or request.checkpoint):
            remedy = "each of them failed: see what was said of the first"
        raise InputUnreadable(
            f"Expected finished videos of {request.name or request.model or 'the method'} such as "
            f"{paths[0]}, found none of {len(paths)}; {remedy}."
        )


def _reopen_lost(out: Path, plan: Plan, items: Sequence[Item], scoring: Scoring) -> None:
    """Forget results whose stored features were deleted since: they are measured again."""
    if not (out / "journal").is_dir():
        return
    journal = Journal(out / "journal", with_logs=True)
    extractors = extractors_of(scoring.protocol, scoring.metrics)
    lost = []
    for item in items:
        record = journal.get(item.id, plan.stages[0].fingerprint)
        if record is None or record.state != "done" or not record.values:
            continue
        sides = sides_from(json.loads(str(record.values["keys"])))
        if not all(
            scoring.store.has(content_key(extractor, inputs), scoring.prints[extractor.name])
            for _, extractor, inputs in jobs(extractors, sides)
        ):
            lost.append(record)
    if lost:
        journal.gather()
        journal.reopen(lost)


def _scoring(
    request: BenchRequest,
    clips: ClipSet,
    protocol: Protocol,
    metrics: Sequence[str],
    store: FeatureStore,
) -> Scoring:
    """How this run's rows become scores."""
    most = max((clip.frames or protocol.frames for clip in clips.clips), default=protocol.frames)
    head = (
        protocol.name,
        f"list={clips.name.replace('|', '_')}:{clips.sha8}",
        f"clips=0/{clips.listed or len(clips.clips)}",
        (f"≤{most}" if most else "all") + f"f@{protocol.fps}",
        f"{protocol.canvas or 'native'}" + (f"+{protocol.recode}" if protocol.recode else ""),
        "ref=0" if protocol.similarity.first else "ref=none",
    )
    return Scoring(
        protocol,
        tuple(metrics),
        fingerprints_of(protocol, metrics),
        store,
        request.model or PAIRS,
        Signature(head),
        metric_weights.states(
            dict.fromkeys(w for name in metrics for w in METRICS[name].weights(protocol))
        ),
    )


def _scored(
    request: BenchRequest,
    clips: ClipSet,
    scoring: Scoring,
    rows: list[dict[str, Any]],
    left_out: Mapping[str, Sequence[str]],
    notes: Sequence[str],
    facts: Mapping[str, Any],
) -> BenchRun:
    """Compute every score and write the run."""
    scored = [row for row in rows if row["state"] != "unscored"]
    scores = scoring.scores(scored)
    languages = sorted({row["language"] for row in scored if row["language"]})
    by_language = {
        language: scoring.scores(
            [row for row in scored if row["language"] == language], jackknife=False
        )
        for language in (languages if len(languages) > 1 else ())
    }
    add_values(rows, scores)
    all_facts = {
        **facts,
        "protocol": scoring.protocol.to_json(),
        "metrics": list(scoring.metrics),
        "prints": scoring.prints,
        "head": list(scoring.head.parts),
        "asked": len(rows),
        "request": _identity_of_run(request, clips, scoring.protocol),
        "left_out": {metric: list(names) for metric, names in left_out.items()},
        "notes": [*notes, *remarks(rows)],
        "version": __version__,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
    folder = request.out.absolute()
    run = BenchRun(
        folder,
        request.name or _title(request),
        scoring.model,
        scoring.protocol.name,
        clips.name,
        clips.sha8,
        clips.listed or len(clips.clips),
        scores,
        by_language,
        scoring.weights,
        len(failed_rows(rows)),
        len({row["seed"] for row in rows}),
        os.path.relpath(scoring.store.folder, folder),
        all_facts,
    )
    write_run(run, rows)
    return run


def _title(request: BenchRequest) -> str:
    if request.model:
        return request.model if request.model in BASELINES else Path(request.model).stem
    return request.outputs.name if request.outputs else PAIRS
