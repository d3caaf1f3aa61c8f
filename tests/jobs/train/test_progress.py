"""The board of a training: its estimate, by a clock that the test turns."""

import pytest

from talkingface_wild.jobs.train.progress import TrainingRows
from talkingface_wild.models.mcdm.config import preset
from talkingface_wild.models.mcdm.training.mcdm_trainer import parts_of
from talkingface_wild.models.training.loop import TrainingProgress


class Shown:
    """Keeps what a board is told to show."""

    def progress(self, look):
        self.look = look


def test_a_training_that_goes_on_does_not_begin_at_no_time_left():
    """The iteration that was over when the part began counted as done in no time."""
    now, shown = [0.0], Shown()
    parts = parts_of(preset("tiny"), ["1"])
    board = TrainingRows(shown, parts, ["1"], {}, clock=lambda: now[0])
    total = preset("tiny").training.stage1.iterations
    left = []
    for iteration in range(11, 16):
        now[0] += 2.0
        board.iteration(TrainingProgress("stage 1", iteration, total, 0.5, 0.0, None))
        left.append(shown.look().seconds_left)
    assert left[0] is None
    expected = [2.0 * (total - iteration) for iteration in range(12, 16)]
    assert left[1:] == pytest.approx(expected, rel=0.02)
