"""The one table of terminals and notebooks."""

from collections.abc import Container, Iterable, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text


def table(
    title: str | None,
    headings: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    right: Container[str] = (),
    unwrapped: Container[str] = (),
    fold: bool = False,
    styles: Sequence[str | None] = (),
    **look: Any,
) -> Table:
    """A table of ``rows`` under ``headings``; ``right`` and ``unwrapped`` name headings.

    ``fold`` breaks long words instead of cutting them, ``styles`` has one of each row, ``look`` is
    what ``rich.table.Table`` takes beside.
    """
    drawn = Table(title=title, title_justify="left", caption_justify="left", **look)
    for heading in headings:
        drawn.add_column(
            heading,
            justify="right" if heading in right else "left",
            overflow="fold" if fold else "ellipsis",
            no_wrap=heading in unwrapped,
        )
    for place, row in enumerate(rows):
        cells = [cell if isinstance(cell, Text) else Text(str(cell)) for cell in row]
        drawn.add_row(*cells, style=styles[place] if styles else None)
    return drawn
