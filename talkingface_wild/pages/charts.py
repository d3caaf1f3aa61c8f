"""Charts as inline SVG, drawn from numbers alone; colours are classes of the page's style sheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from talkingface_wild.dataset.markup import Markup, joined, tag

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """Counts of passing and failing values between ``edges`` (one more than counts).

    ``beyond`` says whether values below the first or above the last edge were counted in the
    outermost bins.
    """

    edges: Floats
    passed: npt.NDArray[np.int64]
    failed: npt.NDArray[np.int64]
    beyond: tuple[bool, bool]


def binned(
    values: Floats, passed: npt.NDArray[np.bool_], bounds: Sequence[float], whole: bool = False
) -> Bins:
    """At most 30 equal bins over the central 99 % of the values and all bounds.

    With ``whole``, the numbers of a narrow range get a bin each. ``values`` must not be empty.
    """
    low, high = np.quantile(values, [0.005, 0.995], method="closest_observation")
    low, high = min(low, *bounds, high), max(high, *bounds, low)
    whole = whole and high - low <= 30
    if whole:
        edges = np.arange(np.floor(low), np.floor(high) + 2) - 0.5
    else:
        margin = (high - low) * 0.03 or max(abs(high), 1.0) * 0.05
        edges = np.linspace(low - margin, high + margin, 31)
    inside = np.clip(values, edges[0], edges[-1] - (0.5 if whole else 0.0))
    counts = [np.histogram(inside[side], edges)[0] for side in (passed, ~passed)]
    beyond = (bool(values.min() < edges[0]), bool(values.max() > edges[-1]))
    return Bins(edges, counts[0], counts[1], beyond)


def histogram(bins: Bins, bounds: Mapping[str, float], unit: str, name: str) -> Markup:
    """A histogram, failing values stacked on passing ones, a line for each bound with its label."""
    width, height, top, bottom, side = 480, 190, 16 + 13 * min(len(bounds), 6), 30, 8
    first, last = float(bins.edges[0]), float(bins.edges[-1])
    scale = (width - 2 * side) / (last - first)
    most = max(int((bins.passed + bins.failed).max()), 1)
    parts: list[Markup] = []
    for index in range(len(bins.passed)):
        left = side + (bins.edges[index] - first) * scale
        wide = (bins.edges[index + 1] - bins.edges[index]) * scale
        floor = float(height - bottom)
        span = f"{number(bins.edges[index])} – {number(bins.edges[index + 1])}"
        for counts, kind in ((bins.passed, "pass"), (bins.failed, "fail")):
            count = int(counts[index])
            if count:
                tall = max(count / most * (height - bottom - top), 1.0)
                floor -= tall
                words = f"{span}: {count} {kind}"
                parts.append(_bar(left, floor, max(wide - 1, 0.5), tall, kind, words))
    parts.append(_line(side, height - bottom, width - side, height - bottom, "axis"))
    low, high = ("≤ " * bins.beyond[0], "≥ " * bins.beyond[1])
    parts.append(_label(side, height - 12, low + number(first), "start"))
    parts.append(_label(width - side, height - 12, high + number(last), "end"))
    middle = f"{unit} · tallest bar {most}" if unit else f"tallest bar {most}"
    parts.append(_label(width / 2, height - 12, middle, "middle"))
    for row, (label, bound) in enumerate(bounds.items()):
        at = side + (bound - first) * scale
        level = 11 + 13 * (row % 6)
        parts.append(_line(at, level + 3, at, height - bottom, "bound"))
        anchor = "start" if at < width / 2 else "end"
        words = f"{label} {number(bound)}".strip()
        parts.append(_label(at + (3 if anchor == "start" else -3), level, words, anchor, "mark"))
    return _svg(width, height, f"Histogram of {name}", parts)


def bars(
    rows: Sequence[tuple[str, float, str]], name: str, reference: float | None = None
) -> Markup:
    """Horizontal bars of (label, value, words at the end), with a line at ``reference``."""
    width, left, right, row_height = 480, 110, 130, 22
    most = max([value for _, value, _ in rows] + [reference or 0.0]) or 1.0
    scale = (width - left - right) / most
    parts: list[Markup] = []
    for index, (label, value, words) in enumerate(rows):
        y = index * row_height + 4
        parts.append(_label(left - 6, y + 13, _short(label, 17), "end", title=label))
        parts.append(
            _bar(left, y, max(value * scale, 0.5), row_height - 6, "pass", f"{label}: {words}")
        )
        parts.append(_label(left + value * scale + 5, y + 13, words, "start"))
    height = len(rows) * row_height + 6
    if reference is not None:
        at = left + reference * scale
        parts.append(_line(at, 0, at, height, "bound"))
    return _svg(width, height, name, parts)


def share_bar(kept: int, rejected: int, failed: int, pending: int, measured: bool = True) -> Markup:
    """One thin bar cut into kept, rejected, failed and pending.

    Where nothing was measured, what was let through is grey.
    """
    total = max(kept + rejected + failed + pending, 1)
    width, parts, left = 160, [], 0.0
    through = "kept" if measured else "not measured"
    kinds = (
        ("pass" if measured else "unmeasured", kept, through),
        ("fail", rejected, "rejected"),
        ("broken", failed, "failed"),
        ("wait", pending, "pending"),
    )
    for kind, count, name in kinds:
        wide = count / total * width
        if count:
            parts.append(_bar(left, 0, wide, 10, kind, f"{count} {name}"))
        left += wide
    words = ", ".join(f"{count} {name}" for _, count, name in kinds)
    return _svg(width, 10, words, parts, "share")


def number(value: float) -> str:
    """A number with at most four significant digits, whole ones in full, no exponent below 10⁹."""
    value = float(value) + 0.0
    if value == round(value) or abs(value) >= 10_000:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:.4g}"


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _svg(
    width: int, height: float, name: str, parts: Sequence[Markup], class_: str = "chart"
) -> Markup:
    box = f"0 0 {width} {height:g}"
    return tag("svg", joined(*parts), viewBox=box, role="img", aria_label=name, class_=class_)


def _bar(x: float, y: float, width: float, height: float, class_: str, words: str) -> Markup:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    return tag("rect", tag("title", words), class_=class_, **place)


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    place = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    return tag("line", class_=class_, **place)


def _label(
    x: float, y: float, text: str, anchor: str, class_: str | None = None, title: str | None = None
) -> Markup:
    content = joined(tag("title", title), text) if title and title != text else text
    return tag("text", content, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=class_)
