"""One call of ``tfw curate``: recipe, sources, plan, run, commit. The cli shows what it returns."""

import dataclasses
import os
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface_wild.core.clip import Source
from talkingface_wild.core.litter import nothing_left
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.compact import stored_null_columns
from talkingface_wild.dataset.funnel import by_language, funnel, speechless_note
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.load import load
from talkingface_wild.dataset.media_links import link_media
from talkingface_wild.dataset.old_layout import bring_over
from talkingface_wild.engine.executors import device_for, make_executor
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.ruling import Ruling
from talkingface_wild.engine.run import Run
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.jobs.curate.request import CurateRequest
from talkingface_wild.pipelines.commit_ruling import commit_ruling
from talkingface_wild.pipelines.lengths import source_lengths
from talkingface_wild.pipelines.planning import (
    check_commercial,
    check_weights,
    plan_of,
    without_network,
)
from talkingface_wild.pipelines.recipe import Recipe, load_recipe
from talkingface_wild.pipelines.source_items import root_item
from talkingface_wild.pipelines.sources.collect import CORPUS_MARKER, GATHERED, gather_sources
from talkingface_wild.pipelines.stage_costs import curation_costs
from talkingface_wild.pipelines.targets import Waves

DEFAULT_RECIPE = "talkingface_wild"
_ROUND_SOURCES = 200
_LENGTHS_SECONDS = 1.5
"""Longest that headers are read for, so that the first estimate knows how long videos are."""


@dataclass
class Outcome:
    """What a run left: its ruling, its commit, and notes for a person."""

    out: Path
    recipe: Recipe
    plan: Plan
    ruling: Ruling
    commit: Commit
    sources: list[Source]
    notes: list[str] = field(default_factory=list)
    stopped: str | None = None

    def count(self, state: str, level: str | None = None) -> int:
        """Items in one final state, of one level or of both."""
        states = self.ruling.verdicts["state"] == state
        if level is not None:
            states &= (self.ruling.table["level"] == level).to_numpy(bool)
        return int(states.sum())


def recipe_of(request: CurateRequest) -> Recipe:
    """The recipe asked for, else the folder's own, else the default; settings applied.

    Raises RecipeError, and UsageError for weights that ``commercial_only`` bars.
    """
    stored = request.out / "recipe.yaml"
    name = request.recipe or (str(stored) if stored.is_file() else DEFAULT_RECIPE)
    recipe = load_recipe(name, request.recipe_settings)
    if request.commercial_only:
        check_commercial(recipe)
    return recipe


def curate(request: CurateRequest, reporter: Reporter) -> Outcome:
    """Run the recipe over the sources until nothing is left to do, and commit the data set.

    Raises RecipeError, WeightMissing, NetworkUnavailable, InputUnreadable and FolderLocked before
    any work; DiskFull and Interrupted leave the journal intact.
    """
    recipe = recipe_of(request)
    check_weights(recipe)
    layout = Layout(request.out.absolute())
    with folder_lock(layout.out):
        layout.check_linked()
        bring_over(layout)
        link_media(layout, warn=False)
        with nothing_left(layout.out, GATHERED):
            executor = make_executor(request.engine, request.workers)
            plan = plan_of(recipe, request.score_all)
            notes = changed_gates(layout.out / "recipe.yaml", recipe)
            sources, gathering_notes = gather_sources(
                request.source_choice,
                recipe,
                layout,
                lambda snapshot: reporter.progress(lambda: snapshot),
            )
        notes = gathering_notes + notes
        if request.fresh:
            for name in ("journal", "work"):
                shutil.rmtree(layout.out / name, ignore_errors=True)
        write_text(layout.out / "recipe.yaml", recipe.dump())
        if not any(source.url for source in sources):
            plan = without_network(plan)
        place = Workplace(layout.out, device=device_for("auto"), run=uuid.uuid4().hex)
        if request.retry_failed:
            _allow_hosts(sources)
        lengths = source_lengths(sources, layout.out / "gathered", most_seconds=_LENGTHS_SECONDS)
        run = Run(
            plan,
            [root_item(source) for source in sources],
            place,
            executor,
            admission=Waves(recipe.targets, sources),
            retry_failed=request.retry_failed,
            watch=lambda progress: reporter.progress(progress.snapshot),
            costs=curation_costs(plan, request.engine, request.workers, lengths.seconds),
            round_roots=_ROUND_SOURCES,
        )
        try:
            ruling = run.go()
        finally:
            executor.close()
        if run.stopped and layout.has_commit():
            number = int(layout.latest().name)
            commit = Commit(number, layout.latest(), new=False)
            notes.append(f"The data set stays at commit {number} until a run comes to its end.")
        else:
            commit = commit_ruling(layout, recipe, plan, ruling, sources, compact=request.compact)
            notes += closing_notes(request, layout, commit)
        shutil.rmtree(place.scratch, ignore_errors=True)
        return Outcome(request.out, recipe, plan, ruling, commit, sources, notes, run.stopped)


def closing_notes(request: CurateRequest, layout: Layout, commit: Commit) -> list[str]:
    """What a finished run should not leave unsaid: speechless clips, folders not looked at."""
    note = speechless_note(load(layout.out, "clips"), request.out)
    notes = [] if note is None else [note]
    corpus = (layout.out / CORPUS_MARKER).is_file()
    if not commit.new and not request.sources and not corpus:
        notes.append(
            "Nothing new among the sources that this folder knows; a folder or list is looked at "
            f"again when it is named: `tfw curate --out {request.out} --sources FOLDER`."
        )
    return notes


def changed_gates(stored: Path, recipe: Recipe) -> list[str]:
    """A note on the gates that this run sets otherwise than the folder's last run or recut did."""
    if not stored.is_file():
        return []
    before = {gate.name: gate for gate in load_recipe(str(stored)).gates}
    now = {gate.name: gate for gate in recipe.gates}
    names = sorted(n for n in before.keys() | now.keys() if before.get(n) != now.get(n))
    if not names:
        return []
    return [f"Gates differ from those this folder had last: {', '.join(names)}."]


def _allow_hosts(sources: Sequence[Source]) -> None:
    """Let hosts be asked again that an earlier run stopped."""
    from talkingface_wild.pipelines.download.politeness import Politeness
    from talkingface_wild.pipelines.sources.address import host_of

    politeness = Politeness()
    for host in sorted({host_of(source.url) for source in sources if source.url}):
        politeness.allow(host)


def summary(outcome: Outcome) -> dict[str, Any]:
    """The data of ``tfw curate --json``."""
    out = outcome.commit.folder.parent.parent
    clips, items, ledger = (load(out, table) for table in ("clips", "items", "ledger"))
    roots = items[items["level"] == "source"]
    lost = items[items["verdict_state"].isin(["rejected", "failed", "pending"])]
    unmeasured = outcome.plan.unmeasured
    return {
        "out": str(outcome.out),
        "recipe": outcome.recipe.name,
        "commit": outcome.commit.number,
        "new_commit": outcome.commit.new,
        "sources": len(roots),
        "clips_kept": len(clips),
        "hours_kept": round(float(clips["clip_seconds"].sum()) / 3600, 4) if len(clips) else 0.0,
        "failed": outcome.count("failed"),
        "pending": outcome.count("pending"),
        "stopped": outcome.stopped,
        "notes": outcome.notes,
        "languages": by_language(items, clips),
        "funnel": [dataclasses.asdict(step) for step in funnel(ledger, unmeasured)],
        "reasons": {str(k): int(v) for k, v in lost["verdict_reason"].value_counts().items()},
        "unmeasured": unmeasured,
        "null_columns": stored_null_columns(outcome.commit.folder),
        "dataset": os.path.join(str(outcome.out), "dataset"),
        "media": os.path.join(str(outcome.out), "media"),
    }


def failures(outcome: Outcome) -> str:
    """Why items failed, the commonest first, with what was said of the first."""
    verdicts = outcome.ruling.verdicts
    failed = verdicts[verdicts["state"] == "failed"]
    counts = ", ".join(f"{reason} {n}" for reason, n in failed["reason"].value_counts().items())
    return f"{counts}: {failed['detail'].iloc[0]}"
