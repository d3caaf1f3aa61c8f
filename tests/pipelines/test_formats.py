"""Which format is fetched: the original sound track, a picture within the bounds."""

from __future__ import annotations

from typing import Any

import pytest

from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.pipelines.download.formats import choose


def sound(tag: str | None, preference: int = -1, note: str = "", **more: Any) -> dict[str, Any]:
    base = {"format_id": f"a-{tag}-{preference}", "vcodec": "none", "acodec": "mp4a.40.2"}
    return {
        **base,
        "ext": "m4a",
        "language": tag,
        "language_preference": preference,
        "format_note": note,
        **more,
    }


def picture(height: int, **more: Any) -> dict[str, Any]:
    base = {"format_id": f"v{height}", "vcodec": "avc1", "acodec": "none", "ext": "mp4"}
    return {**base, "width": height * 16 // 9, "height": height, **more}


def chosen_ids(formats: list[dict[str, Any]], **bounds: int) -> list[str]:
    return [item["format_id"] for item in choose(formats, **{"max_height": 1080, **bounds})]


def test_the_original_track_wins_over_the_default_dub() -> None:
    tracks = [sound("fr", -1), sound("de", 10), sound("en", 5, "English (default)")]
    assert chosen_ids([*tracks, picture(1080)]) == ["v1080", "a-de-10"]
    noted = [sound("fr"), sound("ja", 5, "Japanese original (default)")]
    assert chosen_ids([*noted, picture(720)]) == ["v720", "a-ja-5"]


@pytest.mark.parametrize(
    "tracks",
    [
        [sound("en", 5, "English (default)"), sound("de", -1)],
        [sound("es", -1, "Spanish dubbed-auto")],
    ],
)
def test_a_default_track_is_no_proof_of_an_original(tracks: list[dict[str, Any]]) -> None:
    with pytest.raises(ItemRejected) as caught:
        choose([*tracks, picture(720)], 1080)
    assert caught.value.outcome.reason == "dubbed_audio"


def test_descriptions_for_the_blind_are_no_second_track() -> None:
    tracks = [sound("en-desc", -10, "English descriptive"), sound("en", -1)]
    assert chosen_ids([*tracks, picture(720)]) == ["v720", "a-en--1"]


def test_single_files_with_another_track_are_not_taken() -> None:
    both = picture(720, acodec="mp4a", format_id="both", language="en", language_preference=5)
    formats = [both, sound("de", 10), sound("en", 5), picture(360)]
    assert chosen_ids(formats) == ["v360", "a-de-10"]


def test_bounds_on_lines_hold_for_upright_video_too() -> None:
    upright = {**picture(1920), "width": 1080, "format_id": "upright"}
    assert chosen_ids([sound(None), upright, picture(1440)]) == ["upright", "a-None--1"]
    assert chosen_ids([sound(None), picture(1440)]) == []
    with pytest.raises(ItemRejected) as caught:
        choose([sound(None), picture(480)], 1080, 720)
    assert caught.value.outcome.reason == "low_resolution"
    with pytest.raises(ItemRejected) as caught:
        choose([sound("en")], 1080)
    assert caught.value.outcome.reason == "not_a_video"
