"""Sound features keep step with the frames, whole or in pieces, whatever the sound."""

import types

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2Model

from talkingface_wild.models.conditions.sound_features import (
    RATE,
    MelFeatures,
    Wav2Vec2Features,
    windows,
)
from tests.reference.mcdm_mel import log_mel

FPS = 25


def _sound(seconds, seed=0, loud=3000):
    rng = np.random.default_rng(seed)
    return rng.normal(0, loud, int(seconds * RATE)).clip(-32768, 32767).astype(np.int16)


def _wav2vec2(fps=FPS):
    torch.manual_seed(0)
    config = Wav2Vec2Config(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        conv_dim=(8,) * 7,
        num_conv_pos_embeddings=16,
        num_conv_pos_embedding_groups=2,
    )
    return Wav2Vec2Features(Wav2Vec2Model(config).eval(), fps)


MAKERS = {"mel": lambda: MelFeatures(FPS), "wav2vec2": _wav2vec2}


@pytest.mark.parametrize("kind", MAKERS)
def test_windows_in_pieces_are_the_windows_of_the_whole(kind):
    """To the bit, over the seams of the spans and past the end of the sound."""
    sound, reach, frames = _sound(17), 2, 440
    whole = windows(MAKERS[kind](), sound, 0, frames, reach)
    assert whole.shape == (frames, 5, MAKERS[kind]().width) and whole.dtype == torch.float32
    for size in (7, 16, 220):
        features = MAKERS[kind]()
        pieces = [
            windows(features, sound, first, min(size, frames - first), reach)
            for first in range(0, frames, size)
        ]
        assert torch.equal(torch.cat(pieces), whole), size
    # Resumed in the middle, with the overlap of the clip before.
    again = windows(MAKERS[kind](), sound, 196, 20, reach)
    assert torch.equal(again, whole[196:216])


@pytest.mark.parametrize("kind", MAKERS)
def test_a_window_is_a_frames_own_row_and_its_neighbours(kind):
    features, sound = MAKERS[kind](), _sound(2)
    rows = features.rows(sound, 0, 30)
    found = windows(features, sound, 10, 5, 3)
    for frame in range(5):
        assert torch.equal(found[frame], rows[10 + frame - 3 : 10 + frame + 4])


@pytest.mark.parametrize("kind", MAKERS)
def test_before_the_sound_there_is_nothing(kind):
    features, sound = MAKERS[kind](), _sound(1)
    rows = features.rows(sound, 0, 30)
    found = windows(features, sound, -4, 8, 2)
    assert not found[0].any() and not found[1].any()  # frames -4 and -3 see up to -1
    assert not found[3, :3].any() and torch.equal(found[3, 3:], rows[:2])
    assert torch.equal(found[6], rows[:5])
    assert not windows(features, sound, -9, 3, 2).any()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("seconds", [0, 0.001, 0.1])
def test_a_tenth_of_a_second_and_less(kind, seconds):
    found = windows(MAKERS[kind](), _sound(seconds), -2, 10, 2)
    assert found.shape[:2] == (10, 5) and found.isfinite().all()


@pytest.mark.parametrize("kind", MAKERS)
def test_silence_is_one_value_at_every_frame_away_from_the_edges(kind):
    rows = MAKERS[kind]().rows(np.zeros(20 * RATE, np.int16), 0, 200)
    assert rows.isfinite().all()
    if kind == "mel":
        assert (rows == -2).all()
    past = MAKERS[kind]().rows(np.zeros(10, np.int16), 0, 200)
    assert torch.equal(rows, past)  # past its end a sound is silence


def test_mel_energies_are_those_of_the_book():
    features, sound = MelFeatures(FPS), _sound(0.5, loud=200)
    found = features.rows(sound, 0, 12).reshape(24, 40).double().numpy()
    for span in (0, 1, 11, 23):
        middle = round((span + 0.5) * RATE / 50)
        expected = log_mel(sound, middle, 512, RATE, 40, 60.0, 7600.0, 1e-6)
        np.testing.assert_allclose(found[span], (expected + 2) / 2, atol=2e-4)


@pytest.mark.parametrize("fps", [25, 30])
def test_mel_of_a_click_stands_at_its_frame(fps):
    features = MelFeatures(fps)
    for frame in (0, 3, 20):
        sound = np.zeros(RATE, np.int16)
        sound[int((frame + 0.5) * RATE / fps)] = 30000
        assert int(features.rows(sound, 0, fps).mean(1).argmax()) == frame


class _Mean(torch.nn.Module):
    """Stands in for wav2vec 2.0: the mean loudness of each 400 samples, every 320."""

    config = types.SimpleNamespace(hidden_size=1)
    device, dtype = torch.device("cpu"), torch.float32
    calls = 0

    def forward(self, values, output_hidden_states):
        self.calls += 1
        loud = values.abs().unfold(1, 400, 320).mean(-1)[..., None]
        return types.SimpleNamespace(hidden_states=(loud, 3 * loud))


def test_wav2vec2_rows_stand_at_their_frames_over_an_hour():
    """Within a frame, and an hour of sound costs no more than the span that is asked for."""
    model = _Mean()
    features = Wav2Vec2Features(model, FPS)
    sound = np.zeros(3600 * RATE, np.int16)
    for frame in (0, 3, 199, 200, 89_990):
        sound[int((frame + 0.5) * RATE / FPS)] = 30000
        rows = features.rows(sound, max(0, frame - 5), 11)
        assert abs(int(rows[:, 0].argmax()) - min(5, frame)) <= 1
        sound[:] = 0
        features = Wav2Vec2Features(model, FPS)
    assert model.calls <= 8


def test_wav2vec2_is_heard_once_for_a_span():
    model = _Mean()
    features, sound = Wav2Vec2Features(model, FPS), _sound(20)
    for first in range(0, 200, 8):
        features.rows(sound, first, 8)
    assert model.calls == 1
    features.rows(sound, 196, 8)
    assert model.calls == 2


def test_wav2vec2_hears_the_sound_that_it_is_given():
    """Told apart by its address alone, a new sound where an old one had lain got the old's rows:
    every clip of a data set could have had the features of the clip before it."""
    features, addresses = _wav2vec2(), []
    for seed in range(6):
        sound = _sound(2, seed)
        addresses.append(id(sound))
        assert torch.equal(features.rows(sound, 0, 50), _wav2vec2().rows(sound, 0, 50)), seed
        del sound


def test_wav2vec2_rows_are_the_mean_over_all_hidden_states():
    features, sound = _wav2vec2(), _sound(1)
    heard = np.zeros(12 * RATE, np.float32)
    heard[2 * RATE : 3 * RATE] = sound / 32768
    heard = (heard - heard.mean()) / np.sqrt(heard.var() + 1e-7)
    with torch.no_grad():
        states = features.model(torch.from_numpy(heard)[None], output_hidden_states=True)
    assert len(states.hidden_states) == 3
    mean = torch.stack(states.hidden_states).mean(0)[0].numpy()
    rows = features.rows(sound, 0, 25).numpy()
    # 599 states over 12 seconds, each in the middle of its share; so are 300 frames.
    places = (np.arange(300) + 0.5) * len(mean) / 300 - 0.5
    for column in range(16):
        expected = np.interp(places[50:75], np.arange(len(mean)), mean[:, column])
        np.testing.assert_allclose(rows[:, column], expected, atol=1e-4)


def test_loudness_does_not_change_what_wav2vec2_hears():
    quiet, loud = _sound(2, loud=300), None
    loud = (quiet.astype(np.int32) * 10).astype(np.int16)
    rows = [_wav2vec2().rows(sound, 0, 50) for sound in (quiet, loud)]
    torch.testing.assert_close(*rows, atol=5e-3, rtol=1e-2)
