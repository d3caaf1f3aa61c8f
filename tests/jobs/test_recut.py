"""Recut: other gates on stored measures. The data set is made up, its commits are real."""

import json

import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from talkingface_wild.core.clip import Source
from talkingface_wild.core.errors import FolderLocked, InputUnreadable, RecipeError
from talkingface_wild.dataset.decisions import Decision, save_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.jobs.recut import RecutRequest, recommit, recut
from talkingface_wild.pipelines.sources.collect import load_sources, save_sources
from talkingface_wild.pipelines.sweep import sweep
from tests.speed import synthetic

COUNT = 400


@pytest.fixture
def out(tmp_path):
    synthetic.write(tmp_path, COUNT)
    return tmp_path


def _clips(out, *columns):
    table = pq.read_table(out / "dataset" / "clips", columns=["clip_id", "language", *columns])
    return table.to_pandas().set_index("clip_id")


def test_a_tighter_gate_loses_exactly_the_clips_beyond_it(out):
    before = _clips(out, "sync_confidence")
    bound = float(before["sync_confidence"].median())
    made = recut(RecutRequest(out=out, settings=[f"gates.sync={bound}"]))
    after = _clips(out, "sync_confidence")
    beyond = set(before.index[before["sync_confidence"] < bound])
    # Clips that were over a source's or channel's share may come in for those that went.
    assert set(before.index) - set(after.index) == beyond
    assert (after["sync_confidence"] >= bound).all()
    assert (made.commit.number, made.commit.new, made.pending) == (2, True, 0)
    for change in made.languages:
        old = before[before["language"] == change.language]
        new = after[after["language"] == change.language]
        assert (change.clips_before, change.clips_after) == (len(old), len(new))
        assert change.lost == len(set(old.index) & beyond)
        assert change.won == len(set(new.index) - set(old.index))
        assert change.hours_after == pytest.approx(len(new) * 28 / 3600, abs=1e-6)


def test_there_and_back_again_is_the_first_commit(out):
    first = json.loads((out / "dataset" / "manifest.json").read_text())
    recut(RecutRequest(out=out, settings=["gates.sync=3.3"]))
    back = recut(RecutRequest(out=out, settings=["gates.sync=3.0"]))
    assert back.commit.number == 3
    again = json.loads((out / "dataset" / "manifest.json").read_text())
    assert again["rows"] == first["rows"]
    assert again["files"] == first["files"]


def test_the_same_gates_write_nothing(out):
    made = recut(RecutRequest(out=out))
    assert (made.commit.number, made.commit.new) == (1, False)
    assert (
        {change.won for change in made.languages}
        == {change.lost for change in made.languages}
        == {0}
    )


def test_a_gate_for_one_language_leaves_the_others(out):
    before = _clips(out)
    recut(RecutRequest(out=out, settings=["gates.sync.zh=1000"]))
    after = _clips(out)
    assert "zh" not in set(after["language"].astype(str))
    others = before.index[before["language"].astype(str) != "zh"]
    assert set(after.index) == set(others)


def test_a_gate_switched_off_lets_in_what_it_alone_rejected_as_pending_or_kept(tmp_path):
    synthetic.write(tmp_path, COUNT)
    items = pd.read_parquet(tmp_path / "dataset" / "items").set_index("item_id")
    lost = items.index[items["verdict_gate"] == "sharpness"]
    assert len(lost)
    recut(RecutRequest(out=tmp_path, settings=["gates.sharpness=off"]))
    after = pd.read_parquet(tmp_path / "dataset" / "items").set_index("item_id")
    assert not (after["verdict_gate"] == "sharpness").any()
    assert set(after.loc[lost, "verdict_state"]) <= {"kept", "rejected", "pending"}
    assert "kept" in set(after.loc[lost, "verdict_state"])


def test_clips_whose_later_measures_are_missing_are_counted_as_pending(out):
    part = out / "dataset" / "items" / "part-0.parquet"
    table = pq.read_table(part)
    blurry = pc.equal(table["verdict_gate"], "sharpness").fill_null(False)
    count = pc.sum(blurry).as_py()
    for name in ("state", "reason", "detail", "attempts", "seconds", "cpu_seconds"):
        for stage in ("quality", "sync"):
            place = table.column_names.index(f"@{stage}:{name}")
            column = pc.if_else(blurry, None, table.column(place))
            table = table.set_column(place, table.schema.field(place), column)
    pq.write_table(table, part)
    made = recut(RecutRequest(out=out, settings=["gates.sharpness=off"]))
    assert made.pending == count > 0
    items = pd.read_parquet(out / "dataset" / "items")
    assert (items["verdict_state"] == "pending").sum() == count
    assert set(items.loc[items["verdict_state"] == "pending", "verdict_stage"]) == {"quality"}


def test_a_reviewers_reject_stays_out_whatever_the_gates(out):
    clip = _clips(out).index[0]
    save_decisions(Layout(out), [Decision(clip, False, "dubbed")])
    recommit(out)
    assert clip not in _clips(out).index
    recut(RecutRequest(out=out, settings=["gates.sync=2", "gates.sharpness=off"]))
    assert clip not in _clips(out).index


def test_a_source_gathered_since_the_commit_is_pending_and_no_error(out):
    layout = Layout(out)
    save_sources(layout, [*load_sources(layout), Source("s_new", "youtube:new", "en", url="u")])
    recut(RecutRequest(out=out, settings=["gates.sync=3.1"]))
    sources = pd.read_parquet(out / "dataset" / "sources").set_index("source_id")
    assert sources.at["s_new", "state"] == "pending"


def test_the_new_recipe_is_the_folders_recipe(out):
    recut(RecutRequest(out=out, settings=["gates.sync=3.25"]))
    for path in (out / "recipe.yaml", out / "dataset" / "recipe.yaml"):
        assert "at_least: 3.25" in path.read_text()


def test_a_stages_setting_is_refused_with_the_command_that_can(out):
    with pytest.raises(RecipeError, match="tfw curate --out .* --set shots.threshold=2"):
        recut(RecutRequest(out=out, settings=["shots.threshold=2"]))


def test_a_folder_without_a_data_set_or_with_a_run_on_it_is_refused(out, tmp_path_factory):
    with pytest.raises(InputUnreadable):
        recut(RecutRequest(out=tmp_path_factory.mktemp("empty")))
    with folder_lock(out), pytest.raises(FolderLocked):
        recut(RecutRequest(out=out, settings=["gates.sync=3.1"]))


def test_a_commit_without_a_newer_column_is_cut_anew_and_says_that_it_has_no_value(out):
    """A data set of an older version could not be cut by, or swept over, a column added since."""
    commit = recut(RecutRequest(out=out, settings=["gates.padding=off"])).commit.folder
    before = set(_clips(out).index)
    for name in ("items", "clips"):
        for part in (commit / name).rglob("*.parquet"):
            whole = pq.ParquetFile(part).read()
            assert "padding_share" in whole.column_names
            part.unlink()
            pq.write_table(whole.drop_columns(["padding_share"]), part)
    for attempt in (
        lambda: recut(
            RecutRequest(out=out, settings=["gates.padding_share.at_most=0.05"], dry_run=True)
        ),
        lambda: sweep(out, "padding_share"),
    ):
        with pytest.raises(RecipeError, match="found padding_share without a value in this set"):
            attempt()
    cut = recut(RecutRequest(out=out, settings=["gates.sync.zh=1000"]))
    after = _clips(out)
    assert after.index.size and set(after.index) < before
    assert "zh" not in set(after["language"].astype(str))
    items = pq.read_table(cut.commit.folder / "items")
    assert items["padding_share"].null_count == len(items)
