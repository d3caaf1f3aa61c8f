"""Known answers are those of Resemblyzer 0.1.4's own encoder on the shared recordings."""

import itertools

import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.speech_spans import speech_spans
from talkingface_wild.functional.voice_change import voice_change
from talkingface_wild.perception.silero_vad import SpeechDetector
from talkingface_wild.perception.voice_embedding import VoiceEmbedding
from tests.perception import speech_sound

PARTIALS = {
    "de": (11, [149, 193, 180, 146, 121, 155]),
    "ja": (11, [2, 164, 102, 245, 201, 16]),
    "hdtf_hill": (9, [102, 134, 201, 82, 44, 30]),
}
"""How many there are, and the six largest dimensions of the fourth."""
LARGEST = {
    "de": [0.24699, 0.21089, 0.20844, 0.1936, 0.18767, 0.18023],
    "ja": [0.31391, 0.20432, 0.20018, 0.17902, 0.17156, 0.16049],
    "hdtf_hill": [0.29739, 0.26917, 0.24459, 0.22554, 0.19447, 0.18598],
}
SIMILARITIES = {("de", "fr"): 0.75422, ("en", "ja"): 0.74707, ("hdtf_hill", "head_3"): 0.63717}
"""Of whole recordings (the package's ``embed_utterance``)."""


@pytest.fixture(scope="module")
def encoder(open_weight):
    return VoiceEmbedding(open_weight("voice_embedding")).open()


@pytest.fixture(scope="module")
def change(encoder, open_weight):
    detector = SpeechDetector(open_weight("silero_vad")).open()

    def cut(samples):
        partials = encoder.partials(samples)
        spans = speech_spans(detector.probabilities(samples), len(samples) / 16_000)
        return voice_change(partials.embeddings, partials.starts_seconds, spans)

    return cut


def _whole(encoder, samples):
    mean = encoder.partials(samples).embeddings.mean(axis=0)
    return mean / np.linalg.norm(mean)


@pytest.mark.parametrize("name", PARTIALS)
def test_partials_are_the_packages(encoder, shared, name):
    count, largest = PARTIALS[name]
    partials = encoder.partials(speech_sound.clip(shared, name))
    assert partials.embeddings.shape == (count, 256)
    assert partials.embeddings.dtype == np.float32
    assert partials.starts_seconds == pytest.approx(np.arange(count) * 0.77)
    assert np.argsort(-partials.embeddings[3])[:6].tolist() == largest
    assert partials.embeddings[3][largest] == pytest.approx(LARGEST[name], abs=1e-4)
    assert np.linalg.norm(partials.embeddings, axis=1) == pytest.approx(1)


@pytest.mark.parametrize("pair", SIMILARITIES)
def test_similarities_are_the_packages(encoder, shared, pair):
    one, other = (_whole(encoder, speech_sound.clip(shared, name)) for name in pair)
    assert float(one @ other) == pytest.approx(SIMILARITIES[pair], abs=1e-4)


def test_halves_are_of_one_voice_and_recordings_of_others(encoder, shared):
    recordings = {name: speech_sound.clip(shared, name) for name in speech_sound.RECORDINGS}
    for samples in recordings.values():
        middle = len(samples) // 2
        assert _whole(encoder, samples[:middle]) @ _whole(encoder, samples[middle:]) >= 0.84
    voices = [_whole(encoder, samples) for samples in recordings.values()]
    assert max(one @ other for one, other in itertools.combinations(voices, 2)) <= 0.78


@pytest.mark.parametrize(
    "pair", [("en", "zh"), ("ja", "fr"), ("hdtf_hill", "head_3"), ("ru", "de")]
)
def test_two_recordings_are_told_apart_at_their_joint(change, shared, pair):
    one, other = (speech_sound.clip(shared, name)[: 6 * 16_000] for name in pair)
    cut = change(np.concatenate([one, other]))
    assert cut.seconds == pytest.approx(6.0, abs=1.0)
    assert cut.similarity <= 0.78


@pytest.mark.parametrize("name", speech_sound.RECORDINGS)
def test_one_speaker_has_no_change(change, shared, name):
    assert change(speech_sound.clip(shared, name)).similarity > 0.78


@pytest.mark.parametrize("name", ["selfie_12", "three_faces", "radio_2s"])
def test_music_and_little_speech_have_no_answer(change, shared, name):
    assert change(speech_sound.clip(shared, name)) is None


def test_faint_sound_is_raised_to_the_published_level(encoder, shared):
    samples = speech_sound.clip(shared, "en")
    faint = encoder.partials(samples * np.float32(0.1)).embeddings
    fainter = encoder.partials(samples * np.float32(0.02)).embeddings
    np.testing.assert_allclose(fainter, faint, atol=1e-4)


@pytest.mark.parametrize(
    ("seconds", "count"), [(0, 0), (1.19, 0), (1.2, 1), (1.6, 1), (1.96, 1), (1.98, 2)]
)
def test_the_last_partial_has_three_quarters_of_sound(encoder, shared, seconds, count):
    samples = speech_sound.clip(shared, "en")[: round(seconds * 16_000)]
    partials = encoder.partials(samples)
    assert partials.embeddings.shape == (count, 256)
    assert partials.starts_seconds.shape == (count,)


def test_silence_has_no_voice(encoder):
    assert encoder.partials(speech_sound.silence(5)).embeddings.shape == (0, 256)


def test_broken_sound_is_refused(encoder):
    with pytest.raises(ValueError, match="1 of 32000 NaN"):
        encoder.partials(np.array([np.nan] + [0] * 31_999, dtype=np.float32))


def test_other_checkpoints_are_refused(tmp_path, open_weight):
    path = tmp_path / "voice.pt"
    with pytest.raises(WeightMissing, match="found no file"):
        VoiceEmbedding(path).open()
    torch.save({"model_state": {"lstm.weight_ih_l0": torch.zeros(1024, 80)}}, path)
    with pytest.raises(WeightMissing, match=r"missing .* is \(1024, 80\) instead of \(1024, 40\)"):
        VoiceEmbedding(path).open()
    path.write_bytes(open_weight("voice_embedding").read_bytes()[:1_000_000])
    with pytest.raises(WeightMissing, match="damaged"):
        VoiceEmbedding(path).open()
