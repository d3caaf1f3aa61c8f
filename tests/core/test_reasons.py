"""The closed list: every reason in a group, with a meaning and something that helps."""

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.outcome import Failed, Rejected
from talkingface_wild.core.reasons import (
    ALL,
    CATALOGUE,
    FAILED,
    GROUPS,
    REJECTED,
    REVIEW_REASONS,
    review_reason,
)
from talkingface_wild.pipelines.schema import reason_called


def test_each_reason_has_a_group_a_meaning_and_a_remedy():
    assert list(CATALOGUE) == list(dict.fromkeys(CATALOGUE))
    assert set(CATALOGUE) == set(ALL) == set(REJECTED) | set(FAILED)
    assert not set(REJECTED) & set(FAILED)
    for reason in CATALOGUE.values():
        assert reason.group in GROUPS
        assert reason.meaning
        assert reason.remedy
    assert {reason.group for reason in CATALOGUE.values()} == set(GROUPS)


def test_rejections_and_failures_stay_apart():
    assert Rejected("review:silent").reason == "review:silent"
    with pytest.raises(KeyError):
        Rejected("network")
    with pytest.raises(KeyError):
        Failed("no_face")


def test_reviewers_can_say_what_they_see():
    """There was no word for a silent clip, a voice from off the picture, or a frozen picture."""
    assert {"silent", "off_screen_voice", "frozen", "other"} <= set(REVIEW_REASONS)
    assert all(review_reason(name) in REJECTED for name in REVIEW_REASONS)
    assert review_reason("out_of_sync") == "review:out_of_sync"
    assert review_reason("") == review_reason("nonsense") == "review"


def test_a_reason_is_found_by_name_and_an_unknown_one_names_the_nearest():
    assert reason_called("no_face").meaning == "a face is missing in too many samples"
    assert reason_called("frozen") is reason_called("review:frozen")
    assert reason_called("silent").name == "silent"
    with pytest.raises(UsageError, match=r"found 'no_fase' \(did you mean 'no_face'\?\); "):
        reason_called("no_fase")
