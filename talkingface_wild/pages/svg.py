"""HTML and SVG from nested calls: what is not Markup already is escaped, attributes too."""

from __future__ import annotations

import html
import re

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_VOID = frozenset({"meta", "img", "br"})


class Markup(str):
    """Text that is HTML already; plain ``str`` is not."""

    __slots__ = ()


Content = str | int | float | None


def escape(value: Content) -> Markup:
    """Markup as it is, all else escaped; control characters and lone surrogates become ``�``."""
    if isinstance(value, Markup):
        return value
    text = "" if value is None else str(value)
    clean = _CONTROL.sub("\ufffd", text)
    return Markup(html.escape(clean, quote=True))


def tag(name: str, /, *content: Content, **attributes: Content) -> Markup:
    """An element. Attribute names lose a last ``_``, have ``-`` for ``_``; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Markup(f"<{name}{written}>")
    return Markup(f"<{name}{written}>{joined(*content)}</{name}>")


def joined(*content: Content) -> Markup:
    """Pieces one after the other, each escaped unless it is markup."""
    return Markup("".join(escape(piece) for piece in content))
