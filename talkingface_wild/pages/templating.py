"""Pages from the templates beside this file: all that is put into one is escaped."""

import base64
import functools
import re
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from talkingface_wild.core.durations import human_hours
from talkingface_wild.core.version import __version__
from talkingface_wild.pages.svg import clean, number

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
NONE = "—"
_LONGEST_NUMBER = 24
"""Longer text that begins with a digit is a sentence."""
_BETWEEN_TAGS = re.compile(r">\s*\n\s*<")


class MarkedText(NamedTuple):
    """Text of a table's cell that stands in an element of its own."""

    text: str
    element: str = "span"
    class_: str | None = None


Cell = str | int | float | None | MarkedText | Markup


def render(name: str, **context: Any) -> str:
    """The template ``name`` with these values; line ends between tags are taken out."""
    text = _environment().get_template(name).render(**context)
    return _BETWEEN_TAGS.sub("><", text)


def noun(count: int, one: str, more: str) -> str:
    """The word for so many."""
    return one if count == 1 else more


def decimals(value: float | None, digits: int = 1) -> str:
    """A number with so many decimals, or a dash."""
    return NONE if value is None else f"{value:.{digits}f}"


def jpeg_address(picture: bytes) -> str:
    """A JPEG file's bytes as an address that a page can hold."""
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode('ascii')}"


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("talkingface_wild.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_final,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {"policy": Markup(POLICY), "version": __version__}
    environment.filters |= {"hours": human_hours, "number": number, "decimals": decimals}
    environment.filters |= {"jpeg_address": jpeg_address}
    environment.tests |= {"numeric": _is_number}
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    return environment


def _final(value: object) -> object:
    """What a template shows of a value: nothing of None, no control characters of text."""
    if value is None:
        return ""
    return value if isinstance(value, Markup) else clean(str(value))


def _is_number(cell: Cell) -> bool:
    """Whether a cell is set right, as numbers are."""
    if isinstance(cell, Markup | MarkedText) or cell is None:
        return False
    if not isinstance(cell, str) or cell == NONE:
        return True
    return len(cell) <= _LONGEST_NUMBER and cell.lstrip("-−")[:1].isdigit()
