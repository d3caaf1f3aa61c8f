"""What a stage answers for one item: done, rejected or failed.

Rejected is a result; what failed may succeed another time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from talkingface_wild.core.reasons import FAILED

Value = str | int | float | bool | list[float] | list[int] | None
"""What a column may hold for one item: plain JSON, NaN excluded."""


@dataclass(frozen=True)
class Child:
    """A clip that a Split makes: its id, its payload, and measures already known of it."""

    id: str
    payload: Mapping[str, Any]
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The stage ran: values for its columns, and the children of a split item (else None)."""

    values: Mapping[str, Value] = field(default_factory=dict)
    children: tuple[Child, ...] | None = None


@dataclass(frozen=True)
class Rejected:
    """The item can never pass (no sound, undecodable): a result, kept with its reason."""

    reason: str
    detail: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.reason in FAILED:
            raise KeyError(f"{self.reason!r} is a reason of failure; see core/reasons.py")


@dataclass(frozen=True)
class Failed:
    """The work did not succeed this time; ``transient`` says that a retry in this run may help."""

    reason: str
    detail: str = ""
    transient: bool = False

    def __post_init__(self) -> None:
        if self.reason not in FAILED:
            raise KeyError(f"{self.reason!r} is no reason of failure; see core/reasons.py")


Outcome = Done | Rejected | Failed


class ItemRejected(Exception):
    """Raised below a stage (media, perception) for what can never pass; becomes ``Rejected``."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.outcome = Rejected(reason, detail)


class ItemFailed(Exception):
    """Raised by code below a stage when the work did not succeed this time; becomes ``Failed``."""

    def __init__(self, reason: str, detail: str = "", transient: bool = False) -> None:
        super().__init__(f"{reason}: {detail}")
        self.outcome = Failed(reason, detail, transient)
