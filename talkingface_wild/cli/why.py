"""``tfw why``: one clip's whole path and where it ended."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

import typer

from talkingface_wild.cli.options import command
from talkingface_wild.cli.output import Output
from talkingface_wild.jobs.request import WhyRequest

if TYPE_CHECKING:
    from rich.text import Text

app = typer.Typer(add_completion=False)


@command(app, WhyRequest)
def why(request: WhyRequest, output: Output) -> None:
    """Tell one clip's whole path: stages, measures, gates, cost, verdict, reviewers' words.

    A source is told too, with the clips that were cut from it.
    """
    from talkingface_wild.jobs.why import text
    from talkingface_wild.jobs.why import why as path_of

    story = path_of(request)
    output.result(dataclasses.asdict(story), lambda: _page(text(story)))


def _page(lines: str) -> str | Text:
    """On a terminal what was not measured is grey."""
    if not sys.stdout.isatty():
        return lines
    from rich.text import Text

    from talkingface_wild.dataset.arrow_schema import NOT_MEASURED

    page = Text(lines)
    page.highlight_regex(rf"(?m)^.*{NOT_MEASURED}.*$", "bright_black")
    return page
