"""A new commit from stored measures under other gates. Opens no video, starts no worker."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from talkingface_wild.core.clip import Source
from talkingface_wild.core.errors import RecipeError
from talkingface_wild.core.paths import write_text
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.items import load_items
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.old_layout import bring_over
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.ruling import PENDING, Ruling
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.table import without_lost_files
from talkingface_wild.pipelines.curate import commit_ruling
from talkingface_wild.pipelines.gathering import load_sources
from talkingface_wild.pipelines.recipe import Recipe, load_recipe
from talkingface_wild.pipelines.stages import stage_class
from talkingface_wild.pipelines.targets import admitted_ruling


@dataclass(frozen=True)
class Change:
    """Clips and hours of one language before and after."""

    language: str
    clips_before: int
    clips_after: int
    won: int
    lost: int
    hours_before: float
    hours_after: float


@dataclass(frozen=True)
class Recut:
    """What a recut came to; ``pending`` counts items that the next ``tfw curate`` finishes."""

    commit: Commit
    changes: list[Change]
    pending: int


def recut(out: Path, settings: Sequence[str] = (), made_by: str = "recut") -> Recut:
    """Rule anew over the latest commit's measures with changed gates, and commit.

    Raises RecipeError for a setting that is no gate, InputUnreadable where there is no data set.
    """
    for setting in settings:
        if not setting.startswith(("gates.", "targets.")):
            raise RecipeError(
                f"--set {setting}: recut changes gates and targets alone, found a stage's setting; "
                f"measure with it by `tfw curate --out {out} --set {setting}`."
            )
    layout = Layout(out.absolute())
    layout.latest()
    with folder_lock(layout.out):
        bring_over(layout)
        latest = layout.latest()
        before = _kept_clips(latest)
        recipe = load_recipe(str(latest / "recipe.yaml"), settings)
        plan = stored_plan(recipe, latest)
        sources = load_sources(layout)
        ruling = ruling_of(plan, recipe, latest, sources, layout)
        commit = commit_ruling(layout, recipe, plan, ruling, sources, latest, made_by)
        write_text(layout.out / "recipe.yaml", recipe.dump())
    pending = int((ruling.verdicts["state"] == PENDING).sum())
    return Recut(commit, _changes(before, _kept_clips(commit.folder)), pending)


def recommit(out: Path) -> Commit:
    """The same gates again: takes in what reviewers decided since the last commit."""
    return recut(out, made_by="review").commit


def stored_plan(recipe: Recipe, commit: Path) -> Plan:
    """The plan of a commit: its stages as they ran there, whatever weights this machine has."""
    stored = json.loads((commit / "fingerprints.json").read_text(encoding="utf-8"))
    stages = [
        (stage_class(c.name), c.config, stored.get(c.name, {}).get("unmeasured"))
        for c in recipe.stages
    ]
    plan = make_plan(stages, recipe.gates, lambda name: None)
    renamed = tuple(
        dataclasses.replace(planned, fingerprint=stored[planned.name]["fingerprint"])
        for planned in plan.stages
    )
    return dataclasses.replace(plan, stages=renamed)


def ruling_of(
    plan: Plan, recipe: Recipe, commit: Path, sources: Sequence[Source], layout: Layout
) -> Ruling:
    """The ruling over a commit's measures; waves of sources are admitted as a run would."""
    items = without_lost_files(load_items(commit), plan, layout.out)
    return admitted_ruling(plan, recipe, items, sources, Workplace(layout.out))


def _kept_clips(commit: Path) -> pd.DataFrame:
    table = pq.read_table(commit / "clips", columns=["clip_id", "language", "clip_seconds"])
    frame: pd.DataFrame = table.to_pandas()
    frame["language"] = frame["language"].astype(str)
    return frame


def _changes(before: pd.DataFrame, after: pd.DataFrame) -> list[Change]:
    rows = []
    for language in sorted(set(before["language"]) | set(after["language"])):
        old = before[before["language"] == language]
        new = after[after["language"] == language]
        old_ids, new_ids = set(old["clip_id"]), set(new["clip_id"])
        rows.append(
            Change(
                language,
                len(old),
                len(new),
                len(new_ids - old_ids),
                len(old_ids - new_ids),
                round(float(old["clip_seconds"].sum()) / 3600, 6),
                round(float(new["clip_seconds"].sum()) / 3600, 6),
            )
        )
    return rows
