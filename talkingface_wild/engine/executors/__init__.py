"""What runs a range of a plan over tasks: in this process, or on Ray. Both give the same table."""

import os
from collections.abc import Sequence
from typing import Protocol

from talkingface_wild.core.errors import UsageError
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.worker import Task, Worker


class Executor(Protocol):
    """Runs ``plan.stages[start:end]`` over tasks; results go to the journal, not to the caller."""

    name: str
    starting: bool
    """Whether it is being started at this moment: nothing is in flight, it can be broken off."""

    def run(
        self, plan: Plan, start: int, end: int, tasks: Sequence[Task], place: Workplace
    ) -> None:
        """Return when every task has left the range, or a stop was requested."""

    def describe(self) -> str:
        """How it is laid out, for a person whose run does not get on."""

    def close(self) -> None:
        """Give back what the executor started; at once, whatever still runs."""


class LocalExecutor:
    """Runs tasks in order, depth first, in the calling thread."""

    name = "local"
    starting = False

    def run(
        self, plan: Plan, start: int, end: int, tasks: Sequence[Task], place: Workplace
    ) -> None:
        """Run every task through the range, or until a stop is requested."""
        worker = Worker(plan, start, end, place, "local")
        try:
            worker.run(tasks)
        finally:
            worker.close()

    def describe(self) -> str:
        """One worker."""
        return "one worker in this process"

    def close(self) -> None:
        """Nothing to give back."""


def make_executor(engine: str, workers: int | None = None) -> Executor:
    """The engine asked for; Ray is imported only when it is the one."""
    if engine == "local":
        if workers not in (None, 1):
            raise UsageError(
                f"--engine local works in one process, found --workers {workers}; "
                "leave --workers out, or use --engine ray."
            )
        return LocalExecutor()
    # Else a thread of Ray that outlives a run that was left would start another cluster.
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")
    from talkingface_wild.engine.executors.ray import RayExecutor

    return RayExecutor(workers)


def device_for(device: str) -> str:
    """``cpu`` or ``cuda``; ``auto`` is cuda where onnxruntime and torch both can use one.

    Raises UsageError for another word, or for ``cuda`` where torch sees no device.
    """
    if device == "auto":
        return "cuda" if _onnx_on_cuda() else "cpu"
    if device == "cuda":
        import torch

        if not torch.cuda.is_available():
            raise UsageError("--device cuda expects a CUDA device, torch found none; use cpu.")
    elif device != "cpu":
        raise UsageError(f"--device expects auto, cpu or cuda, found {device!r}.")
    return device


def _onnx_on_cuda() -> bool:
    try:
        import onnxruntime
    except ImportError:
        return False
    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
