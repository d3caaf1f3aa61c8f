"""One call of ``tfw bench``: features through the engine, scores, the run on the disk.

The caller hands in generators and shows what comes back.
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
from talkingface_wild.benchmark import metric_weights, protocol
from talkingface_wild.benchmark.candidates import BASELINES
from talkingface_wild.benchmark.clips import ClipSet
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.measure_stage import (
    Features,
    FeaturesConfig,
    content_key,
    extractors_of,
    jobs,
    sides_from,
)
from talkingface_wild.benchmark.metrics import metrics_of
from talkingface_wild.benchmark.request import BenchRequest
from talkingface_wild.benchmark.rows import ClipCandidate, add_values, remarks, rows_of
from talkingface_wild.benchmark.run_folder import check_delivered, check_folder, identity_of_run
from talkingface_wild.benchmark.runs import BenchRun, write_run
from talkingface_wild.benchmark.scoring import Scoring
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.benchmark.typical_costs import bench_costs
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.version import __version__
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
    """What a run came to."""

    run: BenchRun
    failed: int = 0
    unscored: int = 0
    notes: list[str] = field(default_factory=list)
    stopped: str | None = None
    left_out: dict[str, list[str]] = field(default_factory=dict)
    """Metrics that were skipped, with the weights they lack."""


@dataclass(frozen=True)
class Selection:
    """The protocol as it is run on this machine, and the metrics that can be measured here."""

    protocol: protocol.Protocol
    metrics: list[str]
    left_out: dict[str, list[str]]
    """The other metrics that are asked for, with the weights they lack."""

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
    """The protocol and metrics that a request asks for. Raises UsageError, RecipeError."""
    chosen = metric_weights.resolved(protocol.load_protocol(request.protocol))
    if request.autocast:
        chosen = dataclasses.replace(chosen, autocast=True)
    names = [metric.name for metric in metrics_of(request.metrics, chosen.metrics)]
    left_out = metric_weights.missing(chosen, names)
    return Selection(chosen, [name for name in names if name not in left_out], left_out)


def bench(
    request: BenchRequest,
    clips: ClipSet,
    selection: Selection,
    ask: Callable[[], Sequence[ClipCandidate]],
    watch: Callable[[Progress], None] | None = None,
    notes: Sequence[str] = (),
    facts: Mapping[str, Any] | None = None,
) -> BenchOutcome:
    """Measure and score; writes the run under ``request.out``. ``ask`` gives each clip with its
    candidate, and may make videos: it is called while the folder is locked. ``facts`` are plain
    data of the method that the run keeps, such as what it was trained on; ``ask`` may add to them.

    Raises UsageError before any work for a folder that holds something else; InputUnreadable when
    no clip could be scored; DiskFull and Interrupted leave the journal intact.
    """
    chosen, left_out = selection.protocol, selection.left_out
    out = request.out.absolute()
    device = device_for(request.device)
    names = check_folder(out, request, chosen, clips, selection.metrics)
    with folder_lock(out):
        if request.fresh:
            shutil.rmtree(out / "journal", ignore_errors=True)
            if request.features is None:
                shutil.rmtree(out / "features", ignore_errors=True)
        features = (request.features or out / "features").absolute()
        config = FeaturesConfig(chosen.to_json(), tuple(names), str(features))
        plan = make_plan([(Features, config, None)], (), weights.sha256)
        place = Workplace(out, device=device, run=uuid.uuid4().hex)
        asked = ask()
        check_delivered(request, asked)
        items = [entry.item() for entry in asked]
        _reopen_lost(out, plan, items, FeatureStore(features), config)
        executor = make_executor(request.engine, request.workers)
        run = Run(
            plan,
            items,
            place,
            executor,
            retry_failed=request.retry_failed,
            watch=watch,
            costs=bench_costs(chosen, names, asked, request.engine, request.workers),
        )
        try:
            ruling = run.go()
        finally:
            executor.close()
        rows = rows_of(asked, items, ruling)
        scored = [row for row in rows if row["state"] != "unscored"]
        failed = int((ruling.verdicts["state"] == "failed").sum())
        if run.stopped:
            raise _stopped(request, len(scored), len(rows), run.stopped)
        if not scored:
            raise InputUnreadable(_nothing(rows))
        made = _scored(
            request,
            clips,
            chosen,
            names,
            config,
            rows,
            left_out,
            [*clips.notes, *notes],
            facts or {},
        )
        shutil.rmtree(place.scratch, ignore_errors=True)
        outcome = BenchOutcome(made, failed, len(rows) - len(scored), left_out=left_out)
        outcome.notes = list(made.facts["notes"])
        return outcome


def _stopped(request: BenchRequest, done: int, total: int, why: str) -> Exception:
    from talkingface_wild.core.errors import DiskFull, Interrupted

    said = (
        f"Stopped ({why}) with {done} of {total} clips measured in {request.out}; the journal is "
        "intact; run the same command again to go on."
    )
    return Interrupted(said) if why == "interrupted" else DiskFull(said)


def _nothing(rows: Sequence[Mapping[str, Any]]) -> str:
    reasons = [f"{row['clip']}: {row['reason']} ({row['detail']})" for row in rows[:3]]
    return (
        f"Expected at least one clip that can be scored, found none of {len(rows)}: "
        + "; ".join(reasons)
        + "; look at those files first."
    )


def _reopen_lost(
    out: Path, plan: Plan, items: Sequence[Item], store: FeatureStore, config: FeaturesConfig
) -> None:
    """Forget results whose stored features were deleted since: they are measured again."""
    if not (out / "journal").is_dir():
        return
    journal = Journal(out / "journal", with_logs=True)
    found = extractors_of(protocol.from_json(config.protocol), config.metrics)
    prints = {e.name: e.fingerprint() for e in found}
    lost = []
    for item in items:
        record = journal.get(item.id, plan.stages[0].fingerprint)
        if record is None or record.state != "done" or not record.values:
            continue
        if not _complete(json.loads(str(record.values["keys"])), found, prints, store):
            lost.append(record)
    if lost:
        journal.gather()
        journal.reopen(lost)


def _complete(
    keys: Mapping[str, Sequence[str]],
    extractors: Sequence[Any],
    prints: Mapping[str, str],
    store: FeatureStore,
) -> bool:
    wanted = jobs(extractors, sides_from(keys))
    return all(store.has(content_key(e, looked), prints[e.name]) for _, e, looked in wanted)


def _scored(
    request: BenchRequest,
    clips: ClipSet,
    chosen: protocol.Protocol,
    names: Sequence[str],
    config: FeaturesConfig,
    rows: list[dict[str, Any]],
    left_out: Mapping[str, Sequence[str]],
    notes: Sequence[str],
    given: Mapping[str, Any],
) -> BenchRun:
    """Compute every score and write the run."""
    used = dict.fromkeys(w for name in names for w in metric_weights.weights_of(chosen, name))
    standing = metric_weights.standing(list(used))
    prints = {e.name: e.fingerprint() for e in extractors_of(chosen, names)}
    listed = clips.listed or len(clips.clips)
    head = Signature(
        (
            chosen.name,
            f"list={clips.name.replace('|', '_')}:{clips.sha8}",
            f"clips=0/{listed}",
            f"{_most_frames(clips, chosen)}f@{chosen.fps}",
            f"{chosen.canvas or 'native'}" + ("" if not chosen.recode else f"+{chosen.recode}"),
            "ref=0" if chosen.similarity.first else "ref=none",
        )
    )
    folder = request.out.absolute()
    model = request.model or PAIRS
    scoring = Scoring(
        chosen, tuple(names), prints, FeatureStore(Path(config.features)), model, head, standing
    )
    scored = [row for row in rows if row["state"] != "unscored"]
    scores = scoring.scores(scored)
    by_language: dict[str, Any] = {}
    languages = sorted({row["language"] for row in scored if row["language"]})
    if len(languages) > 1:
        for language in languages:
            mine = [row for row in scored if row["language"] == language]
            by_language[language] = scoring.scores(mine, jackknife=False)
    add_values(rows, scores)
    failures = sum(row["state"] == "static" or bool(row["replaced"]) for row in rows)
    said = [*notes, *remarks(rows, failures)]
    facts = {
        **given,
        "protocol": chosen.to_json(),
        "metrics": list(names),
        "prints": prints,
        "head": list(head.parts),
        "asked": len(rows),
        "request": identity_of_run(request, chosen, clips),
        "left_out": {metric: list(found) for metric, found in left_out.items()},
        "notes": said,
        "version": __version__,
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
    }
    run = BenchRun(
        folder,
        request.name or _title(request),
        model,
        chosen.name,
        clips.name,
        clips.sha8,
        listed,
        scores,
        by_language,
        standing,
        failures,
        len({row["seed"] for row in rows}),
        _relative(Path(config.features), folder),
        facts,
    )
    write_run(run, rows)
    return run


def _most_frames(clips: ClipSet, chosen: protocol.Protocol) -> str:
    """``≤375`` where clips may be shorter, ``all`` where nothing bounds them."""
    most = max((clip.frames or chosen.frames for clip in clips.clips), default=chosen.frames)
    return f"≤{most}" if most else "all"


def _title(request: BenchRequest) -> str:
    if request.model:
        return request.model if request.model in BASELINES else Path(request.model).stem
    return request.outputs.name if request.outputs else PAIRS


def _relative(path: Path, folder: Path) -> str:
    """``path`` seen from ``folder``, so that both can be moved together."""
    return os.path.relpath(path, folder)
