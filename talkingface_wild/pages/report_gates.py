"""The report's part on gates: histograms with bounds, borderline stills, scores by language."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from talkingface_wild.core.columns import Column
from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.borderline import is_numeric
from talkingface_wild.dataset.charts import bars, binned, histogram, number
from talkingface_wild.dataset.gate_views import Example, GateView
from talkingface_wild.dataset.markup import Content, Markup, tag
from talkingface_wild.dataset.report import Report

COMPARED_COLUMNS = ("sync_confidence", "sync_margin", "quality_crop_mean")
"""Scores of networks that may treat languages unevenly: shown per language wherever measured."""


def gates_section(views: Sequence[GateView], unmeasured: Mapping[str, str]) -> Markup:
    """A card per gate; ``unmeasured`` are the stages that measured nothing, and why."""
    if not views:
        return tag("section", tag("h2", "Gates"), tag("p", "The recipe has no gates."))
    cards = [_card(view, unmeasured.get(view.stage)) for view in views]
    return tag("section", tag("h2", "Gates"), tag("div", *cards, class_="grid"))


def _card(view: GateView, unmeasured: str | None) -> Markup:
    gate = view.gate
    unit = f" {view.column.unit}" if view.column.unit else ""
    rule = f"{gate.column} {gate.comparison} {_bound(gate.bound)}{unit}, else {gate.reason}"
    counted = f"{len(view.rows)} {view.level}s measured, {view.failed} beyond the bound"
    if view.without:
        counted += f", {view.without} without a value ({_missing(gate)})"
    parts: list[Content] = [
        tag("h3", gate.name),
        tag("p", rule, tag("br"), view.column.meaning, class_="rule"),
    ]
    if unmeasured:
        passes = gate.missing == "pass" or not view.rows.empty
        through = "lets clips through" if passes else "rejects clips as unmeasured"
        words = f"Not measured ({unmeasured}): the gate {through}."
        parts.append(tag("p", words, class_="unmeasured"))
    else:
        parts += [tag("p", counted + "."), _drawing(view)]
    if view.examples and not unmeasured:
        parts.append(tag("div", *(_figure(example) for example in view.examples), class_="stills"))
    return tag("article", *parts)


def _missing(gate: Gate) -> str:
    return (
        "not reached, or let through unmeasured"
        if gate.missing == "pass"
        else "not reached, or unmeasured"
    )


def _bound(bound: object) -> str:
    if isinstance(bound, bool) or not isinstance(bound, int | float):
        return repr(bound) if isinstance(bound, str) else str(bound).lower()
    return number(bound)


def _drawing(view: GateView) -> Markup:
    if view.rows.empty:
        return tag("p", "Nothing was measured.", class_="none")
    if not is_numeric(view.gate):
        counts = view.rows["value"].astype(str).value_counts().sort_index()
        total = len(view.rows)
        rows = [(str(k), float(v), f"{v} ({v / total:.0%})") for k, v in counts.head(12).items()]
        return bars(rows, f"Values of {view.gate.column}")
    return _histogram(view.rows, bounds_of(view.gate), view.column)


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


def _figure(example: Example) -> Markup:
    side = "passes" if example.passed else "fails"
    if example.picture is not None:
        data = base64.b64encode(example.picture).decode("ascii")
        still: Markup = tag(
            "img", src=f"data:image/jpeg;base64,{data}", alt=f"Frame of {example.item}"
        )
    else:
        still = tag("div", example.missing, class_="empty")
    words = f"{number(example.value)} {side} {number(example.bound)}"
    caption = tag(
        "figcaption",
        words,
        tag("br"),
        f"{example.item} · {example.language}",
        tag("br"),
        example.verdict,
    )
    return tag("figure", still, caption, class_=side)


def languages_section(report: Report) -> Markup:
    """Histograms per language of the scores compared, and of gates with bounds per language."""
    recorded = report.recorded
    gates = {view.gate.column: view.gate for view in report.gates if is_numeric(view.gate)}
    special = [view.gate.column for view in report.gates if view.gate.per_group]
    wanted = dict.fromkeys([*COMPARED_COLUMNS, *(name for name in special if name in gates)])
    parts: list[Content] = []
    for name in wanted:
        if name in recorded.items:
            parts += _multiples(report, name, gates.get(name))
    if not parts:
        parts = [
            tag(
                "p",
                "Neither lip-sync nor image quality was measured, and no gate differs by language.",
            )
        ]
    return tag("section", tag("h2", "Scores by language"), *parts)


def _multiples(report: Report, name: str, gate: Gate | None) -> list[Content]:
    recorded = report.recorded
    views = {view.gate.column: view for view in report.gates}
    if gate is not None:
        rows = views[name].rows
    else:
        values = recorded.measured_rows(name)
        values = values[values[name].notna()]
        rows = pd.DataFrame({"value": values[name], "passed": True, "group": values["group"]})
    cells = []
    column = recorded.columns[name]
    for language, mine in rows.groupby(rows["group"].astype(str), sort=True):
        passing = float(mine["passed"].mean())
        bounds = {"": float(gate.bound_for(str(language)))} if gate is not None else {}
        said = f"{language}: {len(mine)} clips" + (
            f", {passing:.0%} pass" if gate is not None else ""
        )
        cells.append(tag("div", tag("h4", said), _histogram(mine, bounds, column, str(language))))
    if not cells:
        return []
    return [tag("h3", f"{name}: {column.meaning}"), tag("div", *cells, class_="multiples")]
