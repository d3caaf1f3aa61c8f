"""The report's part on gates: histograms with bounds, borderline stills, scores by language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from markupsafe import Markup

from talkingface_wild.core.columns import Column
from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.borderline import is_numeric
from talkingface_wild.pages.charts import bars, binned, histogram
from talkingface_wild.pages.data_report import Report
from talkingface_wild.pages.gate_views import Example, GateView
from talkingface_wild.pages.svg import number

COMPARED_COLUMNS = ("sync_confidence", "sync_margin", "quality_crop_mean")
"""Scores of networks that may treat languages unevenly: shown per language wherever measured."""


@dataclass(frozen=True)
class GateCard:
    """One gate as it is shown; ``unmeasured`` stands in place of counts and drawing."""

    name: str
    rule: str
    meaning: str
    counts: str
    unmeasured: str | None
    drawing: Markup | None
    examples: Sequence[Example]


def gate_card(view: GateView, unmeasured: str | None) -> GateCard:
    """The card of a gate; ``unmeasured`` says why its stage measured nothing."""
    gate = view.gate
    unit = f" {view.column.unit}" if view.column.unit else ""
    rule = f"{gate.column} {gate.comparison} {_bound(gate.bound)}{unit}, else {gate.reason}"
    counts = f"{len(view.rows)} {view.level}s measured, {view.failed} beyond the bound"
    if view.without:
        why = "let through unmeasured" if gate.missing == "pass" else "unmeasured"
        counts += f", {view.without} without a value (not reached, or {why})"
    words = None
    if unmeasured:
        passes = gate.missing == "pass" or not view.rows.empty
        through = "lets clips through" if passes else "rejects clips as unmeasured"
        words = f"Not measured ({unmeasured}): the gate {through}."
    drawing = None if unmeasured else _drawing(view)
    return GateCard(gate.name, rule, view.column.meaning, counts, words, drawing, view.examples)


def _bound(bound: object) -> str:
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return repr(bound) if isinstance(bound, str) else str(bound).lower()
    return number(bound)


def _drawing(view: GateView) -> Markup | None:
    if view.rows.empty:
        return None
    if is_numeric(view.gate):
        return _histogram(view.rows, bounds_of(view.gate), view.column)
    counts = view.rows["value"].astype(str).value_counts().sort_index()
    total = len(view.rows)
    rows = [(str(k), float(v), f"{v} ({v / total:.0%})") for k, v in counts.head(12).items()]
    return bars(rows, f"Values of {view.gate.column}")


def bounds_of(gate: Gate) -> dict[str, float]:
    """The gate's bounds by label: the general one under an empty label, then one per language."""
    return {"": float(gate.bound)} | {str(k): float(v) for k, v in gate.per_group.items()}


def _histogram(
    rows: pd.DataFrame, bounds: dict[str, float], column: Column, language: str = ""
) -> Markup:
    values = np.asarray(rows["value"].to_numpy(), np.float64)
    passed = rows["passed"].to_numpy(bool)
    bins = binned(values, passed, list(bounds.values()), whole=column.type == "int")
    name = f"{column.name}, {language}" if language else column.name
    return histogram(bins, bounds, column.unit, name)


Multiples = list[tuple[str, Markup]]
"""Words and histogram of each language."""


def scores_by_language(report: Report) -> list[tuple[str, Multiples]]:
    """The scores compared, and columns of gates with bounds per language, with their titles."""
    numeric = {view.gate.column: view for view in report.gates if is_numeric(view.gate)}
    special = [view.gate.column for view in report.gates if view.gate.per_group]
    names = dict.fromkeys([*COMPARED_COLUMNS, *(name for name in special if name in numeric)])
    return [
        (f"{name}: {report.recorded.columns[name].meaning}", cells)
        for name in names
        if name in report.recorded.items
        if (cells := _multiples(report, name, numeric.get(name)))
    ]


def _multiples(report: Report, name: str, view: GateView | None) -> Multiples:
    if view is not None:
        rows = view.rows
    else:
        values = report.recorded.measured_rows(name)
        values = values[values[name].notna()]
        rows = pd.DataFrame({"value": values[name], "passed": True, "group": values["group"]})
    cells = []
    for language, own in rows.groupby(rows["group"].astype(str), sort=True):
        words, bounds = f"{language}: {len(own)} clips", {}
        if view is not None:
            words += f", {float(own['passed'].mean()):.0%} pass"
            bounds = {"": float(view.gate.bound_for(str(language)))}
        column = report.recorded.columns[name]
        cells.append((words, _histogram(own, bounds, column, str(language))))
    return cells
