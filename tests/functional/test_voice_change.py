"""Closed forms: a voice is an axis, so that the cosine of two voices is 0 and of one 1."""

import numpy as np
import pytest

from talkingface_wild.functional.voice_change import voice_change

STEP = 0.77


def _voices(seconds, change=None, mixed=0.0):
    """Partials of a voice that changes at ``change`` to one with the cosine ``mixed``."""
    starts = np.arange(0, seconds - 1.6 + 1e-9, STEP)
    second = (
        np.zeros(len(starts)) if change is None else np.clip((starts + 1.6 - change) / 1.6, 0, 1)
    )
    one, other = np.array([1.0, 0.0]), np.array([mixed, np.sqrt(1 - mixed**2)])
    rows = (1 - second)[:, None] * one + second[:, None] * other
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), starts


@pytest.mark.parametrize("change", [2.5, 4.0, 5.3, 7.4])
@pytest.mark.parametrize("mixed", [0.0, 0.6])
def test_the_joint_of_two_voices_has_their_cosine(change, mixed):
    cut = voice_change(*_voices(10.0, change, mixed), [(0.0, 10.0)])
    assert cut.seconds == pytest.approx(change, abs=1.0)
    assert cut.similarity == pytest.approx(mixed, abs=0.1)
    assert cut.similarity >= mixed - 1e-9


def test_one_voice_is_like_itself_at_every_cut():
    cut = voice_change(*_voices(10.0), [(0.5, 9.0)])
    assert cut.similarity == pytest.approx(1)
    assert 2.5 <= cut.seconds <= 7.0


def test_partials_without_speech_do_not_count():
    embeddings, starts = _voices(12.0)
    pause = (starts + 1.6 > 4.5) & (starts < 7.5)
    embeddings[pause] = [0.0, 1.0]
    assert voice_change(embeddings, starts, [(0.0, 12.0)]).similarity < 0.8
    cut = voice_change(embeddings, starts, [(0.0, 3.7), (8.3, 12.0)])
    assert cut.similarity == pytest.approx(1)


@pytest.mark.parametrize(
    "spans", [[], [(0.0, 3.9)], [(0.0, 1.9), (5.0, 7.0)], [(0.0, 0.7), (2.0, 2.7), (4.0, 4.7)]]
)
def test_too_little_speech_on_a_side_has_no_answer(spans):
    assert voice_change(*_voices(10.0, 4.0), spans) is None


def test_no_partials_have_no_answer():
    assert voice_change(np.zeros((0, 256)), np.zeros(0), [(0.0, 10.0)]) is None


def test_broken_embeddings_are_refused():
    embeddings, starts = _voices(10.0)
    with pytest.raises(ValueError, match="one start for each row"):
        voice_change(embeddings, starts[1:], [])
    embeddings[3] = np.nan
    with pytest.raises(ValueError, match="found NaN"):
        voice_change(embeddings, starts, [])
