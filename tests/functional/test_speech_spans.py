"""The expected spans are those of silero-vad 6.2.3's own function for the same probabilities."""

import numpy as np
import pytest

from talkingface_wild.functional.speech_spans import speech_ratio, speech_spans

S, M, Q = 0.9, 0.4, 0.1
"""Speech, neither, quiet."""


def _windows(*runs):
    return np.concatenate([np.full(count, value) for value, count in runs])


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        pytest.param([(Q, 5), (S, 8), (Q, 9)], [(2080, 7136)], id="eight windows are speech"),
        pytest.param([(Q, 5), (S, 7), (Q, 9)], [], id="seven are too short"),
        pytest.param([(S, 10), (Q, 4), (S, 10)], [(0, 12288)], id="a gap of four is bridged"),
        pytest.param(
            [(S, 10), (Q, 5), (S, 10)], [(0, 5600), (7200, 12800)], id="a gap of five parts"
        ),
        pytest.param([(S, 10), (M, 30), (S, 10)], [(0, 25600)], id="a murmur is no end"),
        pytest.param(
            [(S, 10), (Q, 1), (M, 9), (Q, 1), (S, 10)],
            [(0, 5600), (10272, 15872)],
            id="two quiet windows around a murmur are an end",
        ),
        pytest.param([(M, 40)], [], id="a murmur is no beginning"),
        pytest.param([(Q, 10), (S, 10), (Q, 2)], [(4640, 11264)], id="open at the end"),
        pytest.param([(Q, 10), (S, 5), (Q, 4)], [(4640, 9728)], id="open and held to the end"),
    ],
)
def test_spans_are_the_published_ones(runs, expected):
    spans = speech_spans(_windows(*runs))
    assert [(round(a * 16_000), round(b * 16_000)) for a, b in spans] == expected


def test_a_span_ends_with_the_sound():
    assert speech_spans(np.full(20, S), seconds=0.62) == [(0.0, 0.62)]


def test_the_ratio_is_the_share_of_windows():
    assert speech_ratio(_windows((S, 3), (M, 1), (0.5, 2), (Q, 2))) == 5 / 8
    assert speech_ratio(np.zeros(9)) == 0


def test_nothing_has_no_speech():
    assert speech_ratio(np.zeros(0)) == 0
    assert speech_spans(np.zeros(0)) == []


@pytest.mark.parametrize("values", [[0.2, np.nan], [1.2], [[0.1, 0.2]]])
@pytest.mark.parametrize("measure", [speech_ratio, speech_spans])
def test_what_is_no_probability_is_refused(measure, values):
    with pytest.raises(ValueError, match="between 0 and 1"):
        measure(np.array(values))
