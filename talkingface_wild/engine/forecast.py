"""What is still to do and how long it will take, from the plan, the costs and what came so far."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from talkingface_wild.core.gate import judge
from talkingface_wild.core.pace import Pace
from talkingface_wild.engine.costs import Costs, item_sizes
from talkingface_wild.engine.item_table import fact
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.ruling import KEPT, PENDING, Ruling, objects_of

_DOUBT_ITEMS = 12.0
"""Shares and numbers of children that are assumed weigh as much as so many items."""
_LEAST_HORIZON_SECONDS = 4.0
_HORIZON = 0.2
"""The pace is that of the last part of the whole work, this large."""
_LATER_OPENING = 0.6
"""Later segments find the executor started already."""
_PRIOR = 0.02
"""The pace that is assumed weighs as much as this share of the work."""
_WITNESS = 0.6
"""The power of what other stages say of one that did nothing yet: 0 nothing, 1 all."""
_PRIOR_HORIZONS = 1.0
"""How many horizons the parallelism that is assumed weighs as much as."""
_DOUBT_SECONDS = 5.0
"""What other stages say of one weighs as much as so many typical seconds of its own work."""


@dataclass(frozen=True)
class Waiting:
    """An item that is not through: its size, its group, the stages that it has still to pass."""

    size: float
    group: str
    ahead: tuple[int, ...]
    values: Mapping[str, Any]
    """Of the columns that gates read."""
    since: float | None = None
    """When its last result came; None: before this round."""


@dataclass
class Reach:
    """What is expected to arrive at each stage: how many items, of what size in all."""

    count: list[float]
    size: list[float]
    certain: list[int]
    """Items that stand right before the stage."""


@dataclass
class Forecast:
    """Follows every item of a run through the plan. Times are seconds of one clock, any clock."""

    plan: Plan
    costs: Costs
    waiting: dict[str, Waiting] = field(default_factory=dict)
    lost: Counter[str] = field(default_factory=Counter)
    """Items that gates rejected in this round, by stage."""
    _opened: set[int] = field(default_factory=set)
    _entered: Counter[int] = field(default_factory=Counter)
    _passed: Counter[int] = field(default_factory=Counter)
    _parts: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """Children that came, and how many were expected of the same items."""
    _machine: Pace | None = None
    """Seconds of workers per typical second, whatever the stage."""
    _stages: dict[int, Pace] = field(default_factory=dict)
    """The same of single stages."""
    _surprise: Pace | None = None
    """Seconds of workers per second that was expected of the same results."""
    _together: Pace | None = None
    """Wall seconds per second of workers, in this segment."""
    _segment: tuple[int, int] = (0, 0)
    _segment_began: float | None = None
    _opening: float = 0.0
    """What the opening of a later segment will take, by the longest that was seen."""
    _anchor: float | None = None
    """Until when the wall time of this segment is accounted for; None before its first result."""

    def begin(self, ruling: Ruling, now: float) -> None:
        """A round begins: what the ruling leaves to do is known exactly."""
        self.lost.clear()
        self.waiting = waiting_items(self.plan, self.costs, ruling)
        if self._machine is None:
            work = self._work(self.reach())
            horizon = max(_HORIZON * work, _LEAST_HORIZON_SECONDS)
            self._machine = Pace(1.0, max(_PRIOR * work, 0.2), horizon)
            self._surprise = Pace(1.0, 0.5 * horizon, 0.5 * horizon)
        first = min((position for _, position, _ in ruling.todo), default=None)
        if first is None:
            return
        self._segment = self.plan.segment_of(first)
        self._segment_began, self._anchor = now, None
        horizon = self._machine.horizon
        self._together = Pace(1.0 / self.costs.speedup, _PRIOR_HORIZONS * horizon, horizon)

    def result(self, position: int, record: Mapping[str, Any]) -> None:
        """One result of the stage at ``position``, as its log line says it."""
        item = self.waiting.pop(record["item"], None)
        size = item.size if item else self.costs.typical_size
        self._account(position, float(record["at"]), float(record["seconds"]), size)
        if item is None:
            return
        self._entered[position] += 1
        if record["state"] != "done":
            return
        values = {**item.values, **self._gated(record["values"] or {})}
        if record["children"] is not None:
            self._split(position, item, record["children"], values, float(record["at"]))
            return
        ahead = tuple(later for later in item.ahead if later != position)
        size = self._size(record["values"] or {}, item.size)
        if self._goes_on(position, values, item.group):
            self._passed[position] += 1
            if ahead:
                at = float(record["at"])
                self.waiting[record["item"]] = Waiting(size, item.group, ahead, values, at)

    def _split(
        self,
        position: int,
        item: Waiting,
        children: list[Any],
        values: Mapping[str, Any],
        at: float,
    ) -> None:
        self._passed[position] += 1
        root = self.plan.stages[position].stage.level != "clip"
        if root:
            self._parts[0] += len(children)
            self._parts[1] += self.costs.parts.of(1, item.size)
        ahead = self._clip_stages(position)
        for child in children:
            own = {**values, **self._gated(child["values"])}
            size = self._size(child["values"], item.size)
            if self._goes_on(position, own, item.group):
                self.waiting[child["id"]] = Waiting(size, item.group, ahead, own, at)

    def _gated(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values[name] for name in gate_columns(self.plan) if name in values}

    def _size(self, values: Mapping[str, Any], otherwise: float) -> float:
        names = self.costs.size_columns
        return next((float(values[name]) for name in names if values.get(name)), otherwise)

    def _goes_on(self, position: int, values: Mapping[str, Any], group: str) -> bool:
        planned = self.plan.stages[position]
        kept = judge(planned.gates, values, group).kept
        self.lost[planned.name] += not kept
        return kept or self.plan.score_all

    def _clip_stages(self, after: int) -> tuple[int, ...]:
        return tuple(p for p in item_stages(self.plan, "clip") if p > after)

    def _account(self, position: int, at: float, seconds: float, size: float) -> None:
        """Let the pace know of work that was done."""
        if self._machine is None or self._together is None or self._surprise is None:
            return
        if self._anchor is None:
            self._anchor = max(at - seconds, self._segment_began or 0.0)
            waited = self._anchor - (self._segment_began or self._anchor)
            self._opening = max(self._opening, waited * _LATER_OPENING)
        work = self._typical(position, 1, size)
        self._opened.add(position)
        self._surprise.add(seconds, work * self._slowness(position))
        self._machine.add(seconds, work)
        self._stages.setdefault(position, Pace(0.0, 0.0, self._machine.horizon)).add(seconds, work)
        self._together.add(max(0.0, at - self._anchor), seconds)
        self._anchor = max(self._anchor, at)

    def reach(self) -> Reach:
        """How many items, of what size, each stage is expected to get from now on."""
        length = len(self.plan.stages)
        reach = Reach([0.0] * length, [0.0] * length, [0] * length)
        groups: dict[tuple[int, ...], list[float]] = {}
        for item in list(self.waiting.values()):
            group = groups.setdefault(item.ahead, [0.0, 0.0])
            group[0] += 1
            group[1] += item.size
            reach.certain[item.ahead[0]] += 1
        for ahead, (count, size) in groups.items():
            self._walk(ahead, count, size, reach)
        return reach

    def _walk(self, ahead: tuple[int, ...], count: float, size: float, reach: Reach) -> None:
        for position in ahead:
            planned = self.plan.stages[position]
            reach.count[position] += count
            reach.size[position] += size
            share = self._passing(position)
            count, size = count * share, size * share
            if planned.stage.kind == "split" and planned.stage.level != "clip":
                arrived, expected = self._parts
                factor = (_DOUBT_ITEMS + arrived) / (_DOUBT_ITEMS + expected)
                children = self.costs.parts.of(count, size) * factor
                self._walk(self._clip_stages(position), children, size, reach)

    def _passing(self, position: int) -> float:
        assumed = self.costs.passing(self.plan.stages[position].name)
        return (_DOUBT_ITEMS * assumed + self._passed[position]) / (
            _DOUBT_ITEMS + self._entered[position]
        )

    def _work(self, reach: Reach) -> float:
        """Seconds of one worker on this machine; typical ones before anything was measured."""
        work = 0.0
        for position, (count, size) in enumerate(zip(reach.count, reach.size, strict=True)):
            if count > 0:
                work += self._typical(position, count, size) * self._slowness(position)
        return work

    def _typical(self, position: int, count: float, size: float) -> float:
        """Typical seconds of one worker for ``count`` items, ``size`` in all, with its opening."""
        cost = self.costs.stage(self.plan.stages[position].name)
        return cost.of(count, size) + (0.0 if position in self._opened else cost.opening)

    def _slowness(self, position: int) -> float:
        """How many times a stage takes as long as is typical, on this machine.

        For a stage that did nothing yet the others are half a witness: that they take twice as long
        as typical may lie in the machine, or in them.
        """
        if self._machine is None:
            return 1.0
        assumed = max(self._machine.value, 1e-9) ** _WITNESS
        own = self._stages.get(position, Pace(0.0, 0.0, self._machine.horizon))
        return own.mixed(assumed, _DOUBT_SECONDS)

    def seconds_left(self, now: float) -> tuple[float, float]:
        """The bare estimate of wall seconds until all is done, and the pace it rests on."""
        if self._together is None:
            return self.costs.closing, 1.0
        reach = self.reach()
        waited = 0.0 if self._anchor is None else max(0.0, now - self._anchor)
        in_flight, alone = self._longest(now)
        together = self._together.after(max(0.0, waited - in_flight))
        work = self._work(reach)
        left = max(work * together - min(waited, in_flight), alone)
        pace = together * (self._surprise.value if self._surprise else 1.0)
        return max(left, 0.0) + self._openings(reach, now) + self.costs.closing, pace

    def _longest(self, now: float) -> tuple[float, float]:
        """Seconds of one worker that the longest next step of an item takes, and that are left of
        the longest: however many workers there are, an item has only one.
        """
        longest = alone = 0.0
        for item in list(self.waiting.values()):
            position = item.ahead[0]
            cost = self.costs.stage(self.plan.stages[position].name)
            seconds = cost.of(1, item.size) * self._slowness(position)
            begun = max(item.since or 0.0, self._segment_began or 0.0)
            longest = max(longest, seconds)
            alone = max(alone, seconds - max(0.0, now - begun))
        return longest, alone

    def _openings(self, reach: Reach, now: float) -> float:
        """Seconds until the workers of this segment and of those behind it begin."""
        left = 0.0
        for start, end in self.plan.segments():
            if start == self._segment[0] and self._segment_began is not None:
                if self._anchor is None:
                    left += max(self.costs.opening - (now - self._segment_began), 0.0)
            elif start > self._segment[0] and any(n > 0 for n in reach.count[start:end]):
                left += max(self.costs.opening, self._opening)
        return left


def item_stages(plan: Plan, level: str) -> tuple[int, ...]:
    """Positions of the stages that run over items of one level."""
    return tuple(
        position
        for position, planned in enumerate(plan.stages)
        if not planned.whole and planned.unmeasured is None and planned.stage.level == level
    )


def gate_columns(plan: Plan) -> tuple[str, ...]:
    """The columns that a plan's gates read, each once."""
    names = [gate.column for planned in plan.stages for gate in planned.gates]
    return tuple(dict.fromkeys(names))


def waiting_items(plan: Plan, costs: Costs, ruling: Ruling) -> dict[str, Waiting]:
    """The items that a ruling has not rejected and that lack results, by id."""
    table = ruling.table
    absent = np.zeros((len(table), len(plan.stages)), dtype=bool)
    alive = ruling.verdicts["state"].isin([KEPT, PENDING]).to_numpy(bool)
    levels = table["level"].to_numpy(object)
    for level in set(levels.tolist()):
        for position in item_stages(plan, level):
            missing = table[fact(plan.stages[position].name, "state")].isna().to_numpy(bool)
            absent[:, position] = missing & alive & (levels == level)
    rows = table.index.get_indexer(pd.Index([id_ for id_, _, _ in ruling.todo]))
    absent[rows, [position for _, position, _ in ruling.todo]] = True
    sizes, groups, ids = item_sizes(costs, table), table["group"], table.index
    born = {planned.name: position for position, planned in enumerate(plan.stages)}
    origins = [born.get(name, -1) for name in table["born"].to_numpy(object)]
    gated: dict[str, Any] = {
        name: objects_of(table[name]) for name in gate_columns(plan) if name in table
    }
    items = {}
    for row in np.flatnonzero(absent.any(axis=1)).tolist():
        ahead = tuple(int(p) for p in np.flatnonzero(absent[row]) if p > origins[row])
        values = {name: column[row] for name, column in gated.items() if column[row] is not None}
        if ahead:
            items[str(ids[row])] = Waiting(float(sizes[row]), str(groups.iloc[row]), ahead, values)
    return items
