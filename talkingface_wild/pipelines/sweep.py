"""How much is kept as one bound moves: a ruling per bound over stored measures, nothing written."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.plan import Plan, Planned
from talkingface_wild.engine.ruling import PENDING, Memo, Ruling
from talkingface_wild.functional.round_numbers import multiples, round_step
from talkingface_wild.pipelines.recipe import Recipe, load_recipe
from talkingface_wild.pipelines.recipe_gates import gate_data, gate_named, usual_word, word_of
from talkingface_wild.pipelines.stages import stage_class
from talkingface_wild.pipelines.stored_measures import StoredMeasures, kept_in, open_stored

STEPS = 12
"""Steps between the least and the greatest bound, about."""
MOST_STEPS = 200
"""More would take minutes, and no picture shows them."""


@dataclass(frozen=True)
class Range:
    """Which bounds are tried: round numbers in about ``steps`` steps from ``least`` to ``most``
    (None: the 1st and the 99th percentile of the measured values).
    """

    steps: int = STEPS
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class Amount:
    """Clips and their hours."""

    clips: int
    hours: float


@dataclass(frozen=True)
class Point:
    """What is kept at one bound; ``pending`` has measures or media still to come."""

    bound: float
    current: bool
    kept: Amount
    pending: Amount
    languages: dict[str, Amount]


@dataclass(frozen=True)
class Sweep:
    """The points by rising bound. ``now`` is the bound that the data set has; None without one."""

    commit: int
    gate: str
    column: Column
    word: str
    now: float | None
    per_language: dict[str, float]
    """Bounds of single languages: they stay as they are."""
    points: list[Point]


def sweep(
    out: Path,
    name: str,
    settings: Sequence[str] = (),
    at_least: bool = False,
    bounds: Range | None = None,
) -> Sweep:
    """Hours and clips kept as the bound on a column, or of a gate, moves; all else stays.

    Each point is what ``recut`` with ``gates.NAME.WORD=BOUND`` beside ``settings`` would give. WORD
    is the gate's own; without a gate that of the shipped recipes for that column, else ``at_most``,
    unless ``at_least``. Raises RecipeError and
    UsageError for what cannot be moved.
    """
    layout = Layout(out.absolute())
    recipe = load_recipe(str(layout.latest() / "recipe.yaml"), settings)
    columns = {c.name: c for choice in recipe.stages for c in stage_class(choice.name).columns}
    word, present = _direction(recipe, columns, name, at_least)
    now = None if present is None else float(present.bound)
    # Any bound but the present one: the gate that it changes is the one that `--set` means.
    stored = open_stored(out, [*settings, f"gates.{name}.{word}={1 if now == 0 else 0}"])
    gate = next(gate for gate in stored.recipe.gates if gate not in recipe.gates)
    column = columns[gate.column]
    tried = bounds_between(_values(stored, column), bounds or Range(), column.type == "int", now)
    plan = stored.plan if recipe.targets.hours_per_language else without_idle_barriers(stored.plan)
    memo = Memo()
    points = []
    for bound in tried:
        moved = dataclasses.replace(gate, bound=bound)
        ruling = stored.ruling(_with_gate(plan, moved), memo)
        points.append(_point(bound, bound == now, ruling))
    own = {language: float(value) for language, value in gate.per_group.items()}
    return Sweep(stored.number, gate.name, column, word, now, own, points)


def _direction(
    recipe: Recipe, columns: Mapping[str, Column], name: str, at_least: bool
) -> tuple[str, Gate | None]:
    """The word of the bound to move, and the gate that has it now, if any."""
    entries = {gate.name: gate_data(gate) for gate in recipe.gates}
    word = "at_least" if at_least else None
    own = gate_named(entries, columns, name, word, f"gates.{name}")
    present = next((gate for gate in recipe.gates if gate.name == own), None)
    column = columns[name if present is None else present.column]
    if column.type not in ("float", "int"):
        raise UsageError(
            f"Expected a column of numbers to sweep, found that {column.name} is {column.type}; "
            "`tfw schema` has the columns with their types."
        )
    own_word = None if present is None else word_of(present)
    if own_word == "equals":
        raise UsageError(
            f"Expected a bound that can move, found that gate {own} asks for one value; "
            f"sweep it as a least value with --at-least."
        )
    if at_least and own_word not in ("at_least", "above"):
        return "at_least", None
    return own_word or usual_word(column), present


def _values(stored: StoredMeasures, column: Column) -> np.ndarray:
    """The measured values of a column, on the items that its stage works on."""
    values = stored.items[column.name].dropna().to_numpy(float)
    if not len(values):
        raise UsageError(
            f"Expected a measured column to sweep, found that {column.name} is not measured in "
            f"this set ({column.meaning}); take another column (`tfw schema`)."
        )
    return np.asarray(values)


def bounds_between(
    values: np.ndarray, tried: Range, whole: bool, now: float | None
) -> list[float | int]:
    """Round numbers in rising order that span a range, its ends if they were given, and ``now``.

    Raises UsageError for a range without room or without end, and for too many steps.
    """
    if not 2 <= tried.steps <= MOST_STEPS:
        raise UsageError(
            f"--steps expects 2 to {MOST_STEPS}, found {tried.steps}; leave it out for {STEPS}."
        )
    low = tried.least if tried.least is not None else float(np.quantile(values, 0.01))
    high = tried.most if tried.most is not None else float(np.quantile(values, 0.99))
    if not math.isfinite(high - low):
        raise UsageError(
            f"Expected finite numbers for --from and --to, found {low:g} and {high:g}; the "
            f"measured values lie between {values.min():g} and {values.max():g}."
        )
    if low > high or (low == high and tried.least is not None and tried.most is not None):
        raise UsageError(
            f"Expected --from below --to, found {low:g} and {high:g}; the measured values lie "
            f"between {values.min():g} and {values.max():g}."
        )
    step = round_step((high - low) / tried.steps, whole)
    outward = multiples(step, low, high, outward=True)
    bounds = {
        bound
        for bound in outward
        if (tried.least is None or bound >= low) and (tried.most is None or bound <= high)
    }
    bounds |= {end for end in (tried.least, tried.most, now) if end is not None}
    return sorted(int(bound) if whole else bound for bound in bounds)


def without_idle_barriers(plan: Plan) -> Plan:
    """The plan without the stages over the whole table whose columns decide nothing: no gate, no
    stage and no language reads them.
    """
    columns = {gate.column for planned in plan.stages for gate in planned.gates} | {"language"}
    for planned in plan.stages:
        columns |= set() if planned.whole else set(planned.from_barriers)
    stages: list[Planned] = []
    for planned in reversed(plan.stages):
        if planned.whole:
            if columns.isdisjoint(column.name for column in planned.stage.columns):
                continue
            columns |= set(planned.stage.needs)
        stages.insert(0, planned)
    return dataclasses.replace(plan, stages=tuple(stages))


def _with_gate(plan: Plan, moved: Gate) -> Plan:
    """The plan with ``moved`` in the place of the gate of its name."""
    stages = tuple(
        dataclasses.replace(
            planned, gates=tuple(moved if g.name == moved.name else g for g in planned.gates)
        )
        if any(gate.name == moved.name for gate in planned.gates)
        else planned
        for planned in plan.stages
    )
    return dataclasses.replace(plan, stages=stages)


def _point(bound: float, current: bool, ruling: Ruling) -> Point:
    kept = kept_in(ruling)
    languages = {
        str(language): _amount(rows) for language, rows in kept.groupby("language", sort=True)
    }
    return Point(bound, current, _amount(kept), _amount(kept_in(ruling, PENDING)), languages)


def _amount(rows: pd.DataFrame) -> Amount:
    return Amount(len(rows), round(float(rows["clip_seconds"].sum()) / 3600, 6))
