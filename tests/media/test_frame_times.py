"""Which picture a tick shows, in closed form."""

from fractions import Fraction

import pytest

from talkingface_wild.media.frame_times import GridPicker, Ticks, micros, tick_count


def shown(times_ms: list[int], rate: int, start_ms: int = 0, count: int | None = None) -> list[int]:
    picker = GridPicker(Ticks(start_ms * 1000, Fraction(rate), count))
    pairs = [pair for time in times_ms for pair in picker.push(time * 1000, time, 20_000)]
    pairs += picker.finish()
    assert [tick for tick, _ in pairs] == list(range(len(pairs)))
    return [time for _, time in pairs]


@pytest.mark.parametrize(
    ("times", "rate", "want"),
    [
        ([0, 40, 80], 25, [0, 40, 80]),
        ([0, 20, 40, 60, 80, 100], 25, [0, 40, 80]),
        ([0, 19, 41, 59, 99], 25, [19, 59, 99]),
        ([0, 100, 190, 219, 300], 5, [0, 219]),
        ([30, 59], 25, [30, 59]),
    ],
    ids=[
        "same",
        "ties go to the next tick",
        "nearest",
        "slow ticks look 20 ms ahead",
        "late start",
    ],
)
def test_the_last_picture_before_half_a_tick(times: list[int], rate: int, want: list[int]) -> None:
    assert shown(times, rate) == want


def test_a_grid_from_the_middle_with_a_count() -> None:
    assert shown([0, 40, 80, 120, 160], 25, start_ms=50, count=2) == [40, 80]


def test_counts_are_rounded_half_up() -> None:
    assert tick_count(0, micros(4.66), Fraction(25)) == 117
    assert tick_count(0, micros(0.02), Fraction(25)) == 1
    assert tick_count(5, 1, Fraction(25)) == 0
