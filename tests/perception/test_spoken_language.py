"""Whisper's language step against transformers: order of tokens, log-mel, network, errors."""

import re

import numpy as np
import pytest
import torch
from transformers import WhisperConfig, WhisperFeatureExtractor, WhisperForConditionalGeneration
from transformers.models.whisper import configuration_whisper, tokenization_whisper

from talkingface_wild.core import language_names
from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception import spoken_language, whisper
from talkingface_wild.perception.spoken_language import SpokenLanguagePerceiver

RENAMED = (
    (r"^model\.", ""),
    (r"\.layers\.", ".blocks."),
    (r"\.encoder_attn_layer_norm\.", ".cross_attn_ln."),
    (r"\.self_attn_layer_norm\.", ".attn_ln."),
    (r"\.final_layer_norm\.", ".mlp_ln."),
    (r"\.encoder_attn\.", ".cross_attn."),
    (r"\.self_attn\.", ".attn."),
    (r"\.q_proj\.", ".query."),
    (r"\.k_proj\.", ".key."),
    (r"\.v_proj\.", ".value."),
    (r"\.out_proj\.", ".out."),
    (r"\.fc1\.", ".mlp.0."),
    (r"\.fc2\.", ".mlp.2."),
    (r"embed_positions\.weight$", "positional_embedding"),
    (r"embed_tokens\.", "token_embedding."),
    (r"^encoder\.layer_norm\.", "encoder.ln_post."),
    (r"^decoder\.layer_norm\.", "decoder.ln."),
)
"""From transformers' names to those of OpenAI's checkpoints."""


def _transformers(mels, vocabulary):
    torch.manual_seed(1)
    config = WhisperConfig(
        vocab_size=vocabulary,
        num_mel_bins=mels,
        d_model=128,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=512,
        decoder_ffn_dim=512,
        init_std=0.3,
    )
    network = WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        for name, tensor in network.named_parameters():
            if name.endswith("bias") or "layer_norm" in name:
                tensor.add_(0.1 * torch.randn_like(tensor))
    return network


def _state(network):
    state = {}
    for name, tensor in network.model.state_dict().items():
        for pattern, replacement in RENAMED:
            name = re.sub(pattern, replacement, name)
        state[name] = tensor.clone()
    return state


def _save(path, state, dims=None):
    torch.save({"dims": dims or {"n_mels": 80}, "model_state_dict": state}, path)
    return path


def _speech(seconds, seed=0):
    random = np.random.default_rng(seed)
    time = np.arange(int(seconds * 16_000)) / 16_000
    voice = sum(np.sin(2 * np.pi * f * time) / k for k, f in enumerate((130, 410, 950, 2600), 1))
    sound = 5000 * voice * (1 + np.sin(2 * np.pi * 4 * time)) / 2
    return np.clip(sound + random.normal(0, 200, len(time)), -32768, 32767).astype(np.int16)


@pytest.fixture(scope="module")
def network():
    return _transformers(80, 51_865)


@pytest.fixture(scope="module")
def perceiver(network, tmp_path_factory):
    path = _save(tmp_path_factory.mktemp("whisper") / "tiny.pt", _state(network))
    return SpokenLanguagePerceiver(path).open()


def _oracle(network, samples, languages_count, mels=80):
    extractor = WhisperFeatureExtractor(feature_size=mels)
    sound = samples.astype(np.float32) / 32768
    inputs = extractor(sound, sampling_rate=16_000, return_tensors="pt").input_features
    with torch.inference_mode():
        scores = network(inputs, decoder_input_ids=torch.tensor([[50_258]])).logits[0, 0]
    return scores[50_259 : 50_259 + languages_count].double().softmax(0).numpy()


def test_the_tokens_are_in_the_published_order():
    assert tuple(tokenization_whisper.LANGUAGES) == spoken_language.TOKENS


def test_the_languages_lie_between_the_start_and_the_two_tasks():
    """Transformers lists the start and the three special tokens after the tasks as no speech."""
    start, languages_count, tasks = spoken_language.START_TOKEN, 99, 2
    after = start + languages_count + tasks + 1
    assert {start, after, after + 1, after + 2} <= set(
        configuration_whisper.NON_SPEECH_TOKENS_MULTI
    )
    assert not set(range(start + 1, after)) & set(configuration_whisper.NON_SPEECH_TOKENS_MULTI)


def test_every_tag_is_bcp47_and_the_default_languages_are_among_them():
    tags = spoken_language.LANGUAGES
    assert len(set(tags)) == 100
    assert [language_names.check_tag(tag) for tag in tags] == list(tags)
    assert set(language_names.DEFAULT) <= set(tags)
    assert "jv" in tags and "jw" not in tags


@pytest.mark.parametrize("mels", [80, 128])
def test_mel_filters_are_slaneys(mels):
    expected = WhisperFeatureExtractor(feature_size=mels).mel_filters.T
    np.testing.assert_allclose(whisper.mel_filters(mels), expected, atol=1e-7)


@pytest.mark.parametrize("seconds", [0.5, 7.3, 30.0])
def test_log_mel_is_the_published_front_end(seconds):
    samples = _speech(seconds)
    extractor = WhisperFeatureExtractor(feature_size=80)
    expected = extractor(samples.astype(np.float32) / 32768, sampling_rate=16_000).input_features[0]
    np.testing.assert_allclose(whisper.log_mel(samples, 80, 3000).numpy(), expected, atol=2e-4)


def test_probabilities_are_the_reference_networks(network, perceiver):
    samples = _speech(9.0)
    found = perceiver.probabilities(samples)
    assert list(found) == list(spoken_language.LANGUAGES[:99])
    assert sum(found.values()) == pytest.approx(1)
    expected = _oracle(network, samples, 99)
    assert expected.max() > 2 / 99
    np.testing.assert_allclose(list(found.values()), expected, rtol=2e-3, atol=1e-7)


def test_the_network_agrees_with_the_reference_on_the_same_input(network, perceiver):
    mels = torch.from_numpy(np.random.default_rng(3).standard_normal((2, 80, 3000))).float()
    with torch.inference_mode():
        expected = network(mels, decoder_input_ids=torch.tensor([[50_258]] * 2)).logits[:, 0]
        found = perceiver._network(mels, 50_258)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_large_v3s_layout_loads_too(tmp_path):
    network = _transformers(128, 51_866)
    half = {name: tensor.half() for name, tensor in _state(network).items()}
    network.load_state_dict(
        {name: tensor.half().float() for name, tensor in network.state_dict().items()}
    )
    perceiver = SpokenLanguagePerceiver(_save(tmp_path / "large.pt", half)).open()
    samples = _speech(3.0)
    found = perceiver.probabilities(samples)
    assert len(found) == 100 and list(found)[-1] == "yue"
    expected = _oracle(network, samples, 100, 128)
    np.testing.assert_allclose(list(found.values()), expected, rtol=5e-3, atol=1e-7)


def test_a_long_recording_is_the_mean_of_its_windows_by_length(perceiver):
    samples = _speech(40.0)
    first, second = samples[: 30 * 16_000], samples[30 * 16_000 :]
    apart = [list(perceiver.probabilities(part).values()) for part in (first, second)]
    found = list(perceiver.probabilities(samples).values())
    np.testing.assert_allclose(found, np.average(apart, axis=0, weights=[30, 10]), atol=1e-9)


def test_silence_has_an_answer_and_nothing_at_all_has_none(perceiver):
    found = perceiver.probabilities(np.zeros(16_000, dtype=np.int16))
    assert sum(found.values()) == pytest.approx(1)
    with pytest.raises(ValueError, match="found none"):
        perceiver.probabilities(np.zeros(0, dtype=np.int16))


def test_other_checkpoints_are_refused_by_name(network, tmp_path):
    state = _state(network)
    english = {**state, "decoder.token_embedding.weight": torch.zeros(51_864, 128)}
    foreign = {"conv1.weight": torch.zeros(3, 3)}
    lacking = {name: value for name, value in state.items() if name != "decoder.ln.bias"}
    cases = {"english": "English-only", "foreign": "OpenAI's layout", "lacking": "decoder.ln.bias"}
    for (name, message), broken in zip(cases.items(), (english, foreign, lacking), strict=True):
        path = _save(tmp_path / f"{name}.pt", broken)
        with pytest.raises(WeightMissing, match=message) as caught:
            SpokenLanguagePerceiver(path).open()
        assert str(path) in str(caught.value) and "tfw weights" in str(caught.value)
    with pytest.raises(WeightMissing, match="found no file"):
        SpokenLanguagePerceiver(tmp_path / "absent.pt").open()
