"""A gate as the report shows it: the values it judged, stills of items nearest to its bound."""

from dataclasses import dataclass

import pandas as pd

from talkingface_wild.core.columns import Column
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.dataset.borderline import is_numeric, judged, nearest_to_bound
from talkingface_wild.dataset.snapshot import Recorded
from talkingface_wild.pages.stills import finished_span, jpeg, source_span, stills
from talkingface_wild.pages.svg import number

PER_SIDE = 3
STILL_SIDE_PX = 160


@dataclass(frozen=True)
class Example:
    """An item near a bound: ``picture`` is a JPEG's bytes, or None and ``missing`` says why."""

    item: str
    language: str
    value: float
    bound: float
    passed: bool
    verdict: str
    picture: bytes | None = None
    missing: str = ""


@dataclass(frozen=True)
class GateView:
    """One gate, the ``rows`` it judged (see ``borderline.judged``), and how many lacked a value."""

    gate: Gate
    column: Column
    unmeasured: str | None
    """Why its stage measured nothing, where it did not."""
    level: str
    rows: pd.DataFrame
    without: int
    examples: tuple[Example, ...] = ()

    @property
    def rule(self) -> str:
        """What it asks for, and the reason it gives else."""
        gate, bound = self.gate, self.gate.bound
        if isinstance(bound, str):
            text = repr(bound)
        else:
            text = str(bound).lower() if isinstance(bound, bool) else number(bound)
        unit = f" {self.column.unit}" if self.column.unit else ""
        return f"{gate.column} {gate.comparison} {text}{unit}, else {gate.reason}"

    @property
    def counts(self) -> str:
        """How many it judged, or what it does with items that nobody measured."""
        passes = self.gate.missing == "pass"
        if self.unmeasured:
            lets = passes or not self.rows.empty
            what = "lets clips through" if lets else "rejects clips as unmeasured"
            return f"Not measured ({self.unmeasured}): the gate {what}."
        words = f"{len(self.rows)} {self.level}s measured, {self.failed} beyond the bound"
        if self.without:
            why = "let through unmeasured" if passes else "unmeasured"
            words += f", {self.without} without a value (not reached, or {why})"
        return f"{words}."

    @property
    def failed(self) -> int:
        """Items with a value beyond the bound."""
        return int((~self.rows["passed"].to_numpy(bool)).sum())


def gate_views(recorded: Recorded, pictures: int) -> tuple[GateView, ...]:
    """A view per gate in the recipe's order, with at most ``pictures`` stills in all.

    Each numeric gate gets the same share, up to three on each side of its bound, at least one.
    """
    gates = [gate for gate in recorded.gates if gate.column in recorded.items]
    numeric = sum(is_numeric(gate) for gate in gates)
    per_side = min(PER_SIDE, max(1, pictures // (2 * numeric))) if numeric and pictures else 0
    views = []
    left = pictures
    stored: dict[str, tuple[bytes | None, str]] = {}
    for gate in gates:
        population = recorded.measured_rows(gate.column)
        level = str(population["level"].iloc[0]) if len(population) else "clip"
        rows = judged(population, gate)
        examples = _examples(recorded, gate, population, min(per_side, left // 2), stored)
        left -= len(examples)
        views.append(
            GateView(
                gate,
                recorded.columns[gate.column],
                recorded.unmeasured.get(recorded.owners.get(gate.column, "")),
                level,
                rows,
                len(population) - len(rows),
                tuple(examples),
            )
        )
    return tuple(views)


def _examples(
    recorded: Recorded,
    gate: Gate,
    population: pd.DataFrame,
    per_side: int,
    stored: dict[str, tuple[bytes | None, str]],
) -> list[Example]:
    passing, failing = nearest_to_bound(population, gate, per_side)
    for item in (*passing, *failing):
        if item not in stored:
            stored[item] = _picture(recorded, item)
    return [
        Example(
            item,
            recorded.language_of(item),
            float(recorded.row(item)[gate.column]),
            float(gate.bound_for(str(population.at[item, "group"]))),
            item in passing,
            recorded.verdict_of(item),
            *stored[item],
        )
        for item in (*passing, *failing)
    ]


def _picture(recorded: Recorded, item: str) -> tuple[bytes | None, str]:
    """The middle of an item as a small JPEG, from its source or else its finished clip."""
    try:
        try:
            span = source_span(recorded, item)
        except ItemFailed:
            clip = finished_span(recorded, item)
            if clip is None:
                raise
            span = clip
        pictures = stills(span, 1, STILL_SIDE_PX)
    except (ItemFailed, ItemRejected) as error:
        return None, f"no picture: {error.outcome.reason}"
    except OSError as error:
        return None, f"no picture: {error.strerror or 'unreadable'}"
    return (jpeg(pictures[0]), "") if pictures else (None, "no picture: the file ends before it")
