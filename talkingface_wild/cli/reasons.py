"""``tfw reasons``: why items are rejected or fail, what gives each reason, and what helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from talkingface_wild.cli.output import JsonOption, Output, examples, shown_width

if TYPE_CHECKING:
    from rich.console import Group

    from talkingface_wild.pipelines.schema import GivenReason

app = typer.Typer(add_completion=False)
_NARROWEST_TABLE = 60
"""Columns below which four columns hold no words: a list stands there instead."""


@app.command(
    epilog=examples("tfw reasons", "tfw reasons no_face", "tfw reasons --recipe embedded --json")
)
def reasons(
    name: Annotated[str | None, typer.Argument(help="One reason; all without it.")] = None,
    recipe: Annotated[
        str, typer.Option(help="The recipe whose gates and bounds are meant.")
    ] = "talkingface_wild",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables.")] = False,
    json: JsonOption = False,
) -> None:
    """Print the closed list of reasons: meaning, the stage or gate that gives it, the remedy."""
    output = Output("reasons", json)
    from talkingface_wild.pipelines.schema import given_reasons, reason_called

    rows = given_reasons(recipe)
    if name is not None:
        one = reason_called(name, recipe)
        rows = [row for row in rows if row.reason == one]
    data = [_data(row) for row in rows]
    if markdown:
        output.result(data, human=lambda: _markdown(rows))
    else:
        output.result(data, human=lambda: _page(rows) if name is None else _one(rows[0]))


def _data(row: GivenReason) -> dict[str, Any]:
    return {
        "name": row.reason.name,
        "group": row.reason.group,
        "meaning": row.reason.meaning,
        "stages": row.reason.stages,
        "gates": [{"gate": gate, "stage": stage, "keeps": rule} for gate, stage, rule in row.gates],
        "remedy": row.remedy,
    }


def _sources(row: GivenReason) -> list[str]:
    """What gives a reason: stages by themselves, then gates with what they keep."""
    by_gates = [f"gate {gate} ({stage}), keeps {rule}" for gate, stage, rule in row.gates]
    given = [row.reason.stages] if row.reason.stages else []
    return [*given, *by_gates] or ["no stage and no gate of this recipe"]


def _groups(rows: list[GivenReason]) -> list[tuple[str, str, list[GivenReason]]]:
    from talkingface_wild.core.reasons import GROUPS, OWN, OWN_WORDS

    groups = [
        (group, words, [row for row in rows if row.reason.group == group])
        for group, words in {**GROUPS, OWN: OWN_WORDS}.items()
    ]
    return [(group, words, mine) for group, words, mine in groups if mine]


def _page(rows: list[GivenReason]) -> Group | str:
    width = shown_width()
    return _tables(rows) if width >= _NARROWEST_TABLE else _list(rows, width)


def _list(rows: list[GivenReason], width: int) -> str:
    """A reason below the other, for a narrow terminal."""
    import textwrap

    lines: list[str] = []
    for group, words, mine in _groups(rows):
        lines += [*textwrap.wrap(f"{group}. {words}", width), ""]
        for row in mine:
            lines.append(row.reason.name)
            entries = [row.reason.meaning, *_sources(row), f"What helps: {row.remedy}"]
            for entry in entries:
                lines += textwrap.wrap(entry, width, initial_indent="  ", subsequent_indent="    ")
            lines.append("")
    return "\n".join(lines).rstrip()


def _tables(rows: list[GivenReason]) -> Group:
    from rich.console import Group
    from rich.table import Table

    tables = []
    for group, words, mine in _groups(rows):
        table = Table(title=f"{group}. {words}", title_justify="left")
        for heading in ("reason", "meaning", "given by", "what helps"):
            table.add_column(heading, overflow="fold", no_wrap=heading == "reason")
        for row in mine:
            table.add_row(row.reason.name, row.reason.meaning, "\n".join(_sources(row)), row.remedy)
        tables.append(table)
    return Group(*tables)


def _one(row: GivenReason) -> str:
    first, *more = _sources(row)
    return "\n".join(
        [
            f"{row.reason.name}: {row.reason.meaning}",
            f"group      {row.reason.group}",
            f"given by   {first}",
            *(f"           {line}" for line in more),
            f"what helps {row.remedy}",
        ]
    )


def _markdown(rows: list[GivenReason]) -> str:
    lines: list[str] = []
    for group, words, mine in _groups(rows):
        lines += [f"## {group}", "", words, ""]
        lines += ["| reason | meaning | given by | what helps |", "|---|---|---|---|"]
        for row in mine:
            given = "<br>".join(_sources(row)).replace("|", "\\|")
            lines.append(f"| `{row.reason.name}` | {row.reason.meaning} | {given} | {row.remedy} |")
        lines.append("")
    return "\n".join(lines).strip()
