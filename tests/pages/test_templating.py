"""Whatever comes from outside stays text, in elements and in attributes, of pages and drawings."""

import re
import xml.etree.ElementTree as ET
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from talkingface_wild.pages import templating
from talkingface_wild.pages.svg import chart, clean
from talkingface_wild.pages.templating import MarkedText, render
from tests.pages.seen import Seen

TEMPLATES = resources.files("talkingface_wild.pages") / "templates"
TABLE = '{% from "parts.html" import table %}{{ table(headings, rows) }}'


def shown(source, **context):
    """A page from a template given as text."""
    return templating._environment().from_string(source).render(**context)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_any_text_comes_back_as_text_and_as_an_attribute(text):
    seen = Seen(shown('<p title="{{ text }}">{{ text }}</p>', text=text))
    assert [name for name, _ in seen.elements] == ["p"]
    assert seen.elements[0][1]["title"] == text
    assert seen.text == text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_any_text_comes_back_from_a_drawing(text):
    drawn = chart(10, 10, text)
    drawn.bar(0, 0, 1, 1, text or "-", class_="pass")
    drawn.label(0, 0, text, "start")
    root = ET.fromstring(drawn.markup())
    assert [element.tag for element in root.iter()] == ["svg", "rect", "title", "text"]
    assert root.get("aria-label") == text
    assert root.find("rect/title").text == (text or "-")
    assert (root.find("text").text or "") == text


def test_no_template_takes_text_as_it_is():
    for template in TEMPLATES.iterdir():
        assert not re.search(r"\|\s*safe|autoescape", template.read_text("utf-8")), template.name


def test_control_characters_and_lone_surrogates_cannot_break_the_page():
    assert clean("a\x00\x1b\ud800b") == "a���b"
    assert shown("{{ text }}{{ missing }}", text="a\x00\ud800b", missing=None) == "a��b"
    chart(1, 1, "\ud83d\ude00\x00").markup().encode()


def test_a_value_that_a_page_lacks_is_an_error_and_no_gap():
    with pytest.raises(UndefinedError):
        render("report.html")


def test_attribute_names_of_drawings():
    drawn = chart(4, 2, "b", "a")
    drawn.line(0, 0, 1, 1, stroke_dasharray="4 3", class_=None)
    assert drawn.markup() == (
        '<svg viewBox="0 0 4 2" role="img" aria-label="b" class="a">'
        '<line x1="0.0" y1="0.0" x2="1.0" y2="1.0" stroke-dasharray="4 3"></line></svg>'
    )


def test_a_column_of_numbers_is_set_right_and_marked_text_has_an_element():
    rows = [("<b>", 3, "—"), ("2 of 3 sentences, all long", 4.5, MarkedText("<i>", "code", "bad"))]
    seen = Seen(shown(TABLE, headings=["name", "n", "x"], rows=rows))
    classes = [attributes.get("class") for name, attributes in seen.elements if name == "th"]
    assert classes == [None, "n", None]
    cells = [attributes.get("class") for name, attributes in seen.elements if name == "td"]
    assert cells == [None, "n", "n", None, "n", None]
    assert ("code", {"class": "bad"}) in seen.elements
    assert "<b>" in seen.text and "<i>" in seen.text
