"""Import: by hash whatever the name, by layout only on the user's word, never anything else."""

import shutil
import zipfile

import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.weights.importing import import_weights
from talkingface_wild.weights.manifest import WeightLayout
from talkingface_wild.weights.store import Store
from tests.weights.checkpoints import onnx_model, torch_state
from tests.weights.conftest import CONTENT, OTHER, sha

SHAPES = {"conv.weight": (4, 3)}
LAYOUT = WeightLayout("torch", tensors=SHAPES)


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox" / "deep er"
    folder.mkdir(parents=True)
    return folder


def test_a_file_is_recognised_by_its_hash_under_any_name(make_store, inbox):
    store = make_store(known={"sha256": sha(CONTENT), "size": len(CONTENT)})
    (inbox / "renamed by someone").write_bytes(CONTENT)
    (inbox / "notes.txt").write_text("nothing")
    (result,) = import_weights(store, inbox.parent)
    assert (result.name, result.result) == ("known", "imported")
    assert store.path("known").read_bytes() == CONTENT
    assert (inbox / "renamed by someone").exists()
    assert [r.result for r in import_weights(store, inbox.parent)] == ["already there"]


def test_a_single_file_may_be_named(make_store, inbox):
    store = make_store(known={"sha256": sha(CONTENT)})
    (inbox / "x").write_bytes(CONTENT)
    assert import_weights(store, inbox / "x")[0].result == "imported"


def test_the_right_layout_with_an_unknown_hash_needs_trust(make_store, inbox):
    store = make_store(known={"file": "net.pth", "sha256": sha(CONTENT), "layout": LAYOUT})
    torch_state(inbox / "net.pth", SHAPES)
    (refused,) = import_weights(store, inbox)
    assert refused.result == "refused"
    assert "--trust" in refused.reason
    assert store.find("known") is None
    (taken,) = import_weights(store, inbox, trust=True)
    assert taken.result == "imported"
    assert store.look("known").state == "trusted"


def test_the_wrong_layout_is_refused_even_with_trust(make_store, inbox):
    store = make_store(
        torch={"file": "net.pth", "layout": LAYOUT},
        onnx={"file": "net.onnx", "layout": WeightLayout("onnx", outputs=9)},
    )
    torch_state(inbox / "net.pth", {"other": (1,)})
    onnx_model(inbox / "net.onnx", outputs=2, last=4)
    results = import_weights(store, inbox, trust=True)
    assert {r.name: r.result for r in results} == {"torch": "refused", "onnx": "refused"}
    assert not store.folder.exists()


def test_members_of_archives_are_recognised_too(make_store, inbox):
    store = make_store(known={"sha256": sha(CONTENT), "size": len(CONTENT)})
    with zipfile.ZipFile(inbox / "pack.zip", "w") as archive:
        archive.writestr("../../odd name", CONTENT)
        archive.writestr("other", OTHER)
    (result,) = import_weights(store, inbox)
    assert result.result == "imported"
    assert store.path("known").read_bytes() == CONTENT
    assert sorted(p.name for p in inbox.parent.rglob("*") if p.is_file()) == ["pack.zip"]


def test_a_broken_archive_beside_a_good_file_does_no_harm(make_store, inbox):
    store = make_store(known={"sha256": sha(CONTENT)})
    (inbox / "broken.zip").write_bytes(b"PK but no more")
    (inbox / "x").write_bytes(CONTENT)
    assert [r.result for r in import_weights(store, inbox)] == ["imported"]


def test_nothing_known_and_nothing_there_are_said(make_store, inbox):
    store = make_store(known={"sha256": sha(CONTENT)})
    (inbox / "notes.txt").write_text("nothing")
    with pytest.raises(InputUnreadable, match="found 1 files of which none"):
        import_weights(store, inbox)
    with pytest.raises(InputUnreadable, match="check the path"):
        import_weights(store, inbox / "nowhere")


def test_the_real_detectors_are_recognised_under_swapped_names(shared, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(shared / "weights" / "scrfd_2.5g_kps.onnx", folder / "scrfd_500m_kps.onnx")
    shutil.copy(shared / "weights" / "scrfd_500m_kps.onnx", folder / "a")
    store = Store(tmp_path / "store")
    results = {r.source.name: (r.name, r.result) for r in import_weights(store, folder)}
    assert results == {
        "scrfd_500m_kps.onnx": ("scrfd_2.5g", "imported"),
        "a": ("scrfd_500m", "imported"),
    }
    assert store.path("scrfd_2.5g").name == "scrfd_2.5g_kps.onnx"
