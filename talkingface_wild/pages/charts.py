"""Histograms and bars as inline SVG; colours are classes of the page's style sheet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from markupsafe import Markup

from talkingface_wild.pages.svg import chart, number, scale

WIDTH = 480

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
    height, top, side = 190, 16 + 13 * min(len(bounds), 6), 8
    axis = float(height - 30)
    first, last = float(bins.edges[0]), float(bins.edges[-1])
    x_at = scale(first, last, side, WIDTH - side)
    most = max(int((bins.passed + bins.failed).max()), 1)
    shapes = chart(WIDTH, height, f"Histogram of {name}")
    for index in range(len(bins.passed)):
        low, high = float(bins.edges[index]), float(bins.edges[index + 1])
        floor = axis
        for counts, kind in ((bins.passed, "pass"), (bins.failed, "fail")):
            if count := int(counts[index]):
                tall = max(count / most * (axis - top), 1.0)
                floor -= tall
                words = f"{number(low)} – {number(high)}: {count} {kind}"
                wide = max(x_at(high) - x_at(low) - 1, 0.5)
                shapes.bar(x_at(low), floor, wide, tall, words, class_=kind)
    shapes.line(side, axis, WIDTH - side, axis, class_="axis")
    below, above = ("≤ " * bins.beyond[0], "≥ " * bins.beyond[1])
    shapes.label(side, height - 12, below + number(first), "start")
    shapes.label(WIDTH - side, height - 12, above + number(last), "end")
    words = f"{unit} · tallest bar {most}" if unit else f"tallest bar {most}"
    shapes.label(WIDTH / 2, height - 12, words, "middle")
    for row, (label, bound) in enumerate(bounds.items()):
        at, level = x_at(bound), 11 + 13 * (row % 6)
        shapes.line(at, level + 3, at, axis, class_="bound")
        anchor, gap = ("start", 3) if at < WIDTH / 2 else ("end", -3)
        shapes.label(at + gap, level, f"{label} {number(bound)}".strip(), anchor, class_="mark")
    return shapes.markup()


def bars(
    rows: Sequence[tuple[str, float, str]], name: str, reference: float | None = None
) -> Markup:
    """Horizontal bars of (label, value, words at the end), with a line at ``reference``."""
    left, right, row_height = 110, 130, 22
    most = max([value for _, value, _ in rows] + [reference or 0.0]) or 1.0
    x_at = scale(0, most, left, WIDTH - right)
    height = len(rows) * row_height + 6
    shapes = chart(WIDTH, height, name)
    for index, (label, value, words) in enumerate(rows):
        y = index * row_height + 4
        short = label if len(label) <= 17 else label[:16] + "…"
        shapes.label(left - 6, y + 13, short, "end", label if label != short else None)
        wide = max(x_at(value) - left, 0.5)
        shapes.bar(left, y, wide, row_height - 6, f"{label}: {words}", class_="pass")
        shapes.label(x_at(value) + 5, y + 13, words, "start")
    if reference is not None:
        shapes.line(x_at(reference), 0, x_at(reference), height, class_="bound")
    return shapes.markup()


def share_bar(kept: int, rejected: int, failed: int, pending: int, measured: bool = True) -> Markup:
    """One thin bar cut into kept, rejected, failed and pending.

    Where nothing was measured, what was let through is grey.
    """
    shares = (
        ("pass", kept, "kept") if measured else ("unmeasured", kept, "not measured"),
        ("fail", rejected, "rejected"),
        ("broken", failed, "failed"),
        ("wait", pending, "pending"),
    )
    width, left = 160, 0.0
    total = max(kept + rejected + failed + pending, 1)
    words = ", ".join(f"{count} {name}" for _, count, name in shares)
    shapes = chart(width, 10, words, "share")
    for kind, count, name in shares:
        if count:
            wide = count / total * width
            shapes.bar(left, 0, wide, 10, f"{count} {name}", class_=kind)
            left += wide
    return shapes.markup()
