"""The SVG kit: shapes drawn from numbers alone, tooltips, labels that stay text. Knows no data."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence

from markupsafe import Markup

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
Attribute = str | int | float | None


def clean(text: str) -> str:
    """The text with control characters and lone surrogates as ``�``: no page can hold them."""
    return _CONTROL.sub("\ufffd", text)


def number(value: float) -> str:
    """A number with at most four significant digits, whole ones in full, no exponent below 10⁹."""
    value = float(value) + 0.0
    if value == round(value) or abs(value) >= 10_000:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.3g}"
    return f"{value:.4g}"


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """The axis that puts ``low`` at ``start`` and ``high`` at ``end``."""
    pixels = (end - start) / (high - low)
    return lambda value: start + (value - low) * pixels


class Shapes:
    """Shapes in one element, in pixels from its upper left corner. ``words`` are a tooltip.

    Attribute names lose a last ``_`` and have ``-`` for ``_``; None leaves one out.
    """

    def __init__(self, element: ET.Element) -> None:
        self._element = element

    def bar(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        words: str | None,
        **attributes: Attribute,
    ) -> None:
        """A rectangle."""
        place = {"x": float(x), "y": float(y), "width": float(width), "height": float(height)}
        self.add("rect", words, **place, **attributes)

    def line(self, x1: float, y1: float, x2: float, y2: float, **attributes: Attribute) -> None:
        """A straight line."""
        place = {"x1": float(x1), "y1": float(y1), "x2": float(x2), "y2": float(y2)}
        self.add("line", None, **place, **attributes)

    def curve(
        self,
        points: Sequence[tuple[float, float]],
        words: str | None = None,
        **attributes: Attribute,
    ) -> None:
        """Straight lines from point to point."""
        places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.add("polyline", words, points=places, **attributes)

    def dot(self, x: float, y: float, r: float, words: str, **attributes: Attribute) -> None:
        """A filled circle."""
        self.add("circle", words, cx=float(x), cy=float(y), r=str(r), **attributes)

    def label(
        self,
        x: float,
        y: float,
        text: str,
        anchor: str,
        words: str | None = None,
        **more: Attribute,
    ) -> None:
        """Text that begins, ends or has its middle (``anchor``: start, end, middle) at ``x``."""
        element = self.add("text", words, x=float(x), y=float(y), text_anchor=anchor, **more)
        if words:
            element[0].tail = clean(text)
        else:
            element.text = clean(text)

    def group(self, y: float) -> Shapes:
        """A part of the drawing that begins ``y`` pixels lower."""
        return Shapes(self.add("g", None, transform=f"translate(0 {y:g})"))

    def add(self, name: str, words: str | None, **attributes: Attribute) -> ET.Element:
        """Any element, at the end."""
        element = ET.SubElement(self._element, name, _as_text(attributes))
        if words:
            ET.SubElement(element, "title").text = clean(words)
        return element

    def markup(self) -> Markup:
        """The drawing as text for a page or a file."""
        return Markup(ET.tostring(self._element, encoding="unicode", short_empty_elements=False))


def drawing(width: float, height: float, /, **attributes: Attribute) -> Shapes:
    """An empty drawing of this size; it fills the width that it is given."""
    box = {"viewBox": f"0 0 {width:g} {height:g}"}
    return Shapes(ET.Element("svg", box | _as_text(attributes)))


def file_drawing(width: int, height: int, /, **attributes: Attribute) -> Shapes:
    """An empty drawing that is a file by itself."""
    attributes |= {"width": width, "height": height, "xmlns": "http://www.w3.org/2000/svg"}
    return drawing(width, height, **attributes)


def chart(width: float, height: float, name: str, class_: str = "chart") -> Shapes:
    """An empty drawing for a page, ``name`` for those who can't see it."""
    return drawing(width, height, role="img", aria_label=name, class_=class_)


def _as_text(attributes: dict[str, Attribute]) -> dict[str, str]:
    return {
        name.rstrip("_").replace("_", "-"): f"{value:.1f}"
        if isinstance(value, float)
        else clean(str(value))
        for name, value in attributes.items()
        if value is not None
    }
