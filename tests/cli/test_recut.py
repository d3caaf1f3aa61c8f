"""``tfw recut`` at the command line: dry run, sweep, what is said of nulls and of the way back."""

import hashlib
import json
import xml.etree.ElementTree as ET

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from talkingface_wild.cli.main import run
from tests.speed import synthetic

COUNT = 300


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    out = tmp_path_factory.mktemp("cut") / "out"
    synthetic.write(out, COUNT)
    return out


@pytest.fixture
def own(tmp_path):
    synthetic.write(tmp_path / "out", COUNT)
    return tmp_path / "out"


def _said(capsys, *arguments, code=0):
    assert run(["recut", *map(str, arguments)]) == code
    captured = capsys.readouterr()
    return (json.loads(captured.out)["data"] if captured.out else {}), captured.err


def _files(out):
    paths = sorted(path for path in out.rglob("*") if path.is_file())
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_a_dry_run_says_what_a_recut_does_and_leaves_no_trace(own, capsys):
    setting = "gates.yaw_p90.at_most=35"
    before = _files(own)
    dry, _ = _said(capsys, own, "--set", setting, "--dry-run", "--json")
    assert _files(own) == before
    assert (dry["dry_run"], dry["commit"], dry["new"]) == (True, 1, False)
    wet, said = _said(capsys, own, "--set", setting, "--json")
    assert (wet["dry_run"], wet["commit"], wet["new"]) == (False, 2, True)
    assert dry["languages"] == wet["languages"]
    assert sum(change["lost"] for change in dry["languages"]) > 0
    assert f"Undo with `tfw commits {own} restore 1`." in said


def test_a_dry_run_needs_no_lock_and_its_table_says_so(own, capsys):
    from talkingface_wild.engine.lock import folder_lock

    with folder_lock(own):
        assert run(["recut", str(own), "--set", "gates.yaw=35", "--dry-run"]) == 0
    captured = capsys.readouterr()
    assert "dry run: nothing was written" in captured.out
    assert "Undo" not in captured.err


def test_clips_without_a_value_are_counted_and_the_setting_that_keeps_them_is_named(own, capsys):
    part = own / "dataset" / "items" / "part-0.parquet"
    table = pq.read_table(part)
    kept = [state == "kept" for state in table["verdict_state"].to_pylist()]
    blank = {place for place, is_kept in enumerate(kept) if is_kept and place % 3 == 0}
    values = [
        None if place in blank else value
        for place, value in enumerate(table["face_confidence"].to_pylist())
    ]
    at = table.column_names.index("face_confidence")
    table = table.set_column(at, table.schema.field(at), pa.array(values, pa.float64()))
    pq.write_table(table, part)
    setting = ("--set", "gates.face_confidence.at_least=0")
    cut, said = _said(capsys, own, *setting, "--dry-run", "--json")
    assert cut["without_value"] == [
        {"gate": "face_confidence", "column": "face_confidence", "clips": len(blank), "kept": False}
    ]
    assert sum(change["lost"] for change in cut["languages"]) >= len(blank)
    assert "--set gates.face_confidence.missing=pass" in said
    more = ("--set", "gates.face_confidence.missing=pass", "--dry-run", "--json")
    passed, said = _said(capsys, own, *setting, *more)
    assert sum(change["lost"] for change in passed["languages"]) == 0
    assert f"{len(blank)} clips have no value of face_confidence: kept" in said


def test_an_unmeasured_column_is_refused_with_the_reason(made, capsys):
    setting = "gates.spoken_probability.at_least=0.5"
    _, said = _said(capsys, made, "--set", setting, code=3)
    assert "stage language did not run (weight missing)" in said
    assert not (made / ".lock").exists()


def test_a_sweep_shows_a_table_and_draws_a_picture(made, capsys):
    assert run(["recut", str(made), "--sweep", "yaw_p90", "--per-language"]) == 0
    captured = capsys.readouterr()
    assert "yaw_p90 at most … degrees (commit 1, > is the bound now)" in captured.out
    assert "> 40" in captured.out
    assert all(f" {tag} " in captured.out for tag in ("ar", "zh"))
    picture = made / "figures" / "sweep_yaw_p90.svg"
    assert f"picture: {picture}" in captured.err
    assert ET.parse(picture).getroot().tag.endswith("svg")


def test_a_sweep_as_json_and_as_a_dry_run_writes_no_picture(made, capsys):
    more = ("--from", "31", "--to", "39", "--steps", "4", "--dry-run", "--json")
    data, _ = _said(capsys, made, "--sweep", "yaw", *more)
    assert (data["gate"], data["column"], data["word"], data["now"]) == (
        "yaw",
        "yaw_p90",
        "at_most",
        40.0,
    )
    assert [point["bound"] for point in data["points"]] == [31, 32, 34, 36, 38, 39, 40]
    assert data["picture"] is None
    assert not (made / "figures" / "sweep_yaw.svg").exists()


def test_a_sweeps_options_without_a_sweep_are_refused(made, capsys):
    _, said = _said(capsys, made, "--steps", "5", code=2)
    assert "--sweep" in said
