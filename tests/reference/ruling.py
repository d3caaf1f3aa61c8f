"""A ruling the slow way: one item after the other, from what the stages would find.

Written from the rules, not from ``engine/ruling.py`` (a table and masks) nor from ``core/gate.py``
(a worker's one item): both are held to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from talkingface_wild.core.gate import Gate
from talkingface_wild.engine.plan import Plan

PASSES: dict[str, Callable[[Any, Any], bool]] = {
    ">=": lambda value, bound: value >= bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    "<": lambda value, bound: value < bound,
    "==": lambda value, bound: value == bound,
    "!=": lambda value, bound: value != bound,
}


@dataclass
class Record:
    """What one stage found for one item; ``children`` are (id, values) where it was split."""

    state: str
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    children: list[tuple[str, Mapping[str, Any]]] | None = None


@dataclass
class Walker:
    """An item on its way: its values so far, and its verdict once it has one."""

    id: str
    level: str
    group: str
    values: dict[str, Any]
    verdict: tuple[str, str | None, str | None, str | None] | None = None
    """(state, stage, gate, reason)."""
    measured: bool = True
    """Whether stages still look at it: kept, or scored all the same."""


def walk(
    plan: Plan,
    roots: Sequence[tuple[str, str]],
    records: Mapping[tuple[str, str], Record],
    score_all: bool,
) -> tuple[dict[str, tuple], set[tuple[str, str]], dict[str, dict[str, Any]]]:
    """Verdicts by item, what is to do as (item, stage), and the barriers' values by item.

    ``roots`` are (id, group); ``records`` are by (item, stage).
    """
    walkers = [Walker(id_, "source", group, {}) for id_, group in roots]
    todo: set[tuple[str, str]] = set()
    given: dict[str, dict[str, Any]] = {}
    blocked = False
    for planned in plan.stages:
        if planned.whole:
            blocked = blocked or bool(todo)
            _barrier(planned, walkers, given)
            continue
        for walker in list(walkers):
            if walker.level != planned.stage.level or not _sees(walker, planned, score_all):
                continue
            if planned.unmeasured is not None:
                _judge(planned.gates, planned.name, walker)
                continue
            record = records.get((walker.id, planned.name))
            if record is None:
                _settle(walker, ("pending", planned.name, None, None))
                walker.measured = False
                if not blocked:
                    todo.add((walker.id, planned.name))
            elif record.state in ("failed", "rejected"):
                walker.values |= record.values
                _settle(walker, (record.state, planned.name, None, record.reason))
                walker.measured = False
            elif record.children is not None:
                walkers += _children(planned, walker, record)
            else:
                walker.values |= record.values
                _judge(planned.gates, planned.name, walker)
    verdicts = {w.id: w.verdict or ("kept", None, None, None) for w in walkers}
    return verdicts, todo, given


def _sees(walker: Walker, planned: Any, score_all: bool) -> bool:
    if not walker.measured:
        return False
    return walker.verdict is None or (score_all and planned.stage.scored)


def _settle(walker: Walker, verdict: tuple) -> None:
    if walker.verdict is None:
        walker.verdict = verdict


def _judge(gates: Sequence[Gate], stage: str, walker: Walker) -> None:
    failure = first_failure(gates, walker.values, walker.group)
    if walker.verdict is None and failure is not None:
        walker.verdict = ("rejected", stage, *failure)


def first_failure(
    gates: Sequence[Gate], values: Mapping[str, Any], group: str
) -> tuple[str, str] | None:
    """The first gate that a row of values does not pass, and the reason; None where all let it."""
    for gate in gates:
        value = values.get(gate.column)
        bound = gate.per_group.get(group, gate.bound)
        if value is None:
            if gate.missing == "reject":
                return gate.name, "unmeasured"
        elif not PASSES[gate.comparison](value, bound):
            return gate.name, gate.reason
    return None


def _children(planned: Any, parent: Walker, record: Record) -> list[Walker]:
    born = []
    values = {**parent.values, **record.values}
    for id_, own in record.children or []:
        child = Walker(id_, "clip", parent.group, {**values, **own}, parent.verdict)
        if child.verdict is None:
            _judge(planned.gates, planned.name, child)
        born.append(child)
    _settle(parent, ("split", planned.name, None, None))
    parent.measured = False
    return born


def _barrier(planned: Any, walkers: Sequence[Walker], given: dict[str, dict[str, Any]]) -> None:
    alive = [w for w in walkers if w.verdict is None and w.level == planned.stage.level]
    frame = pd.DataFrame([w.values for w in alive], index=[w.id for w in alive])
    if alive:
        answer = planned.stage(planned.config, None).compute(frame)
        for walker in alive:
            found = {name: answer.at[walker.id, name] for name in answer}
            walker.values |= found
            given.setdefault(walker.id, {}).update(found)
    for walker in alive:
        _judge(planned.gates, planned.name, walker)
