"""Fetching from a real server on loopback: whole, broken, resumed, wrong, redirected, offline."""

import io
import zipfile

import pytest

from talkingface_wild.core.errors import CheckFailed, NetworkUnavailable, WeightMissing
from talkingface_wild.weights.fetch import fetch
from talkingface_wild.weights.manifest import Origin
from tests.weights.conftest import CONTENT, OTHER, sha
from tests.weights.loopback import serve


@pytest.fixture
def site(monkeypatch):
    monkeypatch.delenv("TFW_OFFLINE")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve() as running:
        running.files["/w"] = CONTENT
        running.etags["/w"] = '"one"'
        yield running


@pytest.fixture
def store_of(make_store, site):
    """``store_of("/a", "/b", sha256=…)``: one weight ``known`` with these addresses."""

    def make(*paths, member=None, **fields):
        sources = tuple(Origin(site.base + path, member) for path in paths)
        return make_store(known={"sha256": sha(CONTENT), "sources": sources, **fields})

    return make


def _no_leftovers(store):
    partial = store.folder / ".partial"
    return not partial.exists() or not list(partial.iterdir())


def test_a_weight_comes_whole_is_checked_and_is_not_fetched_twice(store_of, site):
    store, seen = store_of("/w", size=len(CONTENT)), []
    path = fetch(store, "known", lambda have, total: seen.append((have, total)))
    assert path == store.path("known")
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert _no_leftovers(store)
    assert fetch(store, "known") == path
    assert len(site.asked) == 1


def test_a_broken_connection_is_resumed_where_it_stopped(store_of, site):
    site.break_after["/w"] = [30_000, 20_000]
    store = store_of("/w")
    assert fetch(store, "known", pause_seconds=0).read_bytes() == CONTENT
    assert site.asked == [("/w", None), ("/w", "bytes=30000-"), ("/w", "bytes=50000-")]


def test_what_came_is_kept_for_the_next_command_when_tries_run_out(store_of, site):
    site.break_after["/w"] = [30_000]
    store = store_of("/w")
    with pytest.raises(NetworkUnavailable, match="kept and resumed"):
        fetch(store, "known", tries=1)
    assert fetch(store, "known", tries=1).read_bytes() == CONTENT
    assert site.asked[-1] == ("/w", "bytes=30000-")


def test_a_file_that_changed_meanwhile_starts_again(store_of, site):
    site.files["/w"], site.break_after["/w"] = OTHER * 20, [30_000]
    store = store_of("/w")
    with pytest.raises(NetworkUnavailable):
        fetch(store, "known", tries=1)
    site.files["/w"], site.etags["/w"] = CONTENT, '"two"'
    assert fetch(store, "known", tries=1).read_bytes() == CONTENT


def test_without_an_etag_nothing_is_pieced_together(store_of, site):
    del site.etags["/w"]
    site.break_after["/w"] = [30_000]
    assert fetch(store_of("/w"), "known", pause_seconds=0).read_bytes() == CONTENT
    assert site.asked == [("/w", None), ("/w", None)]


def test_another_file_than_the_published_one_is_not_kept(store_of, site):
    site.files["/w"] = OTHER
    store = store_of("/w")
    with pytest.raises(CheckFailed, match="was not kept"):
        fetch(store, "known")
    assert store.look("known").state == "missing"
    assert _no_leftovers(store)


def test_the_next_address_is_tried_when_one_fails(store_of, site):
    site.files["/bad"] = OTHER
    store = store_of("/gone", "/bad", "/w")
    assert fetch(store, "known", pause_seconds=0).read_bytes() == CONTENT
    assert [path for path, _ in site.asked] == ["/gone", "/bad", "/w"]


@pytest.mark.parametrize(("status", "requests"), [(503, 3), (429, 3), (404, 1), (403, 1)])
def test_only_what_may_pass_is_tried_again(store_of, site, status, requests):
    site.statuses["/w"] = [status] * 9
    with pytest.raises(NetworkUnavailable, match=f"HTTP {status}"):
        fetch(store_of("/w"), "known", tries=3, pause_seconds=0)
    assert len(site.asked) == requests


def test_a_member_comes_out_of_an_archive_whose_paths_are_hostile(store_of, site):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../pack/known.bin", CONTENT)
        archive.writestr("other.bin", OTHER)
    site.files["/pack.zip"] = packed.getvalue()
    store = store_of("/pack.zip", member="known.bin", size=len(CONTENT))
    assert fetch(store, "known") == store.folder / "known.bin"
    assert store.path("known").read_bytes() == CONTENT
    assert _no_leftovers(store)


def test_an_archive_without_the_member_is_named(store_of, site):
    site.files["/pack.zip"] = b"<html>sign in</html>"
    with pytest.raises(NetworkUnavailable, match="zip or tar"):
        fetch(store_of("/pack.zip", member="known.bin"), "known")


def test_more_bytes_than_the_manifest_says_are_refused_before_they_come(store_of, site):
    with pytest.raises(NetworkUnavailable, match="instead of 10"):
        fetch(store_of("/w", size=10), "known")


@pytest.mark.parametrize("target", ["http://example.invalid/w", "ftp://127.0.0.1/w"])
def test_a_redirect_away_from_https_is_not_followed(store_of, site, target):
    site.redirects["/to"] = target
    with pytest.raises(NetworkUnavailable, match=r"example\.invalid|ftp|not https"):
        fetch(store_of("/to"), "known", pause_seconds=0)
    assert len(site.asked) == 1


def test_plain_http_and_local_files_are_no_addresses(make_store, monkeypatch, tmp_path):
    monkeypatch.delenv("TFW_OFFLINE")
    (tmp_path / "f").write_bytes(CONTENT)
    for url in ("http://example.invalid/w", f"file://{tmp_path}/f"):
        store = make_store(known={"sha256": sha(CONTENT), "sources": (Origin(url),)})
        with pytest.raises(NetworkUnavailable, match="not https"):
            fetch(store, "known")


def test_without_a_published_hash_the_first_fetch_records_it(store_of):
    store = store_of("/w", sha256=None)
    fetch(store, "known")
    assert store.recorded()["known"]["sha256"] == sha(CONTENT)
    store.path("known").write_bytes(OTHER)
    assert store.find("known") is None


def test_offline_nothing_is_asked_and_the_sentence_says_what_to_do(store_of, site, monkeypatch):
    monkeypatch.setenv("TFW_OFFLINE", "1")
    with pytest.raises(NetworkUnavailable, match="tfw weights import DIR"):
        fetch(store_of("/w"), "known")
    assert site.asked == []


def test_a_server_that_is_not_there_is_one_sentence(make_store, monkeypatch):
    monkeypatch.delenv("TFW_OFFLINE")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve() as closed:
        base = closed.base
    store = make_store(known={"sha256": sha(CONTENT), "sources": (Origin(f"{base}/w"),)})
    with pytest.raises(NetworkUnavailable, match="no address that delivers it"):
        fetch(store, "known", tries=2, pause_seconds=0)


def test_a_weight_that_only_a_person_can_get_says_how(make_store):
    store = make_store(known={"note": "Ask the authors."})
    with pytest.raises(WeightMissing, match=r"Ask the authors\."):
        fetch(store, "known")
