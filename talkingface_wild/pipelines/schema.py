"""The tables of a recipe's data set, described by the declarations of its stages."""

from dataclasses import dataclass

from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.reasons import CATALOGUE, LOOSEN, OWN, REVIEW, Reason
from talkingface_wild.dataset.arrow_schema import CLIP_COLUMNS, LEDGER_COLUMNS, SOURCE_COLUMNS
from talkingface_wild.dataset.commit import is_track, item_columns
from talkingface_wild.pipelines.recipe import Recipe, load_recipe
from talkingface_wild.pipelines.stages import stage_class

TABLES = ("clips", "tracks", "sources", "ledger", "items")


def described_columns(table: str, recipe: str) -> list[tuple[Column, str]]:
    """Each column of a table with the stage that gives it (empty for what every data set has)."""
    if table not in TABLES:
        raise UsageError(
            f"Expected a table out of {', '.join(TABLES)}, found {table!r}{nearest(table, TABLES)}."
        )
    if table in ("sources", "ledger"):
        return [
            (column, "") for column in (SOURCE_COLUMNS if table == "sources" else LEDGER_COLUMNS)
        ]
    if table == "items":
        stages = [stage_class(choice.name) for choice in load_recipe(recipe).stages]
        return item_columns(stages)
    first = CLIP_COLUMNS if table == "clips" else CLIP_COLUMNS[:1]
    rows = {column.name: (column, "") for column in first}
    for choice in load_recipe(recipe).stages:
        for column in stage_class(choice.name).columns:
            if is_track(column) == (table == "tracks"):
                rows.setdefault(column.name, (column, choice.name))
    return list(rows.values())


def giving_stages(recipe: Recipe) -> dict[str, tuple[Column, tuple[str, ...]]]:
    """Each column with the stages that give it in their order: a gate judges it after each."""
    columns: dict[str, tuple[Column, tuple[str, ...]]] = {}
    for choice in recipe.stages:
        for column in stage_class(choice.name).columns:
            _, before = columns.get(column.name, (column, ()))
            columns[column.name] = (column, (*before, choice.name))
    return columns


@dataclass(frozen=True)
class GivenReason:
    """A reason, and the gates of a recipe that give it: name, stages, and the bound in words."""

    reason: Reason
    gates: tuple[tuple[str, str, str], ...]

    @property
    def remedy(self) -> str:
        """What helps, with the names of the recipe's gates where there are any."""
        if not self.gates or "gates.NAME" not in self.reason.remedy:
            return self.reason.remedy
        first, *others = (f"gates.{name}" for name, _, _ in self.gates)
        words = self.reason.remedy.replace("gates.NAME", first)
        return f"{words} (or {', '.join(others)})" if others else words


def given_reasons(recipe: str) -> list[GivenReason]:
    """Every reason in its order, then the recipe's own, with the gates of it that give each."""
    resolved = load_recipe(recipe)
    columns = giving_stages(resolved)
    gates: dict[str, list[tuple[str, str, str]]] = {}
    for gate in resolved.gates:
        column, stages = columns[gate.column]
        row = (gate.name, ", ".join(stages), _rule(gate, column))
        gates.setdefault(gate.reason, []).append(row)
    reasons = {**CATALOGUE, **own_reasons(resolved)}
    return [GivenReason(reason, tuple(gates.get(name, ()))) for name, reason in reasons.items()]


def own_reasons(recipe: Recipe) -> dict[str, Reason]:
    """The reasons that gates and stages of a recipe declare themselves, by name."""
    own = {gate.reason: Reason(gate.reason, OWN, gate.meaning, LOOSEN) for gate in recipe.gates}
    own |= {
        reason.name: reason
        for choice in recipe.stages
        for reason in getattr(stage_class(choice.name), "reasons", ())
    }
    return {name: reason for name, reason in own.items() if name not in CATALOGUE}


def _rule(gate: Gate, column: Column) -> str:
    bound = gate.bound
    text = f"{bound:g}" if isinstance(bound, float) else repr(bound) if bound == "" else str(bound)
    text = text.lower() if isinstance(bound, bool) else text
    return f"{gate.column} {gate.comparison} {text} {column.unit}".rstrip()


def reason_called(name: str, recipe: str = "talkingface_wild") -> Reason:
    """The reason of that name; ``review:`` may be left out where no other is called so.

    Raises UsageError with the nearest name for one that is unknown.
    """
    reasons = {**CATALOGUE, **own_reasons(load_recipe(recipe))}
    reason = reasons.get(name) or reasons.get(f"{REVIEW}:{name}")
    if reason is None:
        raise UsageError(
            f"Expected a reason of the closed list, found {name!r}{nearest(name, reasons)}; "
            "`tfw reasons` prints them all."
        )
    return reason
