"""Commits: what lies in the folders, who can read them, and when they are swapped."""

import errno
import hashlib
import json
import shutil

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from talkingface_wild.core.errors import DiskFull
from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.commit import write_commit
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.ruling import rule
from talkingface_wild.engine.stage import Workplace
from tests.dataset.made import made, sources_of
from tests.engine.stages import GATES, Settings, go, plan_of, roots_of

NOTHING = (Gate("size", "size", ">=", 1e6, "low_resolution"),)


def _bytes(folder):
    """Every file but the one that says when and by what verb the commit was made."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "origin.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_kept_clips_lie_in_a_partition_of_their_language_with_every_measure(tmp_path):
    commit, ruling = made(tmp_path, 10)
    kept = ruling.verdicts.index[ruling.verdicts["state"] == "kept"]
    by_hand = {clip: ("xx" if clip.startswith(("r4.", "r9.")) else "en") for clip in kept}
    frame = pd.read_parquet(tmp_path / "dataset" / "clips").set_index("clip_id")
    assert frame["language"].astype(str).to_dict() == by_hand
    names = sorted(path.name for path in (commit.folder / "clips").iterdir())
    assert names == ["language=en", "language=xx"]
    row = frame.loc["r9.0"]
    assert (row["source_id"], row["source_path"], row["size"]) == ("r9", "xx/r9.mp4", 9.0)
    assert (row["weight"], row["even"], row["place"], row["review"]) == (18.0, True, 1, None)
    assert "edges" not in frame


def test_pyarrow_and_duckdb_read_what_pandas_reads(tmp_path):
    made(tmp_path, 10)
    folder = tmp_path / "dataset"
    expected = pd.read_parquet(folder / "clips").groupby("language", observed=True).size()
    table = ds.dataset(folder / "clips", partitioning="hive").to_table()
    assert dict(table.to_pandas().groupby("language").size()) == expected.to_dict()
    query = "select language, count(*) from '{}/clips/**/*.parquet' group by 1 order by 1"
    assert dict(duckdb.sql(query.format(folder)).fetchall()) == expected.to_dict()
    for name in ("sources", "ledger", "items", "tracks"):
        rows = duckdb.sql(f"select count(*) from '{folder}/{name}/*.parquet'").fetchall()[0][0]
        assert rows == len(pd.read_parquet(folder / name)) > 0


def test_long_measures_lie_in_tracks_for_every_clip_that_has_them(tmp_path):
    _, ruling = made(tmp_path)
    tracks = pd.read_parquet(tmp_path / "dataset" / "tracks").set_index("clip_id")
    weighed = ruling.table.index[ruling.table["weight"].notna()]
    assert set(tracks.index) == set(weighed)
    assert list(tracks.at["r7.2", "edges"]) == [0.0, 2.0]


def test_units_and_meanings_stand_in_the_field_metadata(tmp_path):
    commit, _ = made(tmp_path)
    schema = pq.read_schema(commit.folder / "clips" / "language=en" / "part-0.parquet")
    assert schema.field("weight").metadata == {
        b"meaning": b"twice the length",
        b"unit": b"kg",
        b"decimals": b"4",
    }
    assert (
        pq.read_schema(commit.folder / "ledger" / "part-0.parquet")
        .field("seconds")
        .metadata[b"unit"]
        == b"s"
    )


def test_an_empty_data_set_is_read_with_all_its_columns(tmp_path):
    full, _ = made(tmp_path / "full")
    made(tmp_path / "none", gates=NOTHING)
    made(tmp_path / "void", count=0)
    columns = set(pd.read_parquet(full.folder / "clips").columns)
    for name in ("none", "void"):
        frame = pd.read_parquet(tmp_path / name / "dataset" / "clips")
        assert len(frame) == 0
        assert set(frame.columns) == columns
        assert frame.groupby("language").size().sum() == 0


def test_the_manifest_names_every_file_with_its_rows_and_sha256(tmp_path):
    commit, ruling = made(tmp_path)
    manifest = json.loads((commit.folder / "manifest.json").read_text())
    files = _bytes(commit.folder)
    del files["manifest.json"]
    assert set(manifest["files"]) == set(files)
    for name, data in files.items():
        assert manifest["files"][name]["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["rows"]["items"] == len(ruling.table)
    assert manifest["rows"]["clips"] == (ruling.verdicts["state"] == "kept").sum()
    assert manifest["rows"]["sources"] == 8


def test_an_equal_commit_is_not_written_twice(tmp_path):
    first, _ = made(tmp_path)
    again, _ = made(tmp_path)
    assert (first.number, first.new) == (1, True)
    assert (again.number, again.new, again.folder) == (1, False, first.folder)
    assert sorted(path.name for path in (tmp_path / "commits").iterdir()) == ["000001"]
    other, _ = made(tmp_path, gates=NOTHING)
    assert (other.number, (tmp_path / "dataset").resolve()) == (2, other.folder)
    back, _ = made(tmp_path)
    assert back.number == 3
    assert _bytes(back.folder) == _bytes(first.folder)


def test_clips_hold_nothing_of_when_or_where_they_were_made(tmp_path):
    slow = plan_of(settings=Settings(seconds=0.002))
    roots = roots_of(8)
    folders = []
    for name, plan in (("one", plan_of()), ("other", slow)):
        ruling = go(tmp_path / name, plan, roots)
        written = write_commit(Layout(tmp_path / name), plan, ruling, sources_of(roots), {})
        folders.append(written.folder)
    for table in ("clips", "sources", "tracks"):
        assert _bytes(folders[0] / table) == _bytes(folders[1] / table)


def test_the_ledger_has_a_row_per_item_and_stage_with_value_and_bound(tmp_path):
    made(tmp_path, 10, r5={"faults": {"look": "fail"}})
    ledger = pd.read_parquet(tmp_path / "dataset" / "ledger")
    assert not ledger.duplicated(["item_id", "stage"]).any()
    assert set(ledger["state"]) == {"kept", "rejected", "failed"}
    lost = ledger[ledger["state"] != "kept"].set_index("item_id")
    assert tuple(lost.loc["r1", ["stage", "gate", "reason", "value", "bound"]]) == (
        "look", "size", "low_resolution", "1.0", "2.0",
    )  # fmt: skip
    assert tuple(lost.loc["r5", ["state", "reason", "detail"]]) == (
        "failed", "network", "gone for now",
    )  # fmt: skip
    assert ledger[ledger["item_id"] == "r9.0"]["stage"].tolist() == [
        "cut", "weigh", "measure", "rank", "seal",
    ]  # fmt: skip
    measured = ledger[(ledger["stage"] == "weigh") & (ledger["state"] == "kept")]
    assert (measured["attempts"] == 1).all()
    assert (measured["seconds"] >= 0).all()
    assert ledger[ledger["stage"] == "rank"]["attempts"].isna().all()


def test_sources_tell_what_became_of_them_and_keep_the_lists_columns(tmp_path):
    roots = roots_of(4)
    given = {"age": "no", "crop": "as I like it", "start_seconds": "three"}
    found = {"query": "q", "date": "2026-01-01", "rank": "7"}
    listed = sources_of(roots, r3={"given": given, "found": found, "crop": (1, 2, 3, 4)})
    later = sources_of(roots_of(5))[4]
    _, ruling = made(tmp_path, 4, sources=[*listed, later])
    frame = pd.read_parquet(tmp_path / "dataset" / "sources").set_index("source_id")
    assert frame["state"].to_dict() == {
        "r0": "rejected", "r1": "rejected", "r2": "split", "r3": "split", "r4": "pending",
    }  # fmt: skip
    row = frame.loc["r3"]
    assert (row["given_age"], row["query_rank"], list(row["given_crop"])) == ("no", 7, [1, 2, 3, 4])
    assert row["given_crop_as_listed"] == "as I like it"
    assert row["given_start_seconds_as_listed"] == "three"
    kept = (ruling.verdicts["state"] == "kept") & (ruling.table["root_id"] == "r3")
    assert (row["clips"], row["clips_kept"]) == (4, kept.sum())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_leaves_the_commit_before_in_place(tmp_path, monkeypatch, number):
    first, _ = made(tmp_path)

    def full(*args, **more):
        raise OSError(number, "no room")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(DiskFull):
        made(tmp_path, gates=NOTHING)
    assert (tmp_path / "dataset").resolve() == first.folder
    assert [path.name for path in (tmp_path / "commits").iterdir()] == ["000001"]


def test_what_a_killed_run_left_half_built_is_removed(tmp_path):
    made(tmp_path)
    (tmp_path / "commits" / ".building-abc" / "clips").mkdir(parents=True)
    made(tmp_path, gates=NOTHING)
    names = sorted(path.name for path in (tmp_path / "commits").iterdir())
    assert names == ["000001", "000002"]


def test_tracks_are_shared_with_the_commit_that_was_measured_or_copied(tmp_path, monkeypatch):
    first, ruling = made(tmp_path)
    for gates, links in ((NOTHING, True), (GATES[:1], False)):
        if not links:
            monkeypatch.setattr("os.link", _no_links)
        plan = plan_of(gates)
        cut = rule(plan, ruling.table, Workplace(tmp_path))
        sources = sources_of(roots_of(8))
        commit = write_commit(Layout(tmp_path), plan, cut, sources, {}, measured_in=first.folder)
        there = commit.folder / "tracks" / "part-0.parquet"
        here = first.folder / "tracks" / "part-0.parquet"
        assert there.read_bytes() == here.read_bytes()
        assert there.samefile(here) is links
    shutil.rmtree(first.folder)
    assert len(pd.read_parquet(tmp_path / "dataset" / "tracks")) > 0


def _no_links(*args, **more):
    raise OSError(errno.EPERM, "no hard links here")
