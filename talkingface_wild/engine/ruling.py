"""The ruling: gates and barriers over the wide table; what became of each item, what is to do.

Columns at a time, so that a data set is cut anew in seconds; opens no media.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from talkingface_wild.core.gate import COMPARISONS, Gate
from talkingface_wild.engine.item_table import BASE, fact
from talkingface_wild.engine.ledger import LedgerEntry, ledger_of
from talkingface_wild.engine.plan import Plan, Planned, given_text
from talkingface_wild.engine.stage import Whole, Workplace

KEPT, REJECTED, FAILED, PENDING, SPLIT = "kept", "rejected", "failed", "pending", "split"


@dataclass
class Ruling:
    """The table with the barriers' columns, a verdict per item, the ledger, and what is to do.

    ``verdicts`` has the columns state, stage, gate, reason, detail, value, bound, indexed by item.
    ``todo`` lists (item id, position, kept) for the executor: at most one segment between barriers.
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    ledger: pd.DataFrame
    todo: list[tuple[str, int, bool]] = field(default_factory=list)


@dataclass(frozen=True)
class _Answers:
    """What one stage's records say, a mask over the table's rows for each state."""

    none: np.ndarray
    failed: np.ndarray
    rejected: np.ndarray
    split: np.ndarray
    done: np.ndarray
    reasons: np.ndarray
    details: np.ndarray


@dataclass(frozen=True)
class _Judged:
    """One gate over all rows: which pass; for those that do not, reason, value and bound."""

    passed: np.ndarray
    reasons: np.ndarray
    values: np.ndarray
    bounds: np.ndarray


@dataclass
class Memo:
    """What rulings over one table share when their plans differ in bounds alone: the answers of
    its stages, by name, and how its gates judge the measures, by gate. Makes many rulings cheap.
    """

    answers: dict[str, _Answers] = field(default_factory=dict)
    judged: dict[str, _Judged] = field(default_factory=dict)


class _State:
    """Arrays that a ruling fills in while it walks the stages."""

    def __init__(self, table: pd.DataFrame, memo: Memo, changing: frozenset[str]) -> None:
        count = len(table)
        self.memo = memo
        self.changing = changing
        """Columns of the barriers: they depend on what is kept, so no memo holds their gates."""
        roots = (table["born"] == "").to_numpy(bool)
        self.kept = roots.copy()
        self.measured = roots.copy()
        self.state = np.full(count, None, dtype=object)
        self.columns = {
            name: np.full(count, None, dtype=object)
            for name in ("stage", "gate", "reason", "detail", "value", "bound")
        }
        parent_ids: Any = table["parent_id"].to_numpy(object)
        self.parents = table.index.get_indexer(parent_ids)
        """Row of each item's parent, -1 for roots."""
        self.ledger: list[LedgerEntry] = []
        self.todo: list[tuple[np.ndarray, int, np.ndarray]] = []
        self.waiting = False

    def settle(self, where: np.ndarray, state: str, **facts: object) -> None:
        """Give the items ``where`` their final state, unless they have one."""
        fresh = where & (self.state == None)  # noqa: E711 (element-wise)
        self.state[fresh] = state
        for name, value in facts.items():
            target = self.columns[name]
            target[fresh] = value[fresh] if isinstance(value, np.ndarray) else value
        self.kept &= ~where

    def share(self, where: np.ndarray) -> None:
        """Give the items ``where`` the verdict of the items they were cut from."""
        parents = self.parents[where]
        self.state[where] = self.state[parents]
        for column in self.columns.values():
            column[where] = column[parents]


def rule(
    plan: Plan,
    table: pd.DataFrame,
    place: Workplace,
    *,
    admitted: frozenset[str] | None = None,
    first_segment: bool = False,
    memo: Memo | None = None,
) -> Ruling:
    """Walk the stages in order over the wide table.

    Barriers (Whole stages) are computed over what is kept when they are reached. ``todo`` never
    crosses a barrier: items before it come first. Roots outside ``admitted`` (None: all are in) are
    rejected as ``target_met``. ``first_segment`` stops before the first barrier. With a ``memo``,
    of earlier rulings over the same table, the ledger is left empty.
    """
    table = table.copy(deep=False)
    changing = {c.name for planned in plan.stages if planned.whole for c in planned.stage.columns}
    state = _State(table, memo or Memo(), frozenset(changing))
    if admitted is not None:
        outside = state.kept & ~table.index.isin(admitted)
        reasons = np.full(len(table), "target_met", dtype=object)
        state.ledger.append(LedgerEntry(outside, "targets", REJECTED, reasons))
        state.settle(outside, REJECTED, stage="targets", reason=reasons)
        state.measured &= ~outside
    for position, planned in enumerate(plan.stages):
        if planned.whole:
            if first_segment:
                break
            state.waiting = bool(state.todo)
            _barrier(planned, table, state, place)
        else:
            _item_stage(planned, position, plan, table, state)
    state.settle(state.kept & (state.state == None), KEPT)  # noqa: E711
    _inherit(state)
    verdicts = pd.DataFrame({"state": state.state, **state.columns}, index=table.index)
    ids = table.index.to_numpy()
    todo = [
        (str(ids[row]), position, bool(kept[row]))
        for where, position, kept in state.todo
        for row in np.flatnonzero(where)
    ]
    ledger = pd.DataFrame() if memo else ledger_of(table, state.ledger)
    return Ruling(table, verdicts, ledger, todo)


def _inherit(state: _State) -> None:
    """Clips that this ruling never reached (measured when their source still passed) share the
    verdict of the item they were cut from; what has none is pending.
    """
    while True:
        open_ = (state.state == None) & (state.parents >= 0)  # noqa: E711
        open_ &= state.state[state.parents] != None  # noqa: E711
        if not open_.any():
            break
        state.share(open_)
    state.state[state.state == None] = PENDING  # noqa: E711


def _item_stage(
    planned: Planned, position: int, plan: Plan, table: pd.DataFrame, state: _State
) -> None:
    mine = (table["level"] == planned.stage.level).to_numpy(bool)
    scored = getattr(planned.stage, "scored", True)
    in_play = (state.measured if plan.score_all and scored else state.kept) & mine
    if planned.unmeasured is not None:
        out = in_play
        split = np.zeros(len(table), bool)
    else:
        answers = _answers(planned, table, state.memo)
        absent = in_play & (answers.none | _stale(planned, table, in_play))
        in_play = in_play & ~absent
        failed, rejected = in_play & answers.failed, in_play & answers.rejected
        split = in_play & answers.split
        if absent.any() and not state.waiting:
            state.todo.append((absent, position, state.kept.copy()))
        reasons, details = answers.reasons, answers.details
        for where, outcome in ((absent, PENDING), (failed, FAILED), (rejected, REJECTED)):
            if where.any():
                shown = where & state.kept
                state.ledger.append(LedgerEntry(shown, planned.name, outcome, reasons, details))
                state.settle(where, outcome, stage=planned.name, reason=reasons, detail=details)
                state.measured &= ~where
        out = in_play & answers.done
        if split.any():
            parts = np.full(len(table), SPLIT, dtype=object)
            state.ledger.append(LedgerEntry(split & state.kept, planned.name, KEPT, details=parts))
            born = (table["born"] == planned.name).to_numpy(bool) & (state.parents >= 0)
            newborn = born & (split & state.kept)[state.parents]
            scored_born = born & split[state.parents] & ~newborn
            state.settle(split, SPLIT, stage=planned.name)
            state.share(scored_born)
            state.measured = (state.measured & ~split) | newborn | scored_born
            state.kept |= newborn
            out = out | newborn
    _apply_gates(planned, table, state, out & state.kept)


def _answers(planned: Planned, table: pd.DataFrame, memo: Memo) -> _Answers:
    """The masks of a stage's records, from the memo where it has them."""
    if planned.name not in memo.answers:
        states = objects_of(table[fact(planned.name, "state")])
        masks = [np.asarray(states == name) for name in (None, FAILED, REJECTED, SPLIT, "done")]
        texts = [objects_of(table[fact(planned.name, name)]) for name in ("reason", "detail")]
        memo.answers[planned.name] = _Answers(*masks, *texts)
    return memo.answers[planned.name]


def _stale(planned: Planned, table: pd.DataFrame, where: np.ndarray) -> np.ndarray:
    """Which results were made from other values of the barriers' columns than they have now."""
    stale = np.zeros(len(table), bool)
    rows = np.flatnonzero(where & table[fact(planned.name, "given")].notna().to_numpy(bool))
    if planned.from_barriers and len(rows):
        names = list(planned.from_barriers)
        columns = [table[name].array.take(rows).to_numpy(object, na_value=None) for name in names]
        now = [given_text(values) for values in zip(*columns, strict=True)]
        then = table[fact(planned.name, "given")].array.take(rows).to_numpy(object)
        stale[rows] = np.array(now, dtype=object) != then
    return stale


def objects_of(column: Any) -> np.ndarray:
    """A column's values as Python objects, None where it is null."""
    return np.asarray(column.to_numpy(object, na_value=None))


def _barrier(planned: Planned, table: pd.DataFrame, state: _State, place: Workplace) -> None:
    stage = planned.stage(planned.config, place)
    if not isinstance(stage, Whole):
        raise TypeError(f"{planned.name} is no barrier")
    alive = state.kept & (table["level"] == stage.level).to_numpy(bool)
    answer = stage.compute(table.loc[alive, list(dict.fromkeys([*BASE, *stage.needs]))])
    answer = answer.reindex(table.index[alive]) if len(answer) else answer
    places = np.full(len(table), -1)
    places[alive] = np.arange(int(alive.sum()))
    for column in stage.columns:
        table[column.name] = _spread(answer[column.name], table[column.name], places)
    _apply_gates(planned, table, state, alive)


def _spread(answer: pd.Series, old: pd.Series, places: np.ndarray) -> pd.Series:
    """A barrier's answer over all items, by the row of each in it: null for those it did not see
    (-1), whatever stood there.
    """
    dtype: Any = object if old.dtype == object else old.dtype
    values: Any = answer.astype(dtype).array
    spread: pd.Series = pd.Series(values.take(places, allow_fill=True), old.index, dtype)
    return spread


def _apply_gates(planned: Planned, table: pd.DataFrame, state: _State, where: np.ndarray) -> None:
    """Judge the items ``where`` by the stage's gates in order; the first failure is the reason."""
    alive = where.copy()
    for gate in planned.gates:
        judged = _judged(gate, table, state)
        lost = alive & ~judged.passed
        if lost.any():
            facts = {"reason": judged.reasons, "value": judged.values, "bound": judged.bounds}
            seen = (judged.reasons, None, judged.values, judged.bounds)
            state.ledger.append(LedgerEntry(lost, planned.name, REJECTED, *seen, gate.name))
            state.settle(lost, REJECTED, stage=planned.name, gate=gate.name, **facts)
            alive &= judged.passed
    state.ledger.append(LedgerEntry(alive, planned.name, KEPT))


def _judged(gate: Gate, table: pd.DataFrame, state: _State) -> _Judged:
    """A gate's judgement of every row, from the memo where the column cannot have changed."""
    if gate.column in state.changing:
        return _judge(gate, table)
    key = repr(gate)
    if key not in state.memo.judged:
        state.memo.judged[key] = _judge(gate, table)
    return state.memo.judged[key]


def _judge(gate: Gate, table: pd.DataFrame) -> _Judged:
    """Which rows pass, the reason each would be rejected for, and the bound that holds for it."""
    column = table[gate.column]
    bounds = np.full(len(table), gate.bound, dtype=object)
    if gate.per_group:
        groups = table["group"].to_numpy(object)
        for group, bound in gate.per_group.items():
            bounds[groups == group] = bound
    compare: Callable[..., object] = COMPARISONS[gate.comparison]
    missing = column.isna().to_numpy(bool)
    passed = np.zeros(len(table), bool)
    present = ~missing
    for bound in set(bounds[present].tolist()):
        rows = present & (bounds == bound)
        passed[rows] = np.asarray(compare(column[rows].to_numpy(), bound), dtype=bool)
    reasons = np.full(len(table), gate.reason, dtype=object)
    reasons[missing] = "unmeasured"
    if gate.missing == "pass":
        passed |= missing
    return _Judged(passed, reasons, objects_of(column), bounds)
