"""A worker runs a range of a plan's item stages over items, journals results, applies the gates.

The same code runs in process and inside Ray actors. What to do next is the ruling's affair.
"""

import os
import resource
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from talkingface_wild.core.gate import judge
from talkingface_wild.core.outcome import Done, Failed, Outcome
from talkingface_wild.engine.attempt import attempt, checked
from talkingface_wild.engine.journal import Record, open_log
from talkingface_wild.engine.plan import Plan, Planned, given_text
from talkingface_wild.engine.stage import Item, Stage, Workplace
from talkingface_wild.engine.workers import marker_path


@dataclass(frozen=True)
class Task:
    """An item and the position of its next stage; ``kept`` is false for scored rejects."""

    item: Item
    position: int
    kept: bool = True
    attempts: int = 0
    """Attempts of earlier runs at that stage."""
    later_results: frozenset[int] = frozenset()
    """Later positions whose result is in the journal already: the task ends before them."""


class Worker:
    """Runs the item stages ``start ≤ position < end`` of ``plan``; opens each at its first item."""

    def __init__(self, plan: Plan, start: int, end: int, place: Workplace, name: str) -> None:
        self.plan, self.start, self.end = plan, start, end
        self._readers = plan.readers(*plan.segment_of(start))
        self._visible = {at: plan.visible(at) for at in range(start, end)}
        self.place = replace(place, caches=frozenset(cache.name for cache in self._readers))
        self._open: dict[int, Stage] = {}
        self._marker = marker_path(place, name)
        self._marker.parent.mkdir(parents=True, exist_ok=True)
        self._log = open_log(place.out / "journal", f"{name}-{os.getpid()}")

    def run(self, tasks: Sequence[Task]) -> list[Task]:
        """Carry tasks as far as this range goes; what leaves it alive is returned for the next one.

        The deepest stage with a full batch goes first, so that little lies half-finished; when no
        batch is full, the shallowest stage goes, to fill the ones behind it.
        """
        queues: list[list[Task]] = [[] for _ in range(self.end)]
        leaving: list[Task] = []
        self._enqueue(tasks, queues, leaving)
        while (position := self._next(queues)) is not None:
            if stop_requested(self.place):
                return []
            size = self._size(position)
            batch, queues[position] = queues[position][:size], queues[position][size:]
            self._enqueue(self._batch(position, batch), queues, leaving)
        return leaving

    def close(self) -> None:
        """Close the log."""
        self._log.close()
        self._marker.unlink(missing_ok=True)

    def _enqueue(
        self, tasks: Sequence[Task], queues: list[list[Task]], leaving: list[Task]
    ) -> None:
        """Put each task before the next stage that applies to it, or among those that leave."""
        for task in tasks:
            arrived = self._arrive(task)
            if arrived is None:
                self._release(task.item)
            else:
                self._release(arrived.item, arrived.position)
                (leaving if arrived.position >= self.end else queues[arrived.position]).append(
                    arrived
                )

    def _arrive(self, task: Task) -> Task | None:
        """The task at the next stage that applies to it; None when it ends here.

        It ends at a gate on an unmeasured column, or before a stage whose result is known: the next
        ruling reads that result and says where the item goes on.
        """
        while task.position < self.end:
            if task.position in task.later_results:
                return None
            planned = self.plan.stages[task.position]
            applies = planned.stage.level == task.item.level and (
                task.kept or getattr(planned.stage, "scored", True)
            )
            if applies and planned.unmeasured is None:
                return task
            if applies:
                onward = self._forward(planned, task, Done())
                if not onward:
                    return None
                task = onward[0]
            else:
                task = replace(task, position=task.position + 1, attempts=0)
        return task

    def _next(self, queues: list[list[Task]]) -> int | None:
        filled = [position for position, queue in enumerate(queues) if queue]
        full = [position for position in filled if len(queues[position]) >= self._size(position)]
        return full[-1] if full else filled[0] if filled else None

    def _size(self, position: int) -> int:
        return max(1, getattr(self.plan.stages[position].stage, "batch_size", 1))

    def _batch(self, position: int, batch: list[Task]) -> list[Task]:
        planned = self.plan.stages[position]
        self._marker.write_text("\n".join([planned.fingerprint, *(task.item.id for task in batch)]))
        wall, cpu = time.perf_counter(), processor_seconds()
        items = [_seen(task.item, self._visible[position]) for task in batch]
        outcomes, tries = attempt(self._stage(position, planned), items)
        wall, cpu = time.perf_counter() - wall, processor_seconds() - cpu
        outcomes = [
            checked(planned, item, outcome) for item, outcome in zip(items, outcomes, strict=True)
        ]
        self._log.write(
            _record(planned, task, outcome, tried, wall / len(batch), cpu / len(batch))
            for task, outcome, tried in zip(batch, outcomes, tries, strict=True)
        )
        self._marker.write_text("")
        onward: list[Task] = []
        for task, outcome in zip(batch, outcomes, strict=True):
            going = self._forward(planned, task, outcome) if isinstance(outcome, Done) else []
            if not any(next_task.item.id == task.item.id for next_task in going):
                self._release(task.item)
            onward += going
        return onward

    def _release(self, item: Item, position: int | None = None) -> None:
        """Delete the item's caches that no stage of the segment from ``position`` on reads; all of
        them, where it ended. Those of other pools are among them.
        """
        for cache, last in self._readers.items():
            if position is None or last < position:
                shutil.rmtree(cache.folder(item, self.place), ignore_errors=True)

    def _stage(self, position: int, planned: Planned) -> Stage:
        if position not in self._open:
            stage = planned.stage(planned.config, self.place)
            if not isinstance(stage, Stage):
                raise TypeError(f"{planned.name} is a barrier, not a stage over items")
            stage.open()
            self._open[position] = stage
        return self._open[position]

    def _forward(self, planned: Planned, task: Task, outcome: Done) -> list[Task]:
        """The items that go on after a stage, judged by its gates."""
        onward: list[Task] = []
        for item in offspring(task.item, outcome):
            kept = task.kept and judge(planned.gates, item.values, item.group).kept
            later = task.later_results if item.id == task.item.id else frozenset()
            if kept or self.plan.score_all:
                onward.append(Task(item, task.position + 1, kept, later_results=later))
        return onward


def _seen(item: Item, visible: frozenset[str]) -> Item:
    """The item with what a stage may read: a value that it did not declare would go stale."""
    values = {name: value for name, value in item.values.items() if name in visible}
    return replace(item, values=values)


def processor_seconds() -> float:
    """Processor seconds of this process and of the programs it ran and waited for (ffmpeg)."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _record(
    planned: Planned, task: Task, outcome: Outcome, tries: int, wall: float, cpu: float
) -> Record:
    done, failed = isinstance(outcome, Done), isinstance(outcome, Failed)
    children = outcome.children if isinstance(outcome, Done) else None
    return Record(
        item=task.item.id,
        stage=planned.name,
        fingerprint=planned.fingerprint,
        state="done" if done else "failed" if failed else "rejected",
        reason=None if isinstance(outcome, Done) else outcome.reason,
        detail=None if isinstance(outcome, Done) else outcome.detail,
        values=None if isinstance(outcome, Failed) else dict(outcome.values),
        children=None if children is None else [asdict(child) for child in children],
        attempts=task.attempts + tries,
        seconds=round(wall, 6),
        cpu_seconds=round(cpu, 6),
        at=time.time(),
        given=given_text(task.item.values.get(name) for name in planned.from_barriers)
        if planned.from_barriers
        else None,
    )


def offspring(item: Item, outcome: Done) -> list[Item]:
    """The items that go on after a stage: the item with its new values, or its children."""
    if outcome.children is None:
        return [replace(item, values={**item.values, **outcome.values})]
    return [
        child_item(item, child.id, child.payload, {**outcome.values, **child.values})
        for child in outcome.children
    ]


def child_item(
    parent: Item, id: str, payload: Mapping[str, Any], values: Mapping[str, Any]
) -> Item:
    """A child at level ``clip``: its own id, its payload and values over the parent's."""
    payload, values = {**parent.payload, **payload}, {**parent.values, **values}
    return Item(id, "clip", parent.group, payload, values)


def request_stop(place: Workplace, why: str) -> None:
    """Ask every worker of this run to finish what is in flight and take nothing new."""
    place.scratch.mkdir(parents=True, exist_ok=True)
    (place.scratch / "stop").write_text(why)


def stop_requested(place: Workplace) -> bool:
    """Whether ``request_stop`` was called for this run."""
    return (place.scratch / "stop").exists()
