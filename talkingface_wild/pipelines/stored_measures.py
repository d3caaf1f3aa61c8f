"""The measures of a data set's latest commit, for rulings under other gates; opens no video."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from talkingface_wild.core.clip import Source
from talkingface_wild.core.errors import RecipeError
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.language_names import UNKNOWN
from talkingface_wild.dataset.decisions import apply_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.snapshot import load_items
from talkingface_wild.engine.item_table import with_all_columns, without_lost_files
from talkingface_wild.engine.plan import Plan, make_plan
from talkingface_wild.engine.ruling import KEPT, Memo, Ruling
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.pipelines.recipe import Recipe, load_recipe
from talkingface_wild.pipelines.sources.collect import load_sources
from talkingface_wild.pipelines.stages import stage_class
from talkingface_wild.pipelines.targets import admitted_ruling


@dataclass(frozen=True)
class StoredMeasures:
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


def open_stored(out: Path, settings: Sequence[str] = ()) -> StoredMeasures:
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
        before = load_recipe(str(commit / "recipe.yaml")).gates
        changed = tuple(gate for gate in recipe.gates if gate not in before)
    plan = stored_plan(recipe, commit)
    items = without_lost_files(with_all_columns(load_items(commit), plan), plan, layout.out)
    for gate in changed:
        check_measured(plan, items, gate.column)
    return StoredMeasures(layout, commit, recipe, changed, plan, items, load_sources(layout))


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
    problem = (
        f"stage {givers[0].name} did not run ({why})"
        if why
        else f"stage {givers[0].name} has none for any of {len(reached)} items ({meaning})"
    )
    raise RecipeError(
        f"Expected a measured column to gate on, found {column} without a value in this set: "
        f"{problem}; take another column (`tfw schema`), or measure it and run `tfw curate` again."
    )


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
