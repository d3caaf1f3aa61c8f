"""Round numbers, against values worked out by hand."""

import pytest

from talkingface_wild.functional.round_numbers import multiples, round_step


@pytest.mark.parametrize(
    ("least", "step"), [(0.9, 1), (1.1, 2), (2.2, 2.5), (2.6, 5), (6, 10), (0.021, 0.025), (0, 1)]
)
def test_steps_are_round(least, step):
    assert round_step(least) == pytest.approx(step)


def test_whole_steps_are_whole():
    assert (round_step(0.02, whole=True), round_step(2.1, whole=True)) == (1, 3)


def test_multiples_lie_inside_or_span_the_range():
    assert multiples(2.5, 1, 11) == [2.5, 5, 7.5, 10]
    assert multiples(2.5, 1, 11, outward=True) == [0, 2.5, 5, 7.5, 10, 12.5]
    assert multiples(0.1, 0.3, 0.6) == [0.3, 0.4, 0.5, 0.6]
    assert multiples(0.1, 0.3, 0.6, outward=True) == [0.3, 0.4, 0.5, 0.6]
