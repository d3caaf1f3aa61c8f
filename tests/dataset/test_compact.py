"""Compact commits: columns without any value leave clips/ and are named; nothing else goes."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

from talkingface_wild.dataset.commit import write_commit
from talkingface_wild.dataset.compact import is_compact
from talkingface_wild.dataset.load import load
from talkingface_wild.dataset.review import draw_sample, manifest
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.dataset.why import story_of
from talkingface_wild.engine.item_table import build_table
from talkingface_wild.engine.journal import Journal
from talkingface_wild.engine.ruling import rule
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.pages.data_report import gather_report
from tests.dataset.fixture import WHY_NO_SYNC, make_data_set


def _commit(made, compact):
    table, _ = build_table(made.plan, Journal(made.out / "journal"), made.roots)
    ruling = rule(made.plan, table, Workplace(made.out))
    ruling.table["review"] = None
    return write_commit(
        made.layout, made.plan, ruling, made.sources, made.documents, compact=compact
    )


@pytest.fixture
def made(tmp_path):
    return make_data_set(tmp_path / "out")


def test_null_columns_are_left_out_and_named_with_the_reason(made):
    whole = load(made.out)
    null = {name for name in whole if whole[name].isna().all()}
    assert {"sync_confidence", "source_url", "review"} <= null
    assert not is_compact(made.layout)
    commit = _commit(made, compact=True)
    assert commit.new
    assert is_compact(made.layout)
    left_out = json.loads((commit.folder / "manifest.json").read_text())["null_columns"]
    assert set(left_out) == null
    assert left_out["sync_confidence"] == f"stage sync was not measured: {WHY_NO_SYNC}"
    assert left_out["source_url"] == "null in every row"
    compact = load(made.out)
    assert set(compact) == set(whole) - null
    pd.testing.assert_frame_equal(compact, whole[list(compact)])


def test_every_language_has_the_same_columns(made):
    """A column that one language has values in stays in the files of all."""
    commit = _commit(made, compact=True)
    files = sorted((commit.folder / "clips").rglob("*.parquet"))
    assert len({tuple(pq.read_schema(path).names) for path in files}) == 1
    assert len(files) == 2


def test_reports_reviews_and_stories_read_a_compact_set(made):
    before = gather_report(read_recorded(made.out), 0)
    _commit(made, compact=True)
    recorded = read_recorded(made.out)
    after = gather_report(recorded, 0)
    assert (after.clips, after.hours, after.languages) == (
        before.clips,
        before.hours,
        before.languages,
    )
    assert after.funnels == before.funnels
    sample = draw_sample(recorded, 5, 5, 0)
    assert manifest(recorded, sample).num_rows == len(sample)
    assert story_of(recorded, made.clip("en/one.mp4", 0)).state == "kept"


def test_back_to_whole_is_the_commit_of_before(made):
    first = load(made.out)
    _commit(made, compact=True)
    again = _commit(made, compact=False)
    assert not is_compact(made.layout)
    pd.testing.assert_frame_equal(load(made.out), first)
    assert "null_columns" not in json.loads((again.folder / "manifest.json").read_text())


def test_a_set_without_clips_keeps_every_column(tmp_path):
    """Of a table without rows nothing is known: leaving all columns out would leave no schema."""
    made = make_data_set(tmp_path / "none", [])
    names = list(load(made.out))
    commit = _commit(made, compact=True)
    assert json.loads((commit.folder / "manifest.json").read_text())["null_columns"] == {}
    assert list(load(made.out)) == names
