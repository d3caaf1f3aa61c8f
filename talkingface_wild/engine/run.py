"""A run: from roots and a plan to a ruling in which nothing is left to do. Resumes, stops and reports."""

from __future__ import annotations

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from talkingface_wild.core.errors import DiskFull, Interrupted
from talkingface_wild.core.log import LOGGER
from talkingface_wild.engine.executors import Executor
from talkingface_wild.engine.journal import Journal, Record
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.progress import Progress
from talkingface_wild.engine.ruling import Ruling, rule
from talkingface_wild.engine.stage import Item, Workplace
from talkingface_wild.engine.table import build_table
from talkingface_wild.engine.worker import Task, request_stop, stop_requested

Admission = Callable[[Ruling | None], frozenset[str] | None]
"""Which roots may be worked on, given how those admitted before came out; None means all."""
_ROUNDS_WITHOUT_PROGRESS = 2


@dataclass
class Run:
    """One call of an executor's work on a folder. ``watch`` is called often with the progress."""

    plan: Plan
    roots: Sequence[Item]
    place: Workplace
    executor: Executor
    admission: Admission = field(default=lambda ruling: None)
    retry_failed: bool = False
    watch: Callable[[Progress], None] | None = None
    round_roots: int | None = None
    """Most roots begun in one round; the stages' caches are emptied after each round."""
    stopped: str | None = None

    def go(self) -> Ruling:
        """Work until nothing is left; returns the ruling. After a stop, ``stopped`` says why.

        Raises DiskFull as it comes; what was finished is in the journal all the same.
        """
        shutil.rmtree(self.place.scratch / "inflight", ignore_errors=True)
        (self.place.scratch / "stop").unlink(missing_ok=True)
        journal = Journal(self.place.out / "journal")
        journal.gather()
        if self.retry_failed:
            journal.reopen_failed()
        self.progress = Progress(journal.folder, roots_total=len(self.roots))
        with _stop_on_signals(self.place), self._watching():
            try:
                ruling = self._loop(journal)
            except DiskFull:
                journal.gather()
                raise
        if stop_requested(self.place):
            self.stopped = (self.place.scratch / "stop").read_text()
        return ruling

    def _loop(self, journal: Journal) -> Ruling:
        admitted = self.admission(None)
        first_segment, idle = True, 0
        while True:
            table, items = build_table(self.plan, journal, self.roots)
            ruling = rule(
                self.plan, table, self.place, admitted=admitted, first_segment=first_segment
            )
            if stop_requested(self.place):
                return rule(self.plan, table, self.place, admitted=admitted)
            if not ruling.todo:
                wider = self.admission(ruling) if first_segment else admitted
                if wider != admitted:
                    admitted = wider
                elif first_segment:
                    first_segment = False
                else:
                    return ruling
                continue
            before = len(journal)
            self._work(journal, ruling, items)
            idle = 0 if len(journal) > before else idle + 1
            if idle >= _ROUNDS_WITHOUT_PROGRESS and not stop_requested(self.place):
                self._give_up(journal, ruling)

    def _work(self, journal: Journal, ruling: Ruling, items: dict[str, Item]) -> None:
        """One round of the executor over what the ruling asks for, segment by segment."""
        start, end = _segment(self.plan, min(position for _, position, _ in ruling.todo))
        tasks = [
            Task(
                _with_table_values(items[id_], ruling, self.plan),
                position,
                kept,
                journal.attempts(id_, self.plan.stages[position].fingerprint),
            )
            for id_, position, kept in ruling.todo
            if start <= position < end
        ]
        if self.round_roots and start == 0:
            tasks = _first_roots(tasks, self.round_roots)
        try:
            self.executor.run(self.plan, start, end, tasks, self.place)
        finally:
            self.progress.refresh()
            journal.gather()
        shutil.rmtree(self.place.cache, ignore_errors=True)
        self._bury(journal)

    def _bury(self, journal: Journal) -> None:
        """Items that were in flight when a worker died alone, twice, are failed as ``crash``."""
        deaths = self.place.scratch / "inflight"
        for marker in sorted(deaths.glob("*.txt")):
            fingerprint, *ids = marker.read_text().split("\n") or [""]
            marker.unlink()
            for id_ in ids:
                count = deaths / f"{fingerprint}-{id_}.deaths"
                died = int(count.read_text()) + 1 if count.exists() else 1
                count.write_text(str(died))
                if died >= 2 and journal.get(id_, fingerprint) is None:
                    journal.put([_crash(self.plan, id_, fingerprint, died)])

    def _give_up(self, journal: Journal, ruling: Ruling) -> None:
        """Fail what several rounds could not move, so that a run always ends."""
        journal.put(
            _crash(self.plan, id_, self.plan.stages[position].fingerprint, _ROUNDS_WITHOUT_PROGRESS)
            for id_, position, _ in ruling.todo
        )

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Refresh the progress and show it, from a thread of its own."""
        if self.watch is None:
            yield
            return
        ended = threading.Event()
        watch = self.watch

        def look() -> None:
            while not ended.wait(0.5):
                self.progress.refresh()
                watch(self.progress)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            watch(self.progress)


def _first_roots(tasks: list[Task], most: int) -> list[Task]:
    """All begun tasks, and of those at the plan's first stage the first ``most``."""
    begun = [task for task in tasks if task.position > 0]
    return begun + [task for task in tasks if task.position == 0][:most]


def _segment(plan: Plan, position: int) -> tuple[int, int]:
    return next((start, end) for start, end in plan.segments() if start <= position < end)


def _with_table_values(item: Item, ruling: Ruling, plan: Plan) -> Item:
    """The item with what the barriers found for it."""
    values = dict(item.values)
    for planned in plan.stages:
        if planned.whole:
            for column in planned.stage.columns:
                value = ruling.table.at[item.id, column.name]
                values[column.name] = None if value is None or value != value else value
    return Item(item.id, item.level, item.group, item.payload, values)


def _crash(plan: Plan, item: str, fingerprint: str, times: int) -> Record:
    stage = next(planned.name for planned in plan.stages if planned.fingerprint == fingerprint)
    detail = f"the worker died {times} times while it had this item"
    return Record(item, stage, fingerprint, "failed", "crash", detail, attempts=times, at=time.time())


@contextmanager
def _stop_on_signals(place: Workplace) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) asks for a stop; the second breaks off at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if stop_requested(place):
            raise Interrupted("Broken off at once; the journal is intact: run the same command to go on.")
        request_stop(place, "interrupted")
        LOGGER.warning("Stopping: finishing what is in flight; press Ctrl-C again to break off at once.")

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
