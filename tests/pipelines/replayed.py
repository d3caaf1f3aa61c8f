"""Plays a recorded run again, by a clock that can be turned: logs, rounds, rulings as they were."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.clip import Source
from talkingface_wild.core.reporter import Snapshot
from talkingface_wild.engine.item_table import build_table
from talkingface_wild.engine.journal import Journal, Record, open_log
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.progress import Progress
from talkingface_wild.engine.ruling import rule
from talkingface_wild.engine.stage import Item, Workplace
from talkingface_wild.pipelines.planning import plan_of
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.source_items import root_item
from talkingface_wild.pipelines.stage_costs import curation_costs

EVENTS = Path(__file__).parent / "events"
EPOCH = 1_700_000_000.0
LOOKS = 400
"""How often a replay looks at the progress."""


@dataclass(frozen=True)
class Look:
    """What a person saw at one instant, and how long it really took from there."""

    at: float
    snapshot: Snapshot
    truth: float

    @property
    def left(self) -> float:
        """The estimate that was shown."""
        assert self.snapshot.seconds_left is not None
        return self.snapshot.seconds_left


@dataclass
class Recording:
    """A run as ``tests.speed.recorded`` wrote it down; ``warp`` moves its instants."""

    data: dict[str, Any]
    warp: Callable[[float], float] = lambda at: at

    @property
    def finished(self) -> float:
        """When the whole run was over."""
        return self.warp(self.data["finished"])

    def plan(self) -> Plan:
        """The plan that was run, with what that machine could not measure."""
        plan = plan_of(
            load_recipe(str(EVENTS / f"{self.data['recipe']}.yaml"), self.data["settings"])
        )
        stages = tuple(
            dataclasses.replace(
                planned, unmeasured="absent" if planned.name in self.data["unmeasured"] else None
            )
            for planned in plan.stages
        )
        return dataclasses.replace(plan, stages=stages)

    def roots(self) -> list[Item]:
        """The sources."""
        return [
            root_item(Source(each["id"], each["id"], each["language"], path=each["id"]))
            for each in self.data["sources"]
        ]


def recording(name: str) -> Recording:
    """One of the recorded runs in ``events/``."""
    return Recording(json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")))


def replay(run: Recording, folder: Path) -> Iterator[Look]:
    """What was to be seen at evenly spaced instants of the run, in a journal in ``folder``."""
    plan, roots, place = run.plan(), run.roots(), Workplace(folder)
    sizes = {s["id"]: s["seconds"] for s in run.data["sources"] if s["seconds"] is not None}
    costs = curation_costs(
        plan, run.data["engine"], run.data["workers"] or run.data["cores"], sizes
    )
    now = [0.0]
    progress = Progress(folder / "journal", plan, costs, len(roots), clock=lambda: EPOCH + now[0])
    prints = {planned.name: planned.fingerprint for planned in plan.stages}
    past = [event for event in run.data["events"] if event["at"] < 0.0]
    Journal(folder / "journal").put(_record(event, prints) for event in past)
    segments = list(plan.segments())
    positions = {planned.name: place for place, planned in enumerate(plan.stages)}
    events = [_warped(event, run.warp) for event in run.data["events"]]
    events = [event for event in events if event["at"] >= 0.0]
    instants = [run.finished * k / LOOKS for k in range(1, LOOKS + 1)]
    for start, end in segments:
        mine = [event for event in events if start <= positions[event["stage"]] < end]
        journal = Journal(folder / "journal")
        table, _ = build_table(plan, journal, roots)
        progress.begin(rule(plan, table, place))
        last = max((event["at"] for event in mine), default=now[0])
        final = (start, end) == segments[-1]
        log = open_log(folder / "journal", f"replayed{start}")
        while instants and (final or instants[0] <= last):
            now[0] = instants.pop(0)
            log.write(_record(event, prints) for event in mine if event["at"] <= now[0])
            mine = [event for event in mine if event["at"] > now[0]]
            progress.refresh()
            yield Look(now[0], progress.snapshot(), run.finished - now[0])
        log.write(_record(event, prints) for event in mine)
        log.close()
        now[0] = max(now[0], last)
        progress.refresh()
        journal.gather()


def _warped(event: dict[str, Any], warp: Callable[[float], float]) -> dict[str, Any]:
    """A result whose beginning and end are moved."""
    at, began = warp(event["at"]), warp(event["at"] - event["seconds"])
    return {**event, "at": at, "seconds": at - began}


def _record(event: dict[str, Any], prints: dict[str, str]) -> Record:
    children = event.get("children")
    return Record(
        event["item"],
        event["stage"],
        prints[event["stage"]],
        event["state"],
        event["reason"],
        values=event["values"],
        children=None if children is None else [{"payload": {}, **child} for child in children],
        seconds=event["seconds"],
        cpu_seconds=event["cpu_seconds"],
        at=EPOCH + event["at"],
        given=event["given"],
    )
