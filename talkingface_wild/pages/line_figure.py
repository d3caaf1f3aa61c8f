"""Lines over a bound as an SVG file of its own: axes, round ticks, legend, light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass

from talkingface_wild.functional.round_numbers import multiples, round_step
from talkingface_wild.pages.svg import Shapes, clean, file_drawing, number, scale

WIDTH, HEIGHT = 760, 284
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 44, 46
_HEAD = 54
_ENTRIES = 12
"""Lines that a legend has room for; further ones are shapes and named by their tooltips."""

_LIGHT = ("#2b6cb0", "#c8553d", "#2f7f6f", "#7a4fa3", "#a86a00")
_DARK = ("#7db5ee", "#ef8d73", "#63c2ad", "#bf9be6", "#e0b04a")
_STYLE = """
text { font: 12px system-ui, sans-serif; fill: #5d6670; }
text.title { font-size: 15px; font-weight: 600; fill: #1d2126; }
text.mark { fill: #1d2126; font-weight: 600; }
.paper { fill: #ffffff; }
.axis { stroke: #d9dde2; stroke-width: 1; }
.bound { stroke: #1d2126; stroke-width: 1.5; stroke-dasharray: 4 2; }
.curve { fill: none; stroke-width: 2; }
.dashed { stroke-dasharray: 6 3; }
"""
_DARK_STYLE = """
text { fill: #9aa3ad; }
text.title, text.mark { fill: #e6e8ea; }
.paper { fill: #1c2024; }
.axis { stroke: #343a41; }
.bound { stroke: #f2f3f4; }
"""


@dataclass(frozen=True)
class Curve:
    """One line: its label, its points by rising x, and whether it is shapes in dashes."""

    label: str
    points: Sequence[tuple[float, float]]
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """One pair of axes: what y is, and the lines over it."""

    name: str
    unit: str
    curves: Sequence[Curve]


@dataclass(frozen=True)
class Mark:
    """A vertical line at ``x`` with its label."""

    x: float
    label: str


def figure(
    title: str, words: str, x_name: str, panels: Sequence[Panel], mark: Mark | None = None
) -> str:
    """The figure as the text of an SVG file: panels one below the other over the same x."""
    height = _HEAD + HEIGHT * len(panels)
    xs = [x for panel in panels for curve in panel.curves for x, _ in curve.points]
    span = (min(xs), max(xs)) if max(xs) > min(xs) else (min(xs) - 1, max(xs) + 1)
    if mark is not None and not span[0] <= mark.x <= span[1]:
        mark = None
    shapes = file_drawing(WIDTH, height, role="img", aria_label=title)
    shapes.add("style", None).text = _style()
    shapes.add("rect", None, width=WIDTH, height=height, class_="paper")
    shapes.add("text", None, x=16, y=24, class_="title").text = clean(title)
    shapes.add("text", None, x=16, y=44).text = clean(words)
    for place, panel in enumerate(panels):
        _draw_panel(shapes.group(_HEAD + place * HEIGHT), panel, x_name, span, mark)
    return shapes.markup()


def _style() -> str:
    """The rules: light, then dark where the reader's screen is."""
    sides = []
    for colours, more in ((_LIGHT, _STYLE), (_DARK, _DARK_STYLE)):
        rules = [more.strip()]
        for index, colour in enumerate(colours):
            rules.append(f".curve.c{index} {{ stroke: {colour}; }}")
            rules.append(f".dot.c{index} {{ fill: {colour}; }}")
        sides.append("\n".join(rules))
    return f"\n{sides[0]}\n@media (prefers-color-scheme: dark) {{\n{sides[1]}\n}}\n"


def _draw_panel(
    shapes: Shapes, panel: Panel, x_name: str, span: tuple[float, float], mark: Mark | None
) -> None:
    """The axes, the lines and the legend of one panel."""
    floor, right = HEIGHT - _BOTTOM, WIDTH - _RIGHT
    greatest = max((y for curve in panel.curves for _, y in curve.points), default=0.0)
    step = round_step(greatest / 5) if greatest > 0 else 1.0
    levels = multiples(step, 0, max(greatest, step), outward=True)
    x_at = scale(*span, _LEFT, right)
    y_at = scale(0, levels[-1], floor, _TOP)
    shapes.add("text", None, x=16, y=16).text = clean(f"{panel.name}, {panel.unit}")
    for level in levels:
        shapes.line(_LEFT, y_at(level), right, y_at(level), class_="axis")
        shapes.label(_LEFT - 8, y_at(level) + 4, number(level), "end")
    for tick in multiples(round_step((span[1] - span[0]) / 8), *span):
        shapes.line(x_at(tick), floor, x_at(tick), floor + 5, class_="axis")
        shapes.label(x_at(tick), floor + 19, number(tick), "middle")
    shapes.label((_LEFT + right) / 2, HEIGHT - 8, x_name, "middle")
    if mark is not None:
        shapes.line(x_at(mark.x), _TOP - 4, x_at(mark.x), floor, class_="bound")
        shapes.label(x_at(mark.x), _TOP - 8, mark.label, "middle", class_="mark")
    for index, curve in reversed([*enumerate(panel.curves)]):
        colour = f"c{index % len(_LIGHT)}"
        dashed = " dashed" if curve.dashed or index >= len(_LIGHT) else ""
        shape = f"curve {colour}{dashed}"
        points = [(x_at(x), y_at(y)) for x, y in curve.points]
        shapes.curve(points, curve.label, class_=shape)
        for (x, y), (left, top) in zip(curve.points, points, strict=True):
            words = f"{curve.label} at {number(x)}: {number(y)} {panel.unit}"
            shapes.dot(left, top, 2.5, words, class_=f"dot {colour}")
        if index < _ENTRIES:
            level = _TOP + 6 + 17 * index
            shapes.line(right + 16, level, right + 44, level, class_=shape)
            shapes.label(right + 50, level + 4, curve.label, "start")
