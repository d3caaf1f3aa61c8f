"""The report's part on gates: what they judged against their bounds, scores by language."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from talkingface_wild.core.columns import Column
from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.borderline import is_numeric
from talkingface_wild.pages.charts import bars, binned, histogram
from talkingface_wild.pages.data_report import Report
from talkingface_wild.pages.gate_views import GateView

COMPARED_COLUMNS = ("sync_confidence", "sync_margin", "quality_crop_mean")
"""Scores of networks that may treat languages unevenly: shown per language wherever measured."""


def gate_chart(view: GateView) -> Markup | None:
    """The values that a gate judged: a histogram, or bars of what is no number."""
    if view.unmeasured or view.rows.empty:
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
