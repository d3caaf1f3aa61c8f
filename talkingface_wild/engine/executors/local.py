"""The local executor: one worker in this process. Needs no Ray."""

from collections.abc import Sequence

from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.worker import Task, Worker


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
