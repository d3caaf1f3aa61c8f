"""Why items are rejected or fail, what gives each reason, what helps: tables, lists, Markdown."""

import textwrap
from typing import Any

from rich.console import Group
from rich.table import Table

from talkingface_wild.core.reasons import GROUPS, OWN, OWN_WORDS
from talkingface_wild.pages.terminal.rich_table import table
from talkingface_wild.pipelines.schema import GivenReason

_NARROWEST_TABLE = 60
"""Columns below which four columns hold no words: a list stands there instead."""


def reason_data(row: GivenReason) -> dict[str, Any]:
    """A reason as plain data."""
    return {
        "name": row.reason.name,
        "group": row.reason.group,
        "meaning": row.reason.meaning,
        "stages": row.reason.stages,
        "gates": [{"gate": gate, "stage": stage, "keeps": rule} for gate, stage, rule in row.gates],
        "remedy": row.remedy,
    }


def reasons_page(rows: list[GivenReason], width: int) -> Group | str:
    """Tables by group; a list where ``width`` columns are too few for them."""
    if width < _NARROWEST_TABLE:
        return listed(rows, width)
    return Group(*(_table(f"{group}. {words}", own) for group, words, own in grouped(rows)))


def _table(title: str, rows: list[GivenReason]) -> Table:
    cells = [
        (row.reason.name, row.reason.meaning, "\n".join(sources_of(row)), row.remedy)
        for row in rows
    ]
    headings = ("reason", "meaning", "given by", "what helps")
    return table(title, headings, cells, fold=True, unwrapped=headings[:1])


def sources_of(row: GivenReason) -> list[str]:
    """What gives a reason: stages by themselves, then gates with what they keep."""
    by_gates = [f"gate {gate} ({stage}), keeps {rule}" for gate, stage, rule in row.gates]
    stages = [row.reason.stages] if row.reason.stages else []
    return [*stages, *by_gates] or ["no stage and no gate of this recipe"]


def grouped(rows: list[GivenReason]) -> list[tuple[str, str, list[GivenReason]]]:
    """The groups that have rows, with their words, in the order of the closed list."""
    groups = [
        (group, words, [row for row in rows if row.reason.group == group])
        for group, words in {**GROUPS, OWN: OWN_WORDS}.items()
    ]
    return [(group, words, mine) for group, words, mine in groups if mine]


def listed(rows: list[GivenReason], width: int) -> str:
    """A reason below the other, for a narrow terminal."""
    lines: list[str] = []
    for group, words, mine in grouped(rows):
        lines += [*textwrap.wrap(f"{group}. {words}", width), ""]
        for row in mine:
            lines.append(row.reason.name)
            entries = [row.reason.meaning, *sources_of(row), f"What helps: {row.remedy}"]
            for entry in entries:
                lines += textwrap.wrap(entry, width, initial_indent="  ", subsequent_indent="    ")
            lines.append("")
    return "\n".join(lines).rstrip()


def described(row: GivenReason) -> str:
    """One reason's lines."""
    first, *more = sources_of(row)
    return "\n".join(
        [
            f"{row.reason.name}: {row.reason.meaning}",
            f"group      {row.reason.group}",
            f"given by   {first}",
            *(f"           {line}" for line in more),
            f"what helps {row.remedy}",
        ]
    )


def markdown(rows: list[GivenReason]) -> str:
    """A Markdown table of each group."""
    lines: list[str] = []
    for group, words, mine in grouped(rows):
        lines += [f"## {group}", "", words, ""]
        lines += ["| reason | meaning | given by | what helps |", "|---|---|---|---|"]
        for row in mine:
            sources = "<br>".join(sources_of(row)).replace("|", "\\|")
            cells = (f"`{row.reason.name}`", row.reason.meaning, sources, row.remedy)
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines).strip()
