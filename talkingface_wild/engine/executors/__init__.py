"""What runs a range of a plan over tasks: in this process, or on Ray. Both give the same table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.worker import Task


class Executor(Protocol):
    """Runs ``plan.stages[start:end]`` over tasks; results go to the journal, not to the caller."""

    name: str

    def run(
        self, plan: Plan, start: int, end: int, tasks: Sequence[Task], place: Workplace
    ) -> None:
        """Return when every task has left the range, or a stop was requested."""

    def close(self) -> None:
        """Give back what the executor started."""
