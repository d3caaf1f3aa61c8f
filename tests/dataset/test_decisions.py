"""Reviewers' decisions reject clips, edit no measure, and outlive a change of gates."""

import pandas as pd

from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.decisions import Decision, load_decisions, save_decisions
from talkingface_wild.dataset.layout import Layout
from tests.dataset.made import made
from tests.engine.stages import GATES


def _clips(out):
    return pd.read_parquet(out / "dataset" / "clips").set_index("clip_id")


def test_a_rejected_clip_leaves_clips_with_the_reviewers_words_and_no_measure_changes(tmp_path):
    made(tmp_path, 10)
    before = _clips(tmp_path)
    decisions = [
        Decision("r9.0", False, "dubbed", "the lips say something else", "ada"),
        Decision("r6.0", True, reviewer="ada"),
        Decision("r1.0", True),
    ]
    save_decisions(Layout(tmp_path), decisions)
    commit, _ = made(tmp_path, 10)
    after = _clips(tmp_path)
    assert set(before.index) - set(after.index) == {"r9.0"}
    measures = [name for name in before.columns if name != "review"]
    pd.testing.assert_frame_equal(before.loc[after.index, measures], after[measures])
    assert after["review"].dropna().to_dict() == {"r6.0": "accepted"}
    ledger = pd.read_parquet(commit.folder / "ledger")
    row = ledger[ledger["stage"] == "review"].iloc[0]
    assert (row["item_id"], row["state"], row["reason"]) == ("r9.0", "rejected", "review:dubbed")
    assert row["detail"] == "the lips say something else"
    items = pd.read_parquet(commit.folder / "items").set_index("item_id")
    assert items.at["r9.0", "verdict_reason"] == "review:dubbed"
    assert items.at["r9.0", "weight"] == 18.0


def test_other_gates_do_not_bring_a_rejected_clip_back(tmp_path):
    save_decisions(Layout(tmp_path), [Decision("r9.0", False, "avatar_or_generated")])
    made(tmp_path, 10)
    for gates in (GATES[1:], GATES[:2], (Gate("even", "even", "==", True, "blurry"),)):
        made(tmp_path, 10, gates=gates)
        clips = _clips(tmp_path)
        assert "r9.0" not in clips.index
        assert len(clips)


def test_the_latest_word_on_a_clip_wins(tmp_path):
    layout = Layout(tmp_path)
    save_decisions(layout, [Decision("r9.0", False, "minor"), Decision("r6.0", False, "minor")])
    made(tmp_path, 10)
    save_decisions(layout, [Decision("r9.0", True)])
    assert load_decisions(layout)["r6.0"] == Decision("r6.0", False, "minor")
    made(tmp_path, 10)
    assert "r9.0" in _clips(tmp_path).index
    assert "r6.0" not in _clips(tmp_path).index


def test_no_decisions_is_no_file_and_none_saved_is_readable(tmp_path):
    assert load_decisions(Layout(tmp_path)) == {}
    save_decisions(Layout(tmp_path), [])
    assert load_decisions(Layout(tmp_path)) == {}
