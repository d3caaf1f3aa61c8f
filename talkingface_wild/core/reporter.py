"""What a job tells while it works: sentences, warnings, and how far it is. It prints nothing.

The command line's board implements ``Reporter``; an app, a notebook and tests may do the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class ProgressRow:
    """One part of a job: ``done`` of ``total``, which is a guess where ``approximate``.

    ``total`` None means that it cannot be told yet. ``note`` is what else there is to say in a few
    words; ``skipped`` marks a part that this job does not do.
    """

    name: str
    done: int
    total: int | None
    approximate: bool = False
    skipped: bool = False
    note: str = ""

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if not self.total:
            return 1.0 if self.total == 0 and not self.approximate else 0.0
        return min(self.done / self.total, 1.0)

    @property
    def count(self) -> str:
        """``3/18``; ``3/~18`` where 18 is a guess, ``3`` where nothing is known."""
        if self.skipped:
            return "–"
        if self.total is None:
            return str(self.done)
        return f"{self.done}/{'~' * self.approximate}{self.total}"


@dataclass(frozen=True)
class Snapshot:
    """How a whole job stands: its parts in their fixed order, and one estimate for all of it."""

    title: str
    rows: tuple[ProgressRow, ...]
    seconds: float
    """Wall seconds since it began."""
    seconds_left: float | None
    """None while nothing can be told."""


Look = Callable[[], Snapshot]
"""Gives how a job stands at this moment; it may be called from any thread."""


class Reporter(Protocol):
    """Who is told. Calls may come from another thread than the job's own."""

    def say(self, text: str) -> None:
        """A sentence for a person."""

    def warn(self, text: str) -> None:
        """A sentence that stays with the result."""

    def progress(self, look: Look) -> None:
        """How the job stands from now on; called often."""


class Quiet:
    """A Reporter that tells nobody."""

    def say(self, text: str) -> None:
        """Nothing."""

    def warn(self, text: str) -> None:
        """Nothing."""

    def progress(self, look: Look) -> None:
        """Nothing."""
