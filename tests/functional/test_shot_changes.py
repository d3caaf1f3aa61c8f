"""Cuts and transitions from hand-made probabilities."""

import numpy as np
import pytest

from talkingface_wild.functional.shot_changes import Transition, cuts, transitions, undecided


def _row(count, *spans):
    row = np.full(count, 0.1)
    for begin, end in spans:
        row[begin:end] = 0.9
    return row


def test_a_cut_lies_after_the_last_frame_of_the_shot_before():
    changes = transitions(_row(90, (29, 30), (59, 60)), _row(90, (29, 30), (59, 60)))
    assert changes == [Transition(29, 30), Transition(59, 60)]
    assert cuts(changes) == [30, 60]


def test_a_dissolve_reaches_as_far_as_its_frames_are_inside():
    changes = transitions(_row(90, (40, 41)), _row(90, (35, 47)))
    assert changes == [Transition(35, 47)]
    assert cuts(changes) == []


def test_the_middle_alone_decides():
    assert transitions(_row(90), _row(90, (35, 47))) == []
    assert transitions(_row(90, (40, 41)), _row(90)) == [Transition(40, 41)]
    assert undecided(_row(90), _row(90, (35, 47))) == [Transition(35, 47)]
    assert undecided(_row(90, (40, 41)), _row(90, (35, 47), (60, 70))) == [Transition(60, 70)]


def test_two_middles_of_one_stretch_are_one_change():
    changes = transitions(_row(90, (40, 41), (44, 45)), _row(90, (35, 50)))
    assert changes == [Transition(35, 50)]


def test_what_reaches_the_last_frame_has_no_shot_after_it():
    assert transitions(_row(50, (49, 50)), _row(50, (40, 50))) == []
    assert transitions(_row(0), _row(0)) == []


def test_the_threshold_is_exclusive_and_may_be_set():
    middle, inside = np.full(9, 0.5), np.full(9, 0.0)
    middle[[0, 8]] = 0
    assert transitions(middle, inside) == []
    assert transitions(middle, inside, threshold=0.4) == [Transition(1, 8)]


def test_the_two_heads_are_of_one_source():
    with pytest.raises(ValueError, match="found 9 and 8; take both from one source"):
        transitions(np.zeros(9), np.zeros(8))
