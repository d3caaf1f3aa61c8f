"""Why items are rejected or fail, what gives each reason, and what helps."""

from talkingface_wild.jobs.request import ReasonsRequest
from talkingface_wild.pipelines.schema import GivenReason, given_reasons, reason_called


def reasons(request: ReasonsRequest) -> list[GivenReason]:
    """All reasons, or the one of the name. Raises UsageError for one that is unknown."""
    rows = given_reasons(request.recipe)
    if request.name is None:
        return rows
    reason = reason_called(request.name, request.recipe)
    return [row for row in rows if row.reason == reason]
