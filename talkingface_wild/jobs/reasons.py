"""Why items are rejected or fail, what gives each reason, and what helps; as text and Markdown."""

import textwrap

from pydantic import Field

from talkingface_wild.core.reasons import GROUPS, OWN, OWN_WORDS
from talkingface_wild.core.request import ARGUMENT, Request
from talkingface_wild.pipelines.schema import GivenReason, given_reasons, reason_called


class ReasonsRequest(Request):
    """Which reasons are shown."""

    name: str | None = Field(None, json_schema_extra={ARGUMENT: ""})
    """One reason; all without it."""
    recipe: str = "talkingface_wild"
    """The recipe whose gates and bounds are meant."""


def reasons(request: ReasonsRequest) -> list[GivenReason]:
    """All reasons, or the one of the name. Raises UsageError for one that is unknown."""
    rows = given_reasons(request.recipe)
    if request.name is None:
        return rows
    reason = reason_called(request.name, request.recipe)
    return [row for row in rows if row.reason == reason]


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
