"""The ruling: gates and barriers applied to the wide table. Says of every item what became of it and what is to do.

Columns at a time, so that a data set is cut anew in seconds; opens no media.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from talkingface_wild.core.gate import COMPARISONS, Gate
from talkingface_wild.engine.plan import Plan, Planned
from talkingface_wild.engine.stage import Whole, Workplace
from talkingface_wild.engine.table import fact

KEPT, REJECTED, FAILED, PENDING, SPLIT = "kept", "rejected", "failed", "pending", "split"


@dataclass
class Ruling:
    """The table with the barriers' columns filled in, a verdict per item, the ledger, and what is to do.

    ``verdicts`` has the columns state, stage, gate, reason, detail, value, bound, indexed by item.
    ``todo`` lists (item id, position, kept) for the executor: at most one segment between barriers.
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    ledger: pd.DataFrame
    todo: list[tuple[str, int, bool]] = field(default_factory=list)


class _State:
    """Arrays that a ruling fills in while it walks the stages."""

    def __init__(self, table: pd.DataFrame) -> None:
        count = len(table)
        roots = (table["born"] == "").to_numpy(bool)
        self.kept = roots.copy()
        self.measured = roots.copy()
        self.state = np.full(count, None, dtype=object)
        self.columns = {
            name: np.full(count, None, dtype=object)
            for name in ("stage", "gate", "reason", "detail", "value", "bound")
        }
        self.ledger: list[pd.DataFrame] = []
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


def rule(
    plan: Plan,
    table: pd.DataFrame,
    place: Workplace,
    *,
    admitted: frozenset[str] | None = None,
    first_segment: bool = False,
) -> Ruling:
    """Walk the stages in order over the wide table.

    Barriers (Whole stages) are computed over what is kept when they are reached. ``todo`` never
    crosses a barrier: items before it come first. Roots outside ``admitted`` (None: all are in) are
    rejected as ``target_met``. ``first_segment`` stops before the first barrier.
    """
    table = table.copy()
    state = _State(table)
    if admitted is not None:
        outside = state.kept & ~table.index.isin(admitted)
        reasons = np.full(len(table), "target_met", dtype=object)
        state.ledger.append(_ledger_rows(table, outside, "targets", REJECTED, reasons))
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
    verdicts = pd.DataFrame({"state": state.state, **state.columns}, index=table.index)
    verdicts["state"] = verdicts["state"].fillna(PENDING)
    ids = table.index.to_numpy()
    todo = [
        (str(ids[row]), position, bool(kept[row]))
        for where, position, kept in state.todo
        for row in np.flatnonzero(where)
    ]
    ledger = pd.concat(state.ledger, ignore_index=True) if state.ledger else _ledger_rows(table, [], "", "")
    return Ruling(table, verdicts, ledger, todo)


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
        answers = table[fact(planned.name, "state")].to_numpy(object, na_value=None)
        absent = in_play & (answers == None)  # noqa: E711
        failed = in_play & (answers == "failed")
        rejected = in_play & (answers == "rejected")
        split = in_play & (answers == "split")
        if absent.any() and not state.waiting:
            state.todo.append((absent, position, state.kept.copy()))
        reasons = table[fact(planned.name, "reason")].to_numpy(object, na_value=None)
        details = table[fact(planned.name, "detail")].to_numpy(object, na_value=None)
        for where, outcome in ((absent, PENDING), (failed, FAILED), (rejected, REJECTED)):
            if where.any():
                shown = where & state.kept
                state.ledger.append(_ledger_rows(table, shown, planned.name, outcome, reasons, details))
                state.settle(where, outcome, stage=planned.name, reason=reasons, detail=details)
                state.measured &= ~where
        out = in_play & (answers == "done")
        if split.any():
            state.ledger.append(_ledger_rows(table, split & state.kept, planned.name, KEPT))
            born = (table["born"] == planned.name).to_numpy(bool)
            parents = table["parent_id"].to_numpy(object)
            ids = table.index.to_numpy(object)
            kept_parents = set(ids[split & state.kept])
            newborn = born & np.fromiter((p in kept_parents for p in parents), bool, len(parents))
            all_parents = set(ids[split])
            state.measured |= born & np.fromiter((p in all_parents for p in parents), bool, len(parents))
            state.settle(split, SPLIT, stage=planned.name)
            state.measured &= ~split
            state.kept |= newborn
            out = out | newborn
    _apply_gates(planned, table, state, out & state.kept)


def _barrier(planned: Planned, table: pd.DataFrame, state: _State, place: Workplace) -> None:
    stage = planned.stage(planned.config, place)
    if not isinstance(stage, Whole):
        raise TypeError(f"{planned.name} is no barrier")
    alive = state.kept & (table["level"] == stage.level).to_numpy(bool)
    answer = stage.compute(table[alive])
    for column in stage.columns:
        filled = table[column.name].copy()
        if len(answer):
            filled.loc[answer.index] = answer[column.name]
        table[column.name] = filled
    _apply_gates(planned, table, state, alive)


def _apply_gates(planned: Planned, table: pd.DataFrame, state: _State, where: np.ndarray) -> None:
    """Judge the items ``where`` by the stage's gates in order; the first that fails gives the reason."""
    alive = where.copy()
    for gate in planned.gates:
        passed, reasons, bounds = _judge(gate, table)
        lost = alive & ~passed
        if lost.any():
            values = table[gate.column].to_numpy(object, na_value=None)
            facts = {"reason": reasons, "value": values, "bound": bounds}
            state.ledger.append(
                _ledger_rows(table, lost, planned.name, REJECTED, reasons, None, values, bounds, gate.name)
            )
            state.settle(lost, REJECTED, stage=planned.name, gate=gate.name, **facts)
            alive &= passed
    state.ledger.append(_ledger_rows(table, alive, planned.name, KEPT))


def _judge(gate: Gate, table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    return passed, reasons, bounds


def _ledger_rows(
    table: pd.DataFrame,
    where: np.ndarray | list[bool],
    stage: str,
    outcome: str,
    reasons: np.ndarray | None = None,
    details: np.ndarray | None = None,
    values: np.ndarray | None = None,
    bounds: np.ndarray | None = None,
    gate: str | None = None,
) -> pd.DataFrame:
    rows = table.loc[where] if len(where) else table.iloc[:0]

    def pick(array: np.ndarray | None) -> object:
        return None if array is None else array[where]

    frame = pd.DataFrame({"item_id": rows.index.to_numpy(object)})
    frame["level"] = rows["level"].to_numpy(object)
    frame["group"] = rows["group"].to_numpy(object)
    frame["root_id"] = rows["root_id"].to_numpy(object)
    frame["stage"] = stage
    frame["state"] = outcome
    frame["gate"] = gate
    frame["reason"] = pick(reasons)
    frame["detail"] = pick(details)
    frame["value"] = pick(values)
    frame["bound"] = pick(bounds)
    for name in ("attempts", "seconds", "cpu_seconds"):
        source = fact(stage, name)
        frame[name] = rows[source].to_numpy(object, na_value=None) if source in rows else None
    return frame
