"""Addresses in one form: the same video under any spelling is one key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talkingface_wild.pipelines.sources.address import canonical, host_of, is_collection


@pytest.mark.parametrize(
    "form",
    [
        "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
        "http://youtube.com/watch?list=PLx&v=dQw4w9WgXcQ&t=42s",
        "https://m.youtube.com/watch?app=desktop&v=dQw4w9WgXcQ#t=1",
        "https://music.youtube.com/watch?v=dQw4w9WgXcQ",
        "https://youtu.be/dQw4w9WgXcQ?si=abcdef",
        "HTTPS://YouTu.be/dQw4w9WgXcQ/",
        "https://www.youtube.com/shorts/dQw4w9WgXcQ",
        "https://www.youtube.com/live/dQw4w9WgXcQ?feature=share",
        "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?rel=0",
        "https://www.youtube.com/v/dQw4w9WgXcQ",
    ],
)
def test_youtube_addresses_in_all_forms_are_one_video(form: str) -> None:
    address = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
    assert canonical(form) == ("youtube:dQw4w9WgXcQ", address)
    assert host_of(form) == "youtube.com"


def test_other_addresses_lose_what_does_not_name_the_video() -> None:
    key, url = canonical("HTTPS://Video.Example.ORG:443/A%20b/C.mp4?id=3&utm_source=x&fbclid=y#t=1")
    assert key == url == "https://video.example.org/A%20b/C.mp4?id=3"
    assert canonical("http://example.org:80")[0] == "http://example.org/"
    assert canonical("http://example.org:8080/x")[0] == "http://example.org:8080/x"
    assert canonical("https://münchen.example/ü.mp4")[0] == (
        "https://xn--mnchen-3ya.example/%C3%BC.mp4"
    )
    assert canonical("http://[::1]:8000/x")[0] == "http://[::1]:8000/x"
    assert canonical("https://notyoutube.com/watch?v=dQw4w9WgXcQ")[0].startswith("https://")


@given(st.text(max_size=60), st.text(max_size=30))
def test_canonical_is_stable_or_refuses(path: str, query: str) -> None:
    try:
        key, url = canonical(f"https://example.org/{path}?{query}")
    except ValueError:
        return
    assert canonical(url) == (key, url)
    assert url.isascii() and "#" not in url


def test_playlists_and_channels_are_told_from_videos() -> None:
    base = "https://www.youtube.com/"
    for path in (
        "playlist?list=PL1",
        "@someone",
        "@someone/videos",
        "channel/UC1",
        "c/x",
        "user/x",
    ):
        assert is_collection(base + path)
    for address in (base + "watch?v=dQw4w9WgXcQ&list=PL1", base, "https://example.org/@x"):
        assert not is_collection(address)
