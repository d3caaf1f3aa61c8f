"""A new commit from stored measures under other gates. Opens no video, starts no worker."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from talkingface_wild.core.clip import Source
from talkingface_wild.core.errors import RecipeError
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.languages import UNKNOWN
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.decisions import apply_decisions
from talkingface_wild.dataset.items import load_items
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.old_layout import bring_over
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.ruling import KEPT, PENDING, Memo, Ruling
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.table import with_all_columns, without_lost_files
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
class Blank:
    """Clips that a changed gate met without a value of its column."""

    gate: str
    column: str
    clips: int
    kept: bool
    """Whether they were kept all the same (``missing: pass``); else rejected as unmeasured."""


@dataclass(frozen=True)
class Recut:
    """What a recut came to, or would come to; ``pending`` counts what the next run finishes.

    ``before`` is the number of the commit that it began from; a dry run's ``commit`` is that one.
    """

    before: int
    commit: Commit
    dry_run: bool
    changes: list[Change]
    pending: int
    blanks: list[Blank]


@dataclass(frozen=True)
class Stored:
    """The latest commit's measures, and the plan that rules over them under a recipe's gates."""

    layout: Layout
    commit: Path
    recipe: Recipe
    changed: tuple[Gate, ...]
    """Gates that the settings made, or made otherwise than the commit has them."""
    plan: Plan
    items: pd.DataFrame
    sources: Sequence[Source]

    @property
    def number(self) -> int:
        """The number of the commit."""
        return int(self.commit.name)

    def ruling(self, plan: Plan | None = None, memo: Memo | None = None) -> Ruling:
        """The ruling under ``plan`` (the stored one), reviewers' decisions applied."""
        place = Workplace(self.layout.out)
        ruling = admitted_ruling(
            plan or self.plan, self.recipe, self.items, self.sources, place, memo
        )
        apply_decisions(self.layout, ruling)
        return ruling


def recut(
    out: Path, settings: Sequence[str] = (), dry_run: bool = False, made_by: str = "recut"
) -> Recut:
    """Rule anew over the latest commit's measures with changed gates, and commit.

    A dry run writes nothing. Raises RecipeError for a setting that is no gate or whose column
    nothing was measured in, InputUnreadable where there is no data set.
    """
    layout = Layout(out.absolute())
    layout.latest()
    with contextlib.nullcontext() if dry_run else folder_lock(layout.out):
        if not dry_run:
            layout.check_linked()
            bring_over(layout)
        stored = open_stored(out, settings)
        before = _kept_clips(stored.commit)
        ruling = stored.ruling()
        if dry_run:
            commit = Commit(stored.number, stored.commit, new=False)
            after = kept_in(ruling)
        else:
            commit = commit_ruling(
                layout,
                stored.recipe,
                stored.plan,
                ruling,
                stored.sources,
                measured_in=stored.commit,
                made_by=made_by,
            )
            after = _kept_clips(commit.folder)
    pending = int((ruling.verdicts["state"] == PENDING).sum())
    return Recut(
        stored.number,
        commit,
        dry_run,
        _changes(before, after),
        pending,
        _blanks(stored.changed, ruling),
    )


def open_stored(out: Path, settings: Sequence[str] = ()) -> Stored:
    """Read the latest commit of ``out`` for rulings under its recipe with ``settings``."""
    for setting in settings:
        if not setting.startswith(("gates.", "targets.")):
            raise RecipeError(
                f"--set {setting}: recut changes gates and targets alone, found a stage's setting; "
                f"measure with it by `tfw curate --out {out} --set {setting}`."
            )
    layout = Layout(out.absolute())
    commit = layout.latest()
    recipe = load_recipe(str(commit / "recipe.yaml"), settings)
    changed: tuple[Gate, ...] = ()
    if settings:
        known = load_recipe(str(commit / "recipe.yaml")).gates
        changed = tuple(gate for gate in recipe.gates if gate not in known)
    plan = stored_plan(recipe, commit)
    items = without_lost_files(with_all_columns(load_items(commit), plan), plan, layout.out)
    for gate in changed:
        check_measured(plan, items, gate.column)
    return Stored(layout, commit, recipe, changed, plan, items, load_sources(layout))


def check_measured(plan: Plan, items: pd.DataFrame, column: str) -> None:
    """Raise RecipeError, with the reason, where no item of the set has a value in ``column``.

    Barriers' columns are made anew by every ruling.
    """
    givers = [
        planned for planned in plan.stages if column in {c.name for c in planned.stage.columns}
    ]
    if givers[0].whole or items[column].notna().any():
        return
    reached = items[items["level"] == givers[0].stage.level]
    why = givers[0].unmeasured
    meaning = next(c.meaning for c in givers[0].stage.columns if c.name == column)
    said = (
        f"stage {givers[0].name} did not run ({why})"
        if why
        else f"stage {givers[0].name} has none for any of {len(reached)} items ({meaning})"
    )
    raise RecipeError(
        f"Expected a measured column to gate on, found {column} without a value in this set: "
        f"{said}; take another column (`tfw schema`), or measure it and run `tfw curate` again."
    )


def _blanks(gates: Sequence[Gate], ruling: Ruling) -> list[Blank]:
    verdicts, table = ruling.verdicts, ruling.table
    clips = (table["level"] == "clip").to_numpy(bool)
    blanks = []
    for gate in gates:
        if gate.missing == "pass":
            where = (verdicts["state"] == KEPT).to_numpy(bool)
            where &= table[gate.column].isna().to_numpy(bool)
        else:
            where = (
                (verdicts["gate"] == gate.name) & (verdicts["reason"] == "unmeasured")
            ).to_numpy(bool)
        if count := int((where & clips).sum()):
            blanks.append(Blank(gate.name, gate.column, count, gate.missing == "pass"))
    return blanks


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


def kept_in(ruling: Ruling, state: str = KEPT) -> pd.DataFrame:
    """The clips of a ruling in one state: clip_id, language (final), clip_seconds."""
    table = ruling.table
    where = (ruling.verdicts["state"] == state).to_numpy(bool)
    where &= (table["level"] == "clip").to_numpy(bool)
    names = ["item_id", "group", "clip_seconds", *(["language"] if "language" in table else [])]
    rows = table[names][where]
    languages = rows["language"].fillna(rows["group"]) if "language" in rows else rows["group"]
    return pd.DataFrame(
        {
            "clip_id": rows["item_id"].to_numpy(object),
            "language": languages.fillna(UNKNOWN).to_numpy(object),
            "clip_seconds": rows["clip_seconds"].to_numpy(float, na_value=0.0),
        }
    )


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
