"""Line charts and dot rows as inline SVG, drawn from numbers alone; colours are CSS classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

from talkingface_wild.dataset.charts import number
from talkingface_wild.dataset.markup import Markup, joined, tag

WIDTH, SIDE = 480, 44


def line_chart(
    frames: Sequence[float], values: Sequence[float | None], name: str, bound: float | None = None
) -> Markup:
    """``values`` over ``frames`` (increasing, positive) on a logarithmic axis, a dot for each.

    A gap where a value is None or not finite. ``bound`` is a dashed line with its number. Raises
    ValueError where frames and values differ in number.
    """
    if len(frames) != len(values):
        raise ValueError(
            f"Expected a value for each of {len(frames)} frames, found {len(values)}; "
            "give None for a gap."
        )
    known = [(f, v) for f, v in zip(frames, values, strict=True) if _is_finite(v)]
    if not known:
        return tag("p", "Nothing was measured.", class_="none")
    height, top, bottom = 190, 16, 34
    shown = [value for _, value in known if value is not None]
    low, high = _range(shown if bound is None else [*shown, bound])
    first, last = math.log(max(frames[0], 1.0)), math.log(max(frames[-1], 1.0))

    def x(frame: float) -> float:
        share = (math.log(max(frame, 1.0)) - first) / (last - first) if last > first else 0.5
        return SIDE + share * (WIDTH - 2 * SIDE)

    def y(value: float) -> float:
        return height - bottom - (value - low) / (high - low) * (height - bottom - top)

    parts = [_line(SIDE, y(level), WIDTH - SIDE, y(level), "axis") for level in (low, high)]
    parts += [_label(SIDE - 6, y(level) + 4, number(level), "end") for level in (low, high)]
    if bound is not None:
        parts.append(_line(SIDE, y(bound), WIDTH - SIDE, y(bound), "bound"))
        parts.append(_label(WIDTH - SIDE + 4, y(bound) + 4, number(bound), "start", "mark"))
    for stretch in _stretches(frames, values):
        points = " ".join(f"{x(frame):.1f},{y(value):.1f}" for frame, value in stretch)
        parts.append(tag("polyline", points=points, class_="curve"))
    for frame, value in known:
        if value is not None:
            parts.append(_dot(x(frame), y(value), f"frame {number(frame)}: {number(value)}"))
    for frame in frames:
        parts.append(_label(x(frame), height - 16, number(frame), "middle"))
    parts.append(_label(WIDTH / 2, height - 2, "frame", "middle"))
    return _svg(height, f"{name} over frames", parts)


def dot_row(values: Sequence[float], full: float, name: str) -> Markup:
    """Values as dots on one line, and ``full`` as a bar: what leaving each fold out does."""
    height, level = 64, 26
    low, high = _range([*values, full])

    def x(value: float) -> float:
        return SIDE + (value - low) / (high - low) * (WIDTH - 2 * SIDE)

    parts = [_line(SIDE, level, WIDTH - SIDE, level, "axis")]
    parts.append(_line(x(full), level - 16, x(full), level + 10, "bound"))
    parts += [_dot(x(value), level, number(value)) for value in values]
    parts.append(_label(SIDE, height - 8, number(low), "start"))
    parts.append(_label(WIDTH - SIDE, height - 8, number(high), "end"))
    parts.append(_label(WIDTH / 2, height - 8, f"{len(values)} folds left out in turn", "middle"))
    return _svg(height, f"{name} without each fold", parts)


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Least and greatest with a margin, never equal."""
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or max(abs(high), 1.0) * 0.05
    return low - margin, high + margin


def _stretches(
    frames: Sequence[float], values: Sequence[float | None]
) -> list[list[tuple[float, float]]]:
    """Runs of neighbouring points that have a value."""
    stretches: list[list[tuple[float, float]]] = [[]]
    for frame, value in zip(frames, values, strict=True):
        if value is not None and math.isfinite(value):
            stretches[-1].append((frame, value))
        elif stretches[-1]:
            stretches.append([])
    return [stretch for stretch in stretches if len(stretch) > 1]


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _svg(height: float, name: str, parts: Sequence[Markup]) -> Markup:
    box = f"0 0 {WIDTH} {height:g}"
    return tag("svg", joined(*parts), viewBox=box, role="img", aria_label=name, class_="chart")


def _line(x1: float, y1: float, x2: float, y2: float, class_: str) -> Markup:
    place = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    return tag("line", class_=class_, **place)


def _dot(x: float, y: float, words: str) -> Markup:
    return tag("circle", tag("title", words), cx=f"{x:.1f}", cy=f"{y:.1f}", r=3.5, class_="pass")


def _label(x: float, y: float, text: str, anchor: str, class_: str | None = None) -> Markup:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor, class_=class_)
