"""The list of clips: the rows are those of the fixture, counted on paper."""

import pytest

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.dataset.naming import find_item
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.jobs.ls import LsRequest, ls
from tests.dataset.fixture import Take, Video, make_data_set


def _names(made, **query):
    return [row["name"] for row in ls(LsRequest(out=made.out, **query)).rows]


def test_kept_clips_are_the_default_with_name_language_seconds_and_state(read_only):
    listed = ls(LsRequest(out=read_only.out))
    assert listed.columns == ("id", "name", "language", "seconds", "state", "reason")
    assert [tuple(row.values())[1:] for row in listed.rows] == [
        ("one.mp4 0.0–10.0", "en", 10.0, "kept", None),
        ("one.mp4 10.0–20.0", "en", 10.0, "kept", None),
        ("two.mp4 0.0–8.0", "en", 8.0, "kept", None),
        ("two.mp4 16.0–24.0", "en", 8.0, "kept", None),
        ("two.mp4 24.0–30.0", "en", 6.0, "kept", None),
        ("three.mp4 0.0–12.0", "ko", 12.0, "kept", None),
        ("three.mp4 20.0–29.0", "ko", 9.0, "kept", None),
    ]
    assert (listed.matching, listed.seconds) == (7, 63.0)


def test_rejected_and_failed_sources_that_gave_no_clip_are_listed_too(read_only):
    assert _names(read_only, rejected=True) == [
        "one.mp4 20.0–30.0",
        "one.mp4 30.0–32.0",
        "silent.mp4",
        "two.mp4 8.0–16.0",
        "three.mp4 12.0–20.0",
    ]
    assert _names(read_only, failed=True) == ["gone.mp4"]
    assert _names(read_only, pending=True) == []
    assert len(_names(read_only, every=True)) == 13


def test_reason_language_source_and_condition_narrow_it(read_only):
    assert _names(read_only, reason="too_short") == ["one.mp4 30.0–32.0"]
    assert _names(read_only, reason="file_missing") == ["gone.mp4"]
    assert _names(read_only, language=("ko",)) == ["three.mp4 0.0–12.0", "three.mp4 20.0–29.0"]
    assert len(_names(read_only, source="EN/TWO")) == 3
    assert _names(read_only, where="quality_crop_mean < 45 and language == 'en'") == [
        "two.mp4 0.0–8.0"
    ]
    # A condition on the verdict is asked of all, not of the kept alone.
    assert _names(read_only, where="gate == 'quality'") == [
        "two.mp4 8.0–16.0",
        "three.mp4 12.0–20.0",
    ]
    assert _names(read_only, where="state == 'rejected' and has_audio == false") == ["silent.mp4"]


def test_columns_order_and_limit(read_only):
    listed = ls(
        LsRequest(
            out=read_only.out, columns=("quality_crop_mean",), sort="-quality_crop_mean", limit=3
        )
    )
    assert listed.columns == ("id", "name", "quality_crop_mean")
    assert [row["quality_crop_mean"] for row in listed.rows] == [60.0, 60.0, 60.0]
    assert listed.matching == 7
    rising = ls(LsRequest(out=read_only.out, sort="quality_crop_mean"))
    assert rising.columns[-1] == "quality_crop_mean"
    assert [row["quality_crop_mean"] for row in rising.rows[:2]] == [36.0, 41.0]
    every = ls(LsRequest(out=read_only.out, every=True, sort="-quality_crop_mean"))
    assert [row["quality_crop_mean"] for row in every.rows[-2:]] == [None, None]


def test_the_first_characters_tell_every_item_and_why_takes_them(read_only):
    listed = ls(LsRequest(out=read_only.out, every=True))
    recorded = read_recorded(read_only.out)
    assert listed.id_length >= 8
    for row in listed.rows:
        assert find_item(recorded, row["id"][: listed.id_length]) == row["id"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"columns": ("qualty_crop_mean",)}, "did you mean 'quality_crop_mean'"),
        ({"sort": "second"}, "did you mean 'seconds'"),
        ({"reason": "to_short"}, "did you mean 'too_short'"),
        ({"language": ("de",)}, "en, ko"),
        ({"where": "secnds > 3"}, "did you mean 'seconds'"),
    ],
)
def test_what_is_unknown_is_refused_with_the_nearest(read_only, query, says):
    with pytest.raises(UsageError, match=says):
        ls(LsRequest(out=read_only.out, **query))


def test_a_folder_without_a_commit_is_refused(tmp_path):
    with pytest.raises(InputUnreadable, match="no finished commit"):
        ls(LsRequest(out=tmp_path))


def test_a_set_without_kept_clips_has_no_rows(tmp_path):
    made = make_data_set(tmp_path / "out", [Video("en/a.mp4", "en", [Take(0, 2)])])
    assert ls(LsRequest(out=made.out)).rows == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"sort": "-"}, "--sort expects columns of the set, found ''"),
        ({"sort": ""}, "--sort expects columns of the set, found ''"),
        ({"sort": "secnds"}, "--sort expects columns of the set, found 'secnds'"),
        ({"source": "\udcff"}, "--source expects text in UTF-8"),
    ],
)
def test_an_empty_order_and_bytes_that_are_no_text_are_refused_by_their_option(
    read_only, query, says
):
    """They ended as unexpected errors, with a request to report them."""
    with pytest.raises(UsageError) as error:
        ls(LsRequest(out=read_only.out, **query))
    assert says in str(error.value)
