"""Why items are rejected or fail, what gives each reason, and what helps."""

from typing import ClassVar

from pydantic import Field

from talkingface_wild.core.request import ARGUMENT, Request
from talkingface_wild.pipelines.schema import GivenReason, given_reasons, reason_called


class ReasonsRequest(Request):
    """Which reasons are shown."""

    EXAMPLES: ClassVar = (
        "tfw reasons",
        "tfw reasons no_face",
        "tfw reasons --recipe embedded --json",
    )

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
