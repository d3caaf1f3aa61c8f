"""Gates: a column, a comparison, a bound, a reason. Only recipes have them; no pixels."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from talkingface_wild.core.errors import nearest
from talkingface_wild.core.outcome import Value
from talkingface_wild.core.reasons import REJECTED

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}

Bound = float | int | bool | str


@dataclass(frozen=True)
class Gate:
    """Keep what satisfies ``column comparison bound``; anything else is rejected for ``reason``.

    ``per_group`` overrides the bound for single groups (languages, in curation). ``missing`` says
    what happens when the column is null: pass, or reject with the reason ``unmeasured``.
    """

    name: str
    column: str
    comparison: str
    bound: Bound
    reason: str
    missing: Literal["pass", "reject"] = "reject"
    per_group: Mapping[str, Bound] = field(default_factory=dict)
    meaning: str = ""
    """What a reason of its own means; those of ``core/reasons.py`` have their meaning there."""

    def __post_init__(self) -> None:
        if self.comparison not in COMPARISONS:
            raise ValueError(f"comparison {self.comparison!r} is none of {list(COMPARISONS)}")
        if self.reason not in REJECTED and not self.meaning:
            raise ValueError(
                f"{self.reason!r} is no known reason{nearest(self.reason, REJECTED)}; "
                "beside one of its own, a gate says by `meaning` what that means"
            )
        if self.missing not in ("pass", "reject"):
            raise ValueError(f"missing expects pass or reject, found {self.missing!r}")

    def bound_for(self, group: str) -> Bound:
        """The bound that holds for one group."""
        return self.per_group.get(group, self.bound)


@dataclass(frozen=True)
class Verdict:
    """The first gate that failed, with the value and the bound; ``Verdict()`` means kept."""

    reason: str | None = None
    gate: str | None = None
    value: Value = None
    bound: Bound | None = None

    @property
    def kept(self) -> bool:
        """Whether no gate failed."""
        return self.reason is None


def judge(gates: tuple[Gate, ...], values: Mapping[str, Value], group: str) -> Verdict:
    """The verdict of ``gates``, in order, over one item's values."""
    for gate in gates:
        value, bound = values.get(gate.column), gate.bound_for(group)
        if value is None:
            passed, reason = gate.missing == "pass", "unmeasured"
        else:
            passed, reason = COMPARISONS[gate.comparison](value, bound), gate.reason
        if not passed:
            return Verdict(reason, gate.name, value, bound)
    return Verdict()
