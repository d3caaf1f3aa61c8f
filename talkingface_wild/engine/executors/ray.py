"""The Ray executor: Ray Data pipelines of actor pools, here or on the cluster in RAY_ADDRESS.

The only module that imports ray. Tasks travel as small pickles, results go to the journal.
"""

import logging
import os
import pickle
import signal
import threading
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import ray
from ray.data import ActorPoolStrategy, DataContext
from ray.data._internal.execution.streaming_executor import StreamingExecutor
from ray.exceptions import ObjectLostError, OutOfMemoryError, RayActorError, WorkerCrashedError

from talkingface_wild.core.errors import TfwError
from talkingface_wild.core.log import LOGGER
from talkingface_wild.core.terminal import children_away, leave_terminal
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.worker import Task, Worker, stop_requested
from talkingface_wild.engine.workers import any_busy, marker_path

_IDLE_SECONDS = 3.0
"""After a request to stop, a pipeline in which nothing was in hand for so long is left."""

_END_SECONDS = 3.0
"""A pipeline that is broken off gets so long to end its threads."""


@dataclass(frozen=True)
class Operator:
    """Neighbouring stages that share one actor pool."""

    start: int
    end: int
    gpus: float
    batch_size: int


def operators(plan: Plan, start: int, end: int, has_gpu: bool = False) -> list[Operator]:
    """Group a segment's stages into operators: few, since each costs a pool of processes.

    A new one begins after a split, to spread the children, and where the kind of work changes: the
    network, and a GPU where the cluster has one. Stages that do not run begin none.
    """
    groups: list[list[int]] = []
    kinds: list[tuple[bool, bool]] = []
    for position in range(start, end):
        planned = plan.stages[position]
        kind = (planned.pool.network, has_gpu and planned.pool.gpus > 0)
        after_split = position > start and plan.stages[position - 1].stage.kind == "split"
        fits = groups and not after_split and (kind == kinds[-1] or planned.unmeasured is not None)
        if fits:
            groups[-1].append(position)
        else:
            groups.append([position])
            kinds.append(kind)
    return [
        Operator(
            group[0],
            group[-1] + 1,
            max(plan.stages[position].pool.gpus for position in group) if kind[1] else 0.0,
            max(getattr(plan.stages[position].stage, "batch_size", 1) for position in group),
        )
        for group, kind in zip(groups, kinds, strict=True)
    ]


def declaration(cpus: float, actors: int) -> float:
    """Logical CPUs that each actor may declare so that all pools leave one whole CPU to the source.

    Ray Data schedules by what is declared: pools that leave less than that CPU hang for ever, so on
    a cluster of one CPU actors declare none.
    """
    spare = max(cpus - 1.0, 0.0)
    return round(min(1.0, spare / max(actors, 1)) * 0.9, 4)


class _Pool:
    """What runs in each actor: one worker over its range of stages.

    The plan comes as a pickle of its own: before it is opened, and the stages' libraries with it,
    the process leaves the terminal, which a cluster that was started by hand has given it.
    """

    def __init__(self, plan: bytes, start: int, end: int, place: Workplace) -> None:
        leave_terminal()
        marker = marker_path(place, f"ray{start}")
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        logging.getLogger("talkingface_wild").setLevel(logging.ERROR)
        self._worker = Worker(pickle.loads(plan), start, end, place, f"ray{start}")

    def __call__(self, batch: pa.Table) -> pa.Table:
        tasks = [pickle.loads(task) for task in batch.column("task").to_pylist()]
        return _table(self._worker.run(tasks))


def _table(tasks: Sequence[Task]) -> pa.Table:
    return pa.table({"task": pa.array([pickle.dumps(task) for task in tasks], pa.binary())})


class RayExecutor:
    """Starts Ray once, at the first work, and keeps it for the whole run."""

    name = "ray"

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers
        self.starting = False
        self._started = False
        self._shape = "Ray is starting"

    def run(
        self, plan: Plan, start: int, end: int, tasks: Sequence[Task], place: Workplace
    ) -> None:
        """Stream the tasks through a pool per operator; a dead one ends the round, not the run."""
        self._start()
        if stop_requested(place):
            return
        total = ray.cluster_resources()
        cpus = float(total.get("CPU", 1.0))
        chain = operators(plan, start, end, bool(total.get("GPU", 0.0)))
        workers = self.workers or max(
            1, (os.cpu_count() or 1) if not os.environ.get("RAY_ADDRESS") else int(cpus)
        )
        sizes = [
            min(workers, max(1, len(tasks))) if operator.start else workers for operator in chain
        ]
        share = declaration(cpus, sum(sizes))
        pickled_plan = pickle.dumps(plan)
        data = ray.data.from_arrow(_blocks(tasks, chain[0].batch_size))
        for operator, size in zip(chain, sizes, strict=True):
            if operator is not chain[0]:
                data = data.repartition(target_num_rows_per_block=operator.batch_size)
            data = data.map_batches(
                _Pool,
                fn_constructor_kwargs={
                    "plan": pickled_plan,
                    "start": operator.start,
                    "end": operator.end,
                    "place": place,
                },
                batch_size=operator.batch_size,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(min_size=1, max_size=size),
                num_cpus=share,
                num_gpus=operator.gpus or None,
                ray_remote_args_fn=_never_restart,
            )
        self._shape = f"{len(chain)} pools of at most {', '.join(map(str, sizes))} workers"
        self._drain(data, place)

    def describe(self) -> str:
        """The pools, and what the cluster has free."""
        free = ray.available_resources().get("CPU", 0.0) if ray.is_initialized() else 0.0
        return f"{self._shape}, {free:.2f} CPUs are free"

    def close(self) -> None:
        """Stop Ray where this executor started it, else leave the cluster."""
        if self._started:
            _log_at(logging.CRITICAL)
            ray.shutdown()
            self._started = False

    def _start(self) -> None:
        # The options of single actors have no other way in until Ray 2.64, which we do not allow.
        warnings.filterwarnings("ignore", message="`ray_remote_args_fn` is deprecated")
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = False
        context.max_errored_blocks = 0
        if ray.is_initialized():
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
        options: dict[str, Any] = {"logging_level": logging.ERROR, "log_to_driver": False}
        if not os.environ.get("RAY_ADDRESS"):
            # One logical CPU more than the machine has, for the source's own tasks; actors do
            # the work.
            options |= {
                "num_cpus": (self.workers or os.cpu_count() or 1) + 1,
                "include_dashboard": False,
            }
            options["object_store_memory"] = 256 * 1024 * 1024
        # Ray takes SIGTERM for itself. Its processes live in sessions of their own, so that neither
        # the terminal nor what is typed there reaches them.
        before = signal.getsignal(signal.SIGTERM)
        self.starting = self._started = True
        try:
            with children_away():
                ray.init(**options)
        finally:
            self.starting = False
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGTERM, before)
        _log_at(logging.ERROR)

    def _drain(self, data: Any, place: Workplace) -> None:
        """Wait for the pipeline, in a thread of its own: signals come to a thread that only waits.

        After a request to stop, a pipeline that has nothing in hand is broken off, Ray with it.
        """
        stream = _Stream(data)
        idle_since: float | None = None
        while not stream.ended(within=0.2):
            if not stop_requested(place) or any_busy(place):
                idle_since = None
            elif idle_since is None:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > _IDLE_SECONDS:
                if stream.broken_off():
                    self.close()
                self._started = False
                return
        _raise_but_for_deaths(stream.error)


class _Stream:
    """Runs a pipeline to its end in a thread; ``error`` is what it raised."""

    def __init__(self, data: Any) -> None:
        self.error: Exception | None = None
        self._thread = threading.Thread(target=self._consume, args=(data,), daemon=True)
        self._thread.start()

    def ended(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        self._thread.join(within)
        return not self._thread.is_alive()

    def broken_off(self) -> bool:
        """Whether the pipeline lets itself be ended: all its threads are gone.

        While one is left, Ray must stay: who asks it for anything after its end ends the program.
        """
        threads = _pipeline_threads()
        for thread in threads:
            thread.shutdown(force=True)
        for thread in threads:
            thread.join(_END_SECONDS)
        return self.ended(within=_END_SECONDS) and not _pipeline_threads()

    def _consume(self, data: Any) -> None:
        try:
            for _ in data.iter_batches(batch_size=None, batch_format="pyarrow"):
                pass
        except Exception as error:
            self.error = error


def _pipeline_threads() -> list[StreamingExecutor]:
    return [thread for thread in threading.enumerate() if isinstance(thread, StreamingExecutor)]


def _raise_but_for_deaths(error: Exception | None) -> None:
    """Raise what a pipeline raised, our own errors as such; of a worker's death only tell."""
    if error is None:
        return
    cause = _cause(error)
    if isinstance(cause, TfwError):
        raise cause from None
    if isinstance(error, OutOfMemoryError):
        LOGGER.warning(
            "Ray killed a worker since memory ran short; its items are tried again, one by one. "
            "If it goes on, stop with Ctrl-C and go on with fewer --workers."
        )
    elif isinstance(error, RayActorError | WorkerCrashedError | ObjectLostError):
        LOGGER.warning(
            "A worker died (%s); its items are tried again.", str(error).split("\n")[0][:200]
        )
    else:
        raise error


def _log_at(level: int) -> None:
    """What Ray may say: errors while it works; nothing of its own end, which is not for a person.

    Its threads may outlive it and then miss it loudly, so the level stays until the next start.
    """
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(level)


def _never_restart() -> dict[str, int]:
    """Options of each actor: one that dies ends the round, after which its items are looked at."""
    return {"max_restarts": 0, "max_task_retries": 0}


def _blocks(tasks: Sequence[Task], size: int) -> list[pa.Table]:
    return [_table(tasks[begin : begin + size]) for begin in range(0, len(tasks), size)]


def _cause(error: BaseException | None) -> BaseException | None:
    """The innermost cause that is one of our own errors, if any."""
    seen = 0
    while error is not None and seen < 10:
        cause = getattr(error, "cause", None)
        if isinstance(error, TfwError):
            return error
        if isinstance(cause, TfwError):
            return cause
        error = cause or error.__cause__
        seen += 1
    return None
