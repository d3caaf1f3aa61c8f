"""What the set's networks and SyncNet say of the same clips, counted by hand."""

import pandas as pd
import pytest

from talkingface_wild.pipelines.lips_agreement import sync_agreement


def table(**columns) -> pd.DataFrame:
    base = {
        "clip_id": ["a", "b", "c", "d", "e"],
        "language": ["de", "de", "ja", "ja", "de"],
        "lips_z": [4.0, 1.0, 2.5, 9.0, None],
        "lips_offset_frames": [0, 5, -2, 3, None],
        "sync_margin": [1.2, -0.3, 0.4, 2.0, 3.0],
        "sync_offset": [1, -11, -2, 1, 0],
    }
    return pd.DataFrame(base | columns)


def test_verdicts_and_offsets_are_counted_over_clips_that_both_judged():
    answer = sync_agreement(table(), {"all": 2.0})
    assert (answer.clips, answer.same_verdict, answer.in_sync_by_both) == (4, 1.0, 3)
    # -1, 0 and 2 frames.
    assert answer.offset_difference == 0 and answer.disagreements == ()


def test_a_languages_own_threshold_comes_before_that_of_all():
    answer = sync_agreement(table(), {"all": 2.0, "ja": 3.0})
    assert answer.same_verdict == pytest.approx(0.75) and answer.disagreements == ("c",)
    assert sync_agreement(table(), {"ja": 3.0}).clips == 2


def test_without_syncnet_or_without_a_threshold_there_is_none():
    assert sync_agreement(table(sync_margin=[None] * 5), {"all": 2.0}) is None
    assert sync_agreement(table().drop(columns=["sync_margin"]), {"all": 2.0}) is None
    assert sync_agreement(table(), {}) is None
