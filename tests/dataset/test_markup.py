"""Whatever comes from outside stays text, in elements and in attributes."""

import html
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from talkingface_wild.dataset.markup import Markup, escape, joined, tag


class Seen(HTMLParser):
    """The elements, attributes and text that a browser would see."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))

    def handle_data(self, data):
        self.text += data


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc"])))
def test_any_text_comes_back_as_text_and_as_an_attribute(text):
    seen = Seen(tag("p", text, title=text))
    assert [name for name, _ in seen.elements] == ["p"]
    assert seen.elements[0][1]["title"] == text
    assert seen.text == text


def test_markup_inside_an_element_stays_but_not_inside_an_attribute():
    inner = tag("b", "<")
    assert tag("p", inner) == "<p><b>&lt;</b></p>"
    assert '"&lt;b&gt;&amp;lt;&lt;/b&gt;"' in tag("p", title=inner)


def test_control_characters_and_lone_surrogates_cannot_break_the_page():
    assert escape("a\x00\x1b\ud800b") == "a���b"
    escape("\ud83d\ude00").encode()


def test_attribute_names_and_void_elements():
    assert (
        tag("img", src="x", class_="a", aria_label="b") == '<img src="x" class="a" aria-label="b">'
    )
    assert tag("td", 3, class_=None) == "<td>3</td>"
    assert isinstance(joined("<", tag("br")), Markup)
    assert html.unescape(joined("<", None, 1.5)) == "<1.5"
