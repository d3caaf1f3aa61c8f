"""Jobs of parts with known counts: rows, and one estimate, by a clock that the test turns."""

import pytest

from talkingface_wild.core.parts import Part, PartsProgress


def test_the_estimate_covers_all_parts_and_not_only_the_one_at_work():
    """It was of the current stage of a training alone."""
    now = [0.0]
    parts = [Part("first", 100, cost=1.0), Part("second", 50, cost=4.0)]
    progress = PartsProgress("training", parts, clock=lambda: now[0])
    assert progress.snapshot().seconds_left is None
    progress.begin("first")
    for done in range(1, 21):
        now[0] += 0.5
        progress.update("first", done)
    # 80 of the first and 50 × 4 of the second are left, at half a second each.
    assert progress.snapshot().seconds_left == pytest.approx(140.0, rel=0.02)
    assert [row.count for row in progress.snapshot().rows] == ["20/100", "0/50"]


def test_what_an_earlier_run_did_is_no_work_of_this_one():
    now = [0.0]
    progress = PartsProgress("video", [Part("frames", 1000)], clock=lambda: now[0])
    progress.begin("frames", before=900)
    now[0] = 10.0
    progress.update("frames", 910)
    assert progress.snapshot().seconds_left == pytest.approx(90.0)


def test_a_part_of_unknown_length_is_shown_and_left_out_of_the_estimate():
    progress = PartsProgress("training", [Part("features", None), Part("stage 1", 10)])
    assert [row.count for row in progress.snapshot().rows] == ["0", "0/10"]
    progress.finish("features")
    assert progress.snapshot().rows[0].share == 1.0
