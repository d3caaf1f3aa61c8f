"""The figure of lines: places worked out on paper, labels that stay text, one file by itself."""

import xml.etree.ElementTree as ET

import pytest

from talkingface_wild.pages.line_figure import Curve, Mark, Panel, figure

SVG = "{http://www.w3.org/2000/svg}"


def _drawn(curves, mark=None):
    text = figure(
        "A <title>", "words", "yaw_p90 at most, degrees", [Panel("All", "h", curves)], mark
    )
    return text, ET.fromstring(text)


def _texts(root):
    return [text.text for text in root.iter(f"{SVG}text")]


def test_points_lie_where_the_axes_say():
    _, root = _drawn([Curve("kept", [(10.0, 0.0), (20.0, 5.0), (30.0, 10.0)])])
    line = next(root.iter(f"{SVG}polyline"))
    (x0, y0), (x1, y1), (x2, y2) = (map(float, p.split(",")) for p in line.get("points").split())
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert y0 - y1 == pytest.approx(y1 - y2, abs=0.2)
    axis = {
        text.text: float(text.get("y")) - 4
        for text in root.iter(f"{SVG}text")
        if text.get("text-anchor") == "end"
    }
    assert axis["0"] == pytest.approx(y0, abs=0.2)
    assert axis["10"] == pytest.approx(y2, abs=0.2)


def test_axes_have_round_ticks_units_and_a_legend():
    _, root = _drawn(
        [Curve("kept", [(11.3, 0.2), (38.7, 9.1)]), Curve("with pending", [(11.3, 1)])]
    )
    texts = _texts(root)
    assert {"All, h", "yaw_p90 at most, degrees", "kept", "with pending"} <= set(texts)
    assert {"0", "2", "4", "6", "8", "10"} <= set(texts)
    assert {"15", "20", "25", "30", "35"} <= set(texts)


def test_the_bound_now_is_a_line_where_it_belongs_or_is_left_out_beyond_the_axis():
    points = [(10.0, 1.0), (30.0, 2.0)]
    _, root = _drawn([Curve("kept", points)], Mark(20.0, "now 20"))
    line = next(line for line in root.iter(f"{SVG}line") if line.get("class") == "bound")
    ticks = {t.text: float(t.get("x")) for t in root.iter(f"{SVG}text")}
    assert float(line.get("x1")) == pytest.approx(ticks["20"], abs=0.2)
    assert "now 20" in _texts(root)
    _, without = _drawn([Curve("kept", points)], Mark(900.0, "now 900"))
    assert "now 900" not in _texts(without)


def test_it_stands_alone_has_both_schemes_and_text_from_outside_stays_text():
    text, root = _drawn([Curve("<b>&", [(0.0, 1.0), (1.0, 1.0)])])
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "prefers-color-scheme: dark" in text
    assert "<b>&" in _texts(root)
    assert "A <title>" in _texts(root)


def test_ten_languages_are_told_apart_by_colour_or_dashes():
    curves = [Curve(f"l{i}", [(0.0, i), (1.0, i)]) for i in range(10)]
    _, root = _drawn(curves)
    assert len({line.get("class") for line in root.iter(f"{SVG}polyline")}) == 10
