"""What ``tfw --help`` prints: where to begin, and the verbs in groups. Plain text of any width."""

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence

BEGIN = "tfw curate --langs all --recipe demo --out demo_out"
"""The first command of somebody who has nothing yet; ``make demo`` is the same."""
GROUPS: dict[str, tuple[str, ...]] = {
    "Data": (
        *("curate", "status", "ls", "why", "reasons", "recut", "calibrate", "review"),
        *("report", "export", "commits", "purge", "recipes", "schema"),
    ),
    "Scores": ("bench", "cite"),
    "Models": ("train", "generate", "model"),
    "Setup": ("doctor", "weights", "help"),
}
"""The verbs of each group in the order of the page; a name that is no verb is left out."""
MORE = (
    ("tfw VERB --help", "options and examples of a verb; `tfw help VERB` is the same"),
    ("tfw help", "topics: exit codes, environment variables"),
)
_WIDEST = 100
Rows = Iterable[tuple[str, str]]


def front_page(
    summary: str, verbs: Mapping[str, str], options: Rows, width: int | None = None
) -> str:
    """The page; ``verbs`` gives each verb's line. ``width`` is the terminal's without it."""
    width = page_width(width)
    parts = [
        _command(f"Begin here: {BEGIN}", width),
        textwrap.fill(summary, width),
        "Usage: tfw VERB [OPTIONS]",
    ]
    for title, names in grouped(verbs).items():
        rows = named_rows([(name, verbs[name]) for name in names], width)
        parts.append("\n".join([_title(title), *rows]))
    parts.append("\n".join([_title("Options"), *named_rows(options, width)]))
    parts.append("\n".join([_title("More"), *named_rows(MORE, width)]))
    return "\n\n".join(parts)


def page_width(width: int | None = None) -> int:
    """Columns of a page of help: ``width``, or the terminal's, and never more than 100."""
    return min(width or shutil.get_terminal_size().columns, _WIDEST)


def grouped(verbs: Iterable[str]) -> dict[str, list[str]]:
    """The verbs of each group; one that no group names stands with the setup."""
    left = list(verbs)
    named = {title: [name for name in names if name in left] for title, names in GROUPS.items()}
    placed = {name for names in named.values() for name in names}
    named["Setup"] += [name for name in left if name not in placed]
    return {title: names for title, names in named.items() if names}


def named_rows(rows: Rows, width: int) -> Iterator[str]:
    """Names and what they are, in two columns; on a narrow terminal one below the other."""
    entries = list(rows)
    column = max(len(name) for name, _ in entries) + 4
    if column > width // 2:
        column = 6
    for name, words in entries:
        lines: Sequence[str] = textwrap.wrap(words, max(width - column, 16)) or [""]
        first = f"  {name}".ljust(column)
        if len(first) > column:
            yield first
            first = " " * column
        yield f"{first}{lines[0]}"
        yield from (" " * column + line for line in lines[1:])


def _command(line: str, width: int) -> str:
    """A command that may be pasted from a narrow terminal as well: broken as a shell allows."""
    lines = textwrap.wrap(
        line, max(width - 2, 20), subsequent_indent="    ", break_long_words=False
    )
    return " \\\n".join(lines)


def _title(words: str) -> str:
    bold = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    return f"\033[1m{words}\033[0m" if bold else words
