"""``tfw weights`` as a user types it, on the real manifest and, where present, real detectors."""

import json

import pytest

from talkingface_wild.cli.main import run
from talkingface_wild.weights import entries
from talkingface_wild.weights.manifest import hub_entries


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder of weights for each test."""
    path = tmp_path / "weights"
    monkeypatch.setenv("TFW_WEIGHTS", str(path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return path


def _json(capsys, *words):
    code = run(["weights", *words, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_list_tells_state_size_and_licence_of_all(capsys, folder):
    code, told = _json(capsys, "list")
    assert code == 0
    assert told["data"]["folder"] == str(folder)
    rows = {row["name"]: row for row in told["data"]["weights"]}
    assert set(rows) == {*entries(), *hub_entries()}
    assert {row["state"] for row in rows.values()} == {"missing"}
    assert run(["weights", "list"]) == 0
    table = capsys.readouterr().out
    assert all(name in table for name in entries())
    assert "non-commercial" in table
    # Under what it unlocks, each missing one says how it is got: a command, or a page.
    for row in rows.values():
        assert row["get"] and row["unlocks"], row["name"]
        assert f"\n{row['unlocks'][0].upper()}{row['unlocks'][1:]}" in table
    assert rows["centerface"]["get"] == "tfw weights fetch --open"
    assert rows["syncnet_v2"]["get"] == "tfw weights fetch syncnet_v2"
    assert "in a browser" in rows["scrfd_2.5g"]["get"]


def test_where_gives_the_folder_or_says_how_to_get_the_weight(capsys, folder):
    assert run(["weights", "where"]) == 0
    assert capsys.readouterr().out == f"{folder}\n"
    code, told = _json(capsys, "where", "syncnet_v2")
    assert code == 4
    for way in ("tfw weights fetch syncnet_v2", "tfw weights import DIR", "TFW_WEIGHTS"):
        assert way in told["data"]["error"]


def test_import_verify_and_where_work_on_the_real_detectors(capsys, folder, shared):
    code, told = _json(capsys, "import", str(shared / "weights"))
    assert code == 0
    assert [f["result"] for f in told["data"]["files"]] == ["imported"] * 3
    code, told = _json(capsys, "where", "scrfd_2.5g")
    assert (code, told["data"]["path"]) == (0, str(folder / "scrfd_2.5g_kps.onnx"))
    code, told = _json(capsys, "verify")
    assert (code, [w["state"] for w in told["data"]["weights"]]) == (0, ["present"] * 3)
    with (folder / "scrfd_500m_kps.onnx").open("ab") as stream:
        stream.write(b"x")
    code, told = _json(capsys, "verify")
    assert (code, told["ok"]) == (6, False)
    assert {w["name"]: w["state"] for w in told["data"]["weights"]} == {
        "scrfd_2.5g": "present",
        "scrfd_500m": "differs",
        "lr_asd": "present",
    }


def test_a_changed_copy_is_refused_with_6_and_taken_with_trust(capsys, folder, shared, tmp_path):
    changed = tmp_path / "scrfd_2.5g_kps.onnx"
    data = (shared / "weights" / changed.name).read_bytes()
    changed.write_bytes(data.replace(b"pytorch", b"pytorcH", 1))
    code, told = _json(capsys, "import", str(changed))
    assert code == 6
    assert "--trust" in told["warnings"][0]
    assert run(["weights", "where", "scrfd_2.5g"]) == 4
    capsys.readouterr()
    assert run(["weights", "import", str(changed), "--trust"]) == 0
    capsys.readouterr()
    code, told = _json(capsys, "verify")
    assert code == 0
    assert told["data"]["weights"][0]["state"] == "trusted"
    assert told["warnings"]


def test_import_of_nothing_is_an_unreadable_input(capsys, tmp_path):
    assert run(["weights", "import", str(tmp_path / "nowhere")]) == 5
    assert "check the path" in capsys.readouterr().err


def test_verify_of_an_empty_folder_is_fine_but_of_a_named_missing_weight_is_not(capsys):
    assert run(["weights", "verify"]) == 0
    assert run(["weights", "verify", "syncnet_v2"]) == 6


def test_fetch_offline_is_1_without_address_4_and_without_names_2(capsys):
    assert run(["weights", "fetch", "syncnet_v2"]) == 1
    assert "TFW_OFFLINE" in capsys.readouterr().err
    assert run(["weights", "fetch", "scrfd_2.5g"]) == 4
    assert "in a browser" in capsys.readouterr().err
    assert run(["weights", "fetch"]) == 2
    assert run(["weights", "fetch", "--all", "syncnet_v2"]) == 2
    capsys.readouterr()
    assert run(["weights", "fetch", "syncnet"]) == 2
    assert "did you mean 'syncnet_v2'" in capsys.readouterr().err
