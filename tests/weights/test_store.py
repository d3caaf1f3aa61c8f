"""What counts as a weight that is here, and what the store says when it is not."""

import os
from pathlib import Path

import pytest

from talkingface_wild import weights
from talkingface_wild.core.errors import UsageError, WeightMissing
from talkingface_wild.weights.manifest import Origin
from talkingface_wild.weights.store import Store, default_folder
from tests.weights.conftest import CONTENT, OTHER, sha


def _put(store: Store, name: str, data: bytes) -> Path:
    store.folder.mkdir(parents=True, exist_ok=True)
    path = store.folder / name
    path.write_bytes(data)
    return path


def test_the_published_file_is_found_and_its_hash_given(make_store):
    store = make_store(known={"sha256": sha(CONTENT)})
    path = _put(store, "known.bin", CONTENT)
    assert store.path("known") == store.find("known") == path
    assert store.sha256("known") == sha(CONTENT)


def test_it_is_found_under_an_alias_too(make_store):
    store = make_store(known={"sha256": sha(CONTENT), "aliases": ("old-name.bin",)})
    alias = _put(store, "old-name.bin", CONTENT)
    assert store.path("known") == alias
    _put(store, "known.bin", OTHER)
    assert store.find("known") == alias


def test_a_missing_weight_names_the_three_ways(make_store):
    store = make_store(known={"sha256": sha(CONTENT), "sources": (Origin("https://a.example/k"),)})
    assert store.find("known") is None
    assert store.sha256("known") is None
    with pytest.raises(WeightMissing) as caught:
        store.path("known")
    for way in ("tfw weights fetch known", "tfw weights import DIR", "TFW_WEIGHTS"):
        assert way in str(caught.value)


def test_a_file_with_another_hash_does_not_count(make_store):
    store = make_store(known={"sha256": sha(CONTENT)})
    _put(store, "known.bin", OTHER)
    assert store.find("known") is None
    with pytest.raises(WeightMissing, match="another sha256"):
        store.path("known")


def test_without_any_hash_a_file_does_not_count_until_it_is_recorded(make_store, tmp_path):
    store = make_store(unpublished={})
    _put(store, "unpublished.bin", CONTENT)
    assert store.look("unpublished").state == "unknown"
    store.place("unpublished", store.folder / "unpublished.bin", "first fetch")
    assert store.look("unpublished").state == "present"
    _put(store, "unpublished.bin", OTHER)
    assert store.look("unpublished").state == "differs"


def test_a_change_is_noticed_though_hashes_are_remembered(make_store):
    store = make_store(known={"sha256": sha(CONTENT)})
    path = _put(store, "known.bin", CONTENT)
    assert store.find("known") == path
    path.write_bytes(CONTENT[:-1] + b"x")
    os.utime(path, ns=(1, 1))
    assert store.find("known") is None


def test_verify_hashes_again_what_looks_unchanged(make_store):
    store = make_store(known={"sha256": sha(CONTENT)})
    path = _put(store, "known.bin", CONTENT)
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    assert store.look("known").state == "present"
    with path.open("r+b") as stream:
        stream.write(b"tampered")
    os.utime(path, ns=times)
    assert store.look("known", fresh=True).state == "differs"


def test_another_file_that_the_user_vouched_for_is_trusted_and_named_so(make_store, tmp_path):
    store = make_store(known={"sha256": sha(CONTENT)})
    source = tmp_path / "mine.bin"
    source.write_bytes(OTHER)
    store.place("known", source, "trusted by the user")
    assert store.look("known").state == "trusted"
    assert store.path("known").read_bytes() == OTHER
    assert store.recorded()["known"]["how"] == "trusted by the user"


def test_broken_notes_beside_the_weights_do_no_harm(make_store):
    store = make_store(known={"sha256": sha(CONTENT)})
    _put(store, "known.bin", CONTENT)
    for name in ("recorded.json", ".hashes.json"):
        (store.folder / name).write_text("{ broken")
    assert store.find("known") is not None


def test_the_folder_is_tfw_weights_or_the_users_own(monkeypatch, tmp_path):
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path / "here"))
    assert default_folder() == tmp_path / "here"
    monkeypatch.delenv("TFW_WEIGHTS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert default_folder() == tmp_path / "talkingface-wild" / "weights"


def test_the_real_detectors_are_verified_where_they_lie(shared, monkeypatch):
    monkeypatch.setenv("TFW_WEIGHTS", str(shared / "weights"))
    assert weights.path("scrfd_2.5g") == shared / "weights" / "scrfd_2.5g_kps.onnx"
    assert weights.sha256("scrfd_500m") == weights.entry("scrfd_500m").sha256
    assert weights.find("syncnet_v2") is None
    with pytest.raises(UsageError, match="did you mean"):
        weights.path("scrfd_2.5")
