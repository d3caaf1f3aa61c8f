"""A run: from roots and a plan to a ruling with nothing left to do. Resumes, stops, reports."""

import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

from talkingface_wild.core.errors import DiskFull
from talkingface_wild.core.log import LOGGER
from talkingface_wild.core.stopping import handled_by
from talkingface_wild.core.terminal import mute_closed_terminal
from talkingface_wild.engine.costs import Costs
from talkingface_wild.engine.executors import Executor
from talkingface_wild.engine.item_table import build_table
from talkingface_wild.engine.journal import Journal, Record
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.progress import Progress
from talkingface_wild.engine.ruling import Ruling, rule
from talkingface_wild.engine.stage import Item, Workplace
from talkingface_wild.engine.worker import Task, request_stop, stop_requested
from talkingface_wild.engine.workers import StallWatch, markers

Admission = Callable[[Ruling | None], frozenset[str] | None]
"""Which roots may be worked on, given how those admitted before came out; None means all."""
_ROUNDS_WITHOUT_PROGRESS = 2
_STOPPING = "Stopping: finishing what is in flight; press Ctrl-C again to break off at once."
"""Said by the watching thread: a signal's handler may interrupt whoever is writing."""


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
    costs: Costs = field(default_factory=Costs)
    """What the progress is estimated from."""
    round_roots: int | None = None
    """Most roots begun in one round; the stages' caches are emptied after each round."""
    stopped: str | None = None
    _suspects: set[str] = field(default_factory=set)

    def go(self) -> Ruling:
        """Work until nothing is left; returns the ruling. After a stop, ``stopped`` says why.

        Raises DiskFull, and KeyboardInterrupt at the second Ctrl-C, as they come; what was finished
        is in the journal all the same.
        """
        shutil.rmtree(self.place.scratch / "inflight", ignore_errors=True)
        shutil.rmtree(self.place.cache, ignore_errors=True)
        (self.place.scratch / "stop").unlink(missing_ok=True)
        journal = Journal(self.place.out / "journal")
        journal.gather()
        if self.retry_failed:
            journal.reopen_failed()
        self.progress = Progress(journal.folder, self.plan, self.costs, len(self.roots))
        with _stop_on_signals(self.place, self.executor), self._watching():
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
        table, items = build_table(self.plan, journal, self.roots)
        while True:
            ruling = rule(
                self.plan, table, self.place, admitted=admitted, first_segment=first_segment
            )
            self.progress.begin(ruling)
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
            table, items = build_table(self.plan, journal, self.roots)

    def _work(self, journal: Journal, ruling: Ruling, items: dict[str, Item]) -> None:
        """One round of the executor over what the ruling asks for, segment by segment."""
        start, end = self.plan.segment_of(min(position for _, position, _ in ruling.todo))
        entries = [entry for entry in ruling.todo if start <= entry[1] < end]
        barrier_values = _barrier_values(ruling, self.plan, start, [id_ for id_, _, _ in entries])
        tasks = [
            Task(
                replace(items[id_], values={**items[id_].values, **barrier_values[id_]}),
                position,
                kept,
                journal.attempts(id_, self.plan.stages[position].fingerprint),
                _later_results(self.plan, journal, id_, position, end),
            )
            for id_, position, kept in entries
        ]
        if self.round_roots and start == 0:
            tasks = _first_roots(tasks, self.round_roots)
        calm = [task for task in tasks if task.item.id not in self._suspects]
        for group in [calm] if calm else [[task] for task in tasks]:
            try:
                self.executor.run(self.plan, start, end, group, self.place)
            except Exception:
                journal.gather()
                raise
            self.progress.refresh()
            journal.gather()
            self._bury(journal, alone=None if calm else group[0].item.id)
            if stop_requested(self.place):
                break
        shutil.rmtree(self.place.cache, ignore_errors=True)

    def _bury(self, journal: Journal, alone: str | None) -> None:
        """Items in flight when a worker died become suspects, which run one by one when the others
        are through. A worker that dies again with nothing but one item fails it as ``crash``.
        """
        for marker in markers(self.place):
            fingerprint, *ids = marker.read_text().split("\n")
            marker.unlink()
            self._suspects.update(ids)
            if alone is not None and ids == [alone] and journal.get(alone, fingerprint) is None:
                detail = "the worker died while it had this item, and again with it alone"
                journal.put([_crash(self.plan, journal, alone, fingerprint, detail)])

    def _give_up(self, journal: Journal, ruling: Ruling) -> None:
        """Fail what several rounds could not move, so that a run always ends."""
        detail = f"{_ROUNDS_WITHOUT_PROGRESS} rounds of work ended without any result"
        journal.put(
            _crash(self.plan, journal, id_, self.plan.stages[position].fingerprint, detail)
            for id_, position, _ in ruling.todo
        )

    @contextmanager
    def _watching(self) -> Iterator[None]:
        """Refresh the progress and show it, and watch for a stall, from a thread of its own."""
        ended = threading.Event()
        watch = self.watch or _unwatched
        stall = StallWatch(self.place, self.executor.describe)

        def look() -> None:
            stopping = False
            while not ended.wait(0.5):
                if not stopping and stop_requested(self.place):
                    stopping = True
                    LOGGER.warning(_STOPPING)
                self.progress.refresh()
                watch(self.progress)
                sentence = stall.look(self.progress.results)
                if sentence:
                    LOGGER.warning(sentence)

        thread = threading.Thread(target=look, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            watch(self.progress)


def _unwatched(_: Progress) -> None:
    """The watch of a run that nobody watches."""


def _first_roots(tasks: list[Task], most: int) -> list[Task]:
    """All begun tasks, and of those at the plan's first stage the first ``most``."""
    begun = [task for task in tasks if task.position > 0]
    return begun + [task for task in tasks if task.position == 0][:most]


def _barrier_values(
    ruling: Ruling, plan: Plan, end: int, ids: list[str]
) -> dict[str, dict[str, Any]]:
    """What the barriers before position ``end`` found for each item."""
    names = [
        c.name for planned in plan.stages[:end] if planned.whole for c in planned.stage.columns
    ]
    if not names:
        return {id_: {} for id_ in ids}
    rows = ruling.table.loc[ids, names].astype(object)
    rows = rows.where(rows.notna(), None)
    records: list[Any] = rows.to_dict("records")
    return dict(zip(ids, records, strict=True))


def _later_results(
    plan: Plan, journal: Journal, item: str, position: int, end: int
) -> frozenset[int]:
    """Positions behind ``position`` whose result for this item is in the journal already."""
    return frozenset(
        later
        for later in range(position + 1, end)
        if journal.get(item, plan.stages[later].fingerprint) is not None
    )


def _crash(plan: Plan, journal: Journal, item: str, fingerprint: str, detail: str) -> Record:
    stage = next(planned.name for planned in plan.stages if planned.fingerprint == fingerprint)
    tries = journal.attempts(item, fingerprint) + 2
    return Record(
        item, stage, fingerprint, "failed", "crash", detail, attempts=tries, at=time.time()
    )


@contextmanager
def _stop_on_signals(place: Workplace, executor: Executor) -> Iterator[None]:
    """The first Ctrl-C, SIGTERM, or SIGHUP (the terminal was closed) asks for a stop: what is in
    flight is finished. The second Ctrl-C or SIGTERM, or one while the engine is being started,
    breaks off at once. A SIGHUP that was ignored before (nohup) stays so.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if number == signal.SIGHUP:
            mute_closed_terminal()
        again = stop_requested(place)
        request_stop(place, "interrupted")
        if number != signal.SIGHUP and (again or executor.starting):
            raise KeyboardInterrupt

    with handled_by(stop, always=(signal.SIGINT, signal.SIGTERM)):
        yield
