"""Searches: expanded in order, recorded once, filtered; and the real yt-dlp without a network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from talkingface_wild.core.errors import InputUnreadable, NetworkUnavailable
from talkingface_wild.pipelines.download.politeness import UNLIMITED, Politeness
from talkingface_wild.pipelines.sources.collect import gather
from talkingface_wild.pipelines.sources.search import Search, SearchOptions, expand, look_up
from tests.pipelines.loopback import serving

SMALL = SearchOptions(results=3, queries_per_language=2)


class Site:
    """A stand-in for the video site's search: three hits a query, one of them common to all."""

    def __init__(self, fail_after: int = 10**9) -> None:
        self.asked: list[str] = []
        self.fail_after = fail_after

    def __call__(self, address: str, count: int) -> list[dict[str, Any]]:
        if len(self.asked) >= self.fail_after:
            raise NetworkUnavailable("Expected an answer, found none; try again later.")
        self.asked.append(address)
        own = f"{len(self.asked):011d}"
        return [
            hit("aaaaaaaaaaa", seconds=600.0),
            hit(own, seconds=601.0, channel="UC" + own),
            hit(own[::-1], seconds=7200.0),
        ][:count]


def hit(video: str, **more: Any) -> dict[str, Any]:
    url = f"https://www.youtube.com/watch?v={video}"
    return {"url": url, "seconds": None, "channel": None, "live": False, **more}


def test_queries_go_round_the_languages_and_say_how_each_video_was_found() -> None:
    site = Site()
    entries, notes = expand(("ar", "de"), Search(SMALL, None, site), "2026-01-02")
    assert len(site.asked) == 4
    assert [address.split(":")[0] for address in site.asked] == ["ytsearch3"] * 4
    assert [entry.language for entry in entries] == ["ar", "ar", "de", "de"] * 2
    assert dict(entries[1].found) == {
        "query": site.asked[0].split(":", 1)[1],
        "date": "2026-01-02",
        "rank": "2",
    }
    assert entries[1].channel == "UC00000000001"
    assert "2 longer than 90 min" in notes[0] and notes[0].startswith("search ar: 4 hits")


def test_hits_that_are_too_short_too_long_or_live_are_left_out() -> None:
    hits = [
        hit("aaaaaaaaaaa", seconds=29.0),
        hit("bbbbbbbbbbb", seconds=30.0),
        hit("ccccccccccc", seconds=5400.0),
        hit("ddddddddddd", seconds=5401.0),
        hit("eeeeeeeeeee", live=True),
        hit("fffffffffff"),
        {**hit("x"), "url": ""},
    ]
    search = Search(SearchOptions(), None, lambda *_: hits)
    entries, left = search.query("en", "words", "2026-01-02")
    assert [entry.found["rank"] for entry in entries] == ["2", "3", "6"]
    assert sum(left.values()) == 4


def test_a_recorded_search_is_not_made_again_and_a_broken_one_goes_on(tmp_path: Path) -> None:
    record = tmp_path / "searches.json"
    with pytest.raises(NetworkUnavailable):
        expand(("ar", "de"), Search(SMALL, record, Site(fail_after=3)), "2026-01-02")
    later = Site()
    first, _ = expand(("ar", "de"), Search(SMALL, record, later), "2026-03-04")
    assert len(later.asked) == 1
    assert {entry.found["date"] for entry in first} == {"2026-01-02", "2026-03-04"}
    again, _ = expand(("ar", "de"), Search(SMALL, record, Site(fail_after=0)), "2027-01-01")
    assert again == first


def test_no_further_query_is_asked_once_the_limit_is_known() -> None:
    site = Site()
    expand(("ar", "de", "en"), Search(SearchOptions(results=3), None, site), "d", limit=3)
    assert len(site.asked) == 2


def test_a_damaged_record_is_named(tmp_path: Path) -> None:
    (tmp_path / "searches.json").write_text("{")
    with pytest.raises(InputUnreadable, match=r"searches\.json"):
        Search(SMALL, tmp_path / "searches.json")


def test_offline_searches_say_what_to_do_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NetworkUnavailable, match=r"TFW_OFFLINE=1; .* --sources") as caught:
        gather([], None, search=SearchOptions(), cache=tmp_path)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 1
    assert not (tmp_path / "searches.json").exists()


def test_a_search_without_a_network_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real yt-dlp, through a proxy that is not there, so that nothing leaves this machine."""
    with serving() as server:
        port = server.server_address[1]
    monkeypatch.delenv("TFW_OFFLINE")
    monkeypatch.setenv("TFW_PROXY", f"http://me:hushhush@127.0.0.1:{port}")
    with pytest.raises(NetworkUnavailable, match="found network") as caught:
        look_up("ytsearch2:interview", 2, Politeness(tmp_path, default=UNLIMITED))
    assert "hushhush" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_real_yt_dlp_lists_a_collection_without_opening_its_videos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with serving() as server:
        items = "".join(
            f"<item><title>{n}</title><link>{server.url(f'/{n}.mp4')}</link></item>" for n in "abc"
        )
        feed = f'<?xml version="1.0"?><rss version="2.0"><channel>{items}</channel></rss>'
        server.routes["/feed"] = lambda request, _: request.serve(feed.encode(), "text/xml")
        address = server.url("/feed")
        search = Search(SMALL, tmp_path / "searches.json")
        entries, notes = search.collection(address, "fr", "2026-01-02")
        assert [entry.url for entry in entries] == [server.url(f"/{n}.mp4") for n in "abc"]
        assert [name for name, _ in server.seen] == ["/feed"]
    assert [entry.found["rank"] for entry in entries] == ["1", "2", "3"]
    assert notes == []
    recorded = json.loads((tmp_path / "searches.json").read_text())
    assert recorded[address]["date"] == "2026-01-02"
