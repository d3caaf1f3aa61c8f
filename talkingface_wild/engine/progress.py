"""How a run stands, read from the workers' logs: the same for every engine."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface_wild.core.pace import TimeLeft
from talkingface_wild.core.reporter import ProgressRow, Snapshot
from talkingface_wild.engine.costs import Costs
from talkingface_wild.engine.forecast import Forecast, Reach
from talkingface_wild.engine.item_table import fact
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.ruling import REJECTED, Ruling

_NEEDED = {"item", "state", "values", "children", "seconds", "at"}
"""What a line of a log must have to count."""


@dataclass
class Progress:
    """Results of a run by stage and state, found by reading what the logs gained; thread-safe.

    ``clock`` gives seconds since the epoch, as the results' own times are.
    """

    folder: Path
    """The journal's folder."""
    plan: Plan
    costs: Costs = field(default_factory=Costs)
    roots_total: int = 0
    clock: Callable[[], float] = time.time
    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Results of this run by (stage, state)."""
    _before: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Results and verdicts at the beginning of the round, by (stage, state)."""
    _round: Counter[tuple[str, str]] = field(default_factory=Counter)
    _barriers: set[str] = field(default_factory=set)
    _finished: bool = False
    _offsets: dict[Path, int] = field(default_factory=dict)
    _reading: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._positions = {planned.name: place for place, planned in enumerate(self.plan.stages)}
        self._unmeasured = self.plan.unmeasured
        self._forecast: Forecast | None = None
        self._time_left = TimeLeft()

    @property
    def results(self) -> int:
        """Results of this run so far, of all stages."""
        return sum(self.states.values())

    @property
    def seconds(self) -> float:
        """Wall seconds since the run began."""
        return max(0.0, self.clock() - self.started)

    def done(self, stage: str) -> int:
        """Results of one stage in this run, whatever they say."""
        return sum(count for (name, _), count in self.states.items() if name == stage)

    def begin(self, ruling: Ruling) -> None:
        """A round begins, or all is done: what the ruling leaves to do is what there is to do."""
        with self._reading:
            if self._forecast is None:
                costs = self.costs.corrected(self.plan, ruling.table)
                self._forecast = Forecast(self.plan, costs)
            self._forecast.begin(ruling, self.clock())
            self._round.clear()
            self._before = _standing(self.plan, ruling)
            next_position = min((position for _, position, _ in ruling.todo), default=None)
            for position, planned in enumerate(self.plan.stages):
                if planned.whole and (next_position is None or position < next_position):
                    self._barriers.add(planned.name)
                elif planned.whole:
                    self._barriers.discard(planned.name)

    def refresh(self) -> int:
        """Read new whole lines of every log; returns how many results they held."""
        with self._reading:
            records: list[dict[str, Any]] = []
            for log in sorted((self.folder / "logs").glob("*.jsonl")):
                records += self._new_lines(log)
            for record in sorted(records, key=lambda each: float(each["at"])):
                self._take(record)
            return len(records)

    def _new_lines(self, log: Path) -> list[dict[str, Any]]:
        try:
            with log.open("rb") as stream:
                stream.seek(self._offsets.get(log, 0))
                data = stream.read()
        except FileNotFoundError:
            return []
        end = data.rfind(b"\n") + 1
        self._offsets[log] = self._offsets.get(log, 0) + end
        records = []
        for line in data[:end].splitlines():
            try:
                record = json.loads(line)
                if record["stage"] in self._positions and record.keys() >= _NEEDED:
                    records.append(record)
            except (ValueError, KeyError, TypeError):
                continue
        return records

    def _take(self, record: dict[str, Any]) -> None:
        key = (str(record["stage"]), str(record["state"]))
        self.states[key] += 1
        self._round[key] += 1
        if self._forecast is not None:
            self._forecast.result(self._positions[key[0]], record)

    def snapshot(self) -> Snapshot:
        """Every stage of the plan in its order, and one estimate for the whole run."""
        with self._reading:
            reach = None if self._forecast is None else self._forecast.reach()
            rows = [self._row(position, reach) for position in range(len(self.plan.stages))]
            left = None
            if self._forecast is not None:
                now = self.clock()
                left = self._time_left.update(*self._forecast.seconds_left(now), now)
            if self.costs.closing_name:
                rows.append(ProgressRow(self.costs.closing_name, 0, 1))
            name = self.costs.roots_name
            title = f"{self.roots_total} {name if self.roots_total != 1 else name[:-1]}"
            return Snapshot(title, tuple(rows), self.seconds, left)

    def _row(self, position: int, reach: Reach | None) -> ProgressRow:
        planned = self.plan.stages[position]
        name = planned.name
        if name in self._unmeasured:
            return ProgressRow(name, 0, 0, skipped=True, note="not measured")
        if planned.whole:
            return ProgressRow(name, int(name in self._barriers), 1)
        counts = self._before + self._round
        done = sum(counts[name, state] for state in ("done", "rejected", "failed"))
        if self._forecast is None or reach is None:
            return ProgressRow(name, done, None)
        expected = reach.count[position]
        certain = reach.certain[position]
        total = done + max(round(expected), certain)
        lost = counts[name, "rejected"] + counts[name, "gated"] + self._forecast.lost[name]
        words = [f"{lost} rejected"] * bool(lost)
        words += [f"{counts[name, 'failed']} failed"] * bool(counts[name, "failed"])
        return ProgressRow(name, done, total, expected > certain + 1e-6, note=", ".join(words))


def _standing(plan: Plan, ruling: Ruling) -> Counter[tuple[str, str]]:
    """Results in the table by (stage, state), and what gates rejected as ``gated``."""
    counts: Counter[tuple[str, str]] = Counter()
    for position, planned in enumerate(plan.stages):
        if planned.whole or planned.unmeasured is not None:
            continue
        answers = ruling.table[fact(planned.name, "state")].dropna()
        for state, count in answers.value_counts().items():
            shown = {"split": "done"}.get(str(state), str(state))
            counts[planned.name, shown] += int(count)
        # A result that is to be made anew counts as not there.
        again = [id_ for id_, place, _ in ruling.todo if place == position]
        counts[planned.name, "done"] -= int(answers.index.isin(again).sum())
        gated = (ruling.verdicts["stage"] == planned.name) & (ruling.verdicts["state"] == REJECTED)
        gated &= ruling.verdicts["gate"].notna()
        counts[planned.name, "gated"] = int(gated.sum())
    return counts
