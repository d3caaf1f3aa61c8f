"""Running sums before each clip, in the order of clip ids."""

import pandas as pd

from talkingface_wild.core.gate import Gate, judge
from talkingface_wild.engine.stage import NoSettings, Workplace
from talkingface_wild.pipelines.stages.balance import Balance

ROWS = {
    # clip: (identity, source, channel, seconds)
    "c1": ("ada", "s1", "one", 10.0),
    "c2": ("bob", "s1", "one", 20.5),
    "c3": ("ada", "s2", None, 30.0),
    "c4": (None, "s1", "one", 40.0),
    "c5": ("ada", "s1", "two", 50.25),
}


def _table(order):
    rows = [(clip, *ROWS[clip]) for clip in order]
    frame = pd.DataFrame(rows, columns=["clip", "identity", "root_id", "channel", "clip_seconds"])
    types = {"identity": "string", "root_id": "string", "channel": "string"}
    return frame.set_index("clip").astype(types | {"clip_seconds": "Float64"})


def _balance(table):
    return Balance(NoSettings(), Workplace(None)).compute(table)


def _plain(series):
    return [None if pd.isna(value) else value for value in series]


def test_sums_before_each_clip_by_hand():
    answer = _balance(_table(["c1", "c2", "c3", "c4", "c5"]))
    assert _plain(answer["identity_seconds_before"]) == [0.0, 0.0, 10.0, None, 40.0]
    assert _plain(answer["source_clips_before"]) == [0, 1, 0, 2, 3]
    assert _plain(answer["channel_seconds_before"]) == [0.0, 10.0, None, 30.5, 0.0]


def test_the_order_of_rows_says_nothing():
    one = _balance(_table(["c1", "c2", "c3", "c4", "c5"]))
    other = _balance(_table(["c4", "c1", "c5", "c3", "c2"]))
    pd.testing.assert_frame_equal(one, other.loc[one.index])


def test_a_gate_below_a_cap_keeps_the_clips_up_to_it_and_the_one_that_crosses_it():
    cap = Gate("share", "identity_seconds_before", "<", 40.0, "over_identity_cap", "pass")
    answer = _balance(_table(["c1", "c3", "c5"]))
    kept = [
        judge((cap,), {"identity_seconds_before": value}, "en").kept
        for value in _plain(answer["identity_seconds_before"])
    ]
    assert kept == [True, True, False]


def test_an_empty_table_has_an_empty_answer():
    answer = _balance(_table([]))
    assert len(answer) == 0
    assert list(answer.columns) == [column.name for column in Balance.columns]
