"""Cuts are found where they are; spans neither lose nor overlap anything."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.media.shot_boundaries import ShotDetector, Span, spans
from tests.media.fixtures import even_times, uneven_times


def scene(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    blocks = random.integers(0, 255, (9, 16, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((10, 10, 1), dtype=np.uint8))


def found(kind: str, threshold: float, times: list[float], cuts: list[float]) -> list[float]:
    detector = ShotDetector(kind, threshold, fps=25)
    random = np.random.default_rng(1)
    for time in times:
        number = sum(time >= cut - 1e-6 for cut in cuts)
        noise = random.integers(0, 4, (90, 160, 3), dtype=np.uint8)
        detector.feed(time, np.clip(scene(number).astype(int) + noise, 0, 255).astype(np.uint8))
    return detector.cuts()


@pytest.mark.parametrize(("kind", "threshold"), [("adaptive", 3.0), ("content", 27.0)])
@pytest.mark.parametrize("uneven", [False, True])
def test_cuts_are_found_at_their_first_picture(kind: str, threshold: float, uneven: bool) -> None:
    times = uneven_times(8) if uneven else even_times(25, 8)  # type: ignore[arg-type]
    assert found(kind, threshold, times, [3.0, 5.0]) == pytest.approx([3.0, 5.0], abs=1e-6)


def test_an_uncut_take_is_one_span() -> None:
    assert found("adaptive", 3.0, even_times(25, 4), []) == []  # type: ignore[arg-type]
    assert spans([], 8.3, 20.0) == [Span(8.3, 20.0)]
    assert spans([], 0.0, 30.0) == [Span(0.0, 30.0)]


def test_an_unknown_detector_names_the_nearest() -> None:
    with pytest.raises(RecipeError, match="adaptive"):
        ShotDetector("adaptve")


def test_trims_stand_at_cuts_only() -> None:
    assert spans([5.0], 0.0, 12.0) == [Span(0.0, 4.8), Span(5.2, 12.0)]
    assert spans([5.0, 5.3], 0.0, 9.0) == [Span(0, 4.8), Span(5.0, 5.3), Span(5.5, 9.0)]


def test_no_span_holds_a_part_of_a_slow_change() -> None:
    assert spans([], 0.0, 12.0, slow=[(5.0, 6.0)]) == [Span(0.0, 4.8), Span(6.2, 12.0)]
    # A fade out and a fade in with a little black between them, and a cut in the black.
    faded = spans([5.7], 0.0, 12.0, slow=[(5.0, 5.6), (5.8, 6.0)])
    assert faded == [Span(0.0, 4.8), Span(6.2, 12.0)]
    # A take between two changes that the trims leave a part of stays one.
    assert spans([], 0.0, 12.0, slow=[(5.0, 5.5), (6.0, 6.5)]) == [
        Span(0.0, 4.8),
        Span(5.7, 5.8),
        Span(6.7, 12.0),
    ]
    assert spans([], 2.0, 9.0, slow=[(1.0, 1.5), (9.5, 9.9)]) == [Span(2.0, 9.0)]
    assert spans([], 2.0, 9.0, slow=[(1.0, 3.0)]) == [Span(3.2, 9.0)]


@pytest.mark.parametrize(
    ("length", "policy", "want"),
    [
        (75, "drop", [(0, 30, False), (30, 60, False), (60, 75, False)]),
        (65, "drop", [(0, 30, False), (30, 60, False), (60, 65, True)]),
        (65, "keep", [(0, 30, False), (30, 60, False), (60, 65, False)]),
        (62, "keep", [(0, 30, False), (30, 60, False), (60, 62, True)]),
        (65, "merge", [(0, 30, False), (30, 65, False)]),
        (60, "drop", [(0, 30, False), (30, 60, False)]),
        (45, "drop", [(0, 30, False), (30, 45, False)]),
    ],
)
def test_tails(length: float, policy: str, want: list[tuple[float, float, bool]]) -> None:
    assert spans([], 0, length, tail=policy) == [Span(*span) for span in want]


@settings(max_examples=300, deadline=None)
@given(
    cuts=st.lists(st.floats(0, 400, allow_nan=False), max_size=12),
    start=st.floats(0, 50),
    length=st.floats(0.01, 300),
    trim=st.floats(0, 1),
    stride=st.floats(5, 40),
    tail=st.sampled_from(["drop", "keep", "merge"]),
)
def test_spans_are_in_order_and_lose_only_the_trims(
    cuts: list[float], start: float, length: float, trim: float, stride: float, tail: str
) -> None:
    end, least = start + length, 4.0
    got = spans(cuts, start, end, trim=trim, stride=stride, tail=tail, tail_seconds=least)
    assert got[0].start >= start
    assert got[-1].end <= end + 1e-9
    assert all(a.end <= b.start + 1e-9 for a, b in itertools.pairwise(got))
    longest = stride + (least if tail == "merge" else 0)
    assert all(0 < span.seconds <= longest + 1e-5 for span in got)
    inside = len({cut for cut in cuts if start < cut < end})
    covered = sum(span.seconds for span in got)
    assert covered >= length - 2 * trim * inside - 1e-5 * (inside + 1)
    assert all(span.seconds < least for span in got if span.tail)
