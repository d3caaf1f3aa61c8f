"""Line charts and dot rows of a run's page, as inline SVG; colours are CSS classes."""

import math
from collections.abc import Sequence

from markupsafe import Markup

from talkingface_wild.pages.svg import chart, number, scale

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
    stretches = _stretches(frames, values)
    points = [point for stretch in stretches for point in stretch]
    if not points:
        return Markup('<p class="none">Nothing was measured.</p>')
    height = 190
    low, high = _range([value for _, value in points] + ([] if bound is None else [bound]))
    first, last = math.log(max(frames[0], 1.0)), math.log(max(frames[-1], 1.0))
    middle = (first - 1, first + 1) if last <= first else (first, last)
    on_axis = scale(*middle, SIDE, WIDTH - SIDE)
    y = scale(low, high, height - 34, 16)

    def x(frame: float) -> float:
        return on_axis(math.log(max(frame, 1.0)))

    shapes = chart(WIDTH, height, f"{name} over frames")
    for level in (low, high):
        shapes.line(SIDE, y(level), WIDTH - SIDE, y(level), class_="axis")
    for level in (low, high):
        shapes.label(SIDE - 6, y(level) + 4, number(level), "end")
    if bound is not None:
        shapes.line(SIDE, y(bound), WIDTH - SIDE, y(bound), class_="bound")
        shapes.label(WIDTH - SIDE + 4, y(bound) + 4, number(bound), "start", class_="mark")
    for stretch in stretches:
        if len(stretch) > 1:
            shapes.curve([(x(frame), y(value)) for frame, value in stretch], class_="curve")
    for frame, value in points:
        words = f"frame {number(frame)}: {number(value)}"
        shapes.dot(x(frame), y(value), 3.5, words, class_="pass")
    for frame in frames:
        shapes.label(x(frame), height - 16, number(frame), "middle")
    shapes.label(WIDTH / 2, height - 2, "frame", "middle")
    return shapes.markup()


def dot_row(values: Sequence[float], full: float, name: str) -> Markup:
    """Values as dots on one line, and ``full`` as a bar: what leaving each fold out does."""
    height, level = 64, 26
    low, high = _range([*values, full])
    x = scale(low, high, SIDE, WIDTH - SIDE)
    shapes = chart(WIDTH, height, f"{name} without each fold")
    shapes.line(SIDE, level, WIDTH - SIDE, level, class_="axis")
    shapes.line(x(full), level - 16, x(full), level + 10, class_="bound")
    for value in values:
        shapes.dot(x(value), level, 3.5, number(value), class_="pass")
    shapes.label(SIDE, height - 8, number(low), "start")
    shapes.label(WIDTH - SIDE, height - 8, number(high), "end")
    shapes.label(WIDTH / 2, height - 8, f"{len(values)} folds left out in turn", "middle")
    return shapes.markup()


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
    return stretches
