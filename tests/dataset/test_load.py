"""``talkingface_wild.load``: one call, one DataFrame."""

import pandas as pd
import pytest

import talkingface_wild
from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.dataset.layout import Layout
from tests.dataset.made import made


def test_every_table_loads_from_the_latest_commit(tmp_path):
    made(tmp_path, 6)
    _, ruling = made(tmp_path, 10)
    clips = talkingface_wild.load(tmp_path)
    assert len(clips) == (ruling.verdicts["state"] == "kept").sum()
    assert isinstance(clips, pd.DataFrame)
    assert set(clips["language"]) == {"en", "xx"}
    assert len(talkingface_wild.load(str(tmp_path), table="items")) == len(ruling.table)
    assert set(talkingface_wild.load(tmp_path, "sources")["source_id"]) == {
        f"r{k}" for k in range(10)
    }
    assert {"stage", "state", "reason"} <= set(talkingface_wild.load(tmp_path, "ledger"))
    assert "edges" in talkingface_wild.load(tmp_path, "tracks")


def test_an_unknown_table_is_answered_with_the_nearest(tmp_path):
    made(tmp_path)
    with pytest.raises(UsageError, match="did you mean 'ledger'"):
        talkingface_wild.load(tmp_path, "leger")


def test_a_folder_without_a_data_set_says_how_to_make_one(tmp_path):
    with pytest.raises(InputUnreadable, match="tfw curate --out"):
        talkingface_wild.load(tmp_path / "nothing")


def test_whole_numbers_stay_whole_beside_nulls(tmp_path):
    """They were loaded as floats, in which an offset of 3 frames is 3.0."""
    made(tmp_path, 6)
    path = next((Layout(tmp_path).latest() / "ledger").rglob("*.parquet"))
    table = pd.read_parquet(path)
    counts = pd.array([3, None, *[0] * (len(table) - 2)], dtype="Int64")
    table.assign(frames=counts).to_parquet(path, index=False)
    frames = talkingface_wild.load(tmp_path, "ledger")["frames"]
    assert frames.dtype == "Int64" and frames.isna().sum() == 1 and frames[0] == 3
