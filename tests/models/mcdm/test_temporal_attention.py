"""Memory-efficient temporal attention against loops: memory, both rows, which half, FAVOR+."""

import numpy as np
import pytest
import torch
from torch import nn

from talkingface_wild.models.mcdm.temporal_attention import (
    EPSILON,
    LARGEST_NORM,
    MemoryTemporalAttention,
    sinusoidal_positions,
)
from tests.reference.mcdm_memory import motion_memory, motion_memory_beside
from tests.reference.mcdm_temporal import (
    attend,
    exact_weights,
    favor_weights,
    layer_norm,
    sinusoidal,
    temporal_rows,
)

FRAMES, PLACES, CHANNELS, HEADS = 4, 2, 12, 2


def _drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _made(seed=0, **settings):
    """An attention whose way out is the identity, and its norm."""
    torch.manual_seed(seed)
    attention = MemoryTemporalAttention(CHANNELS, HEADS, FRAMES, **settings)
    nn.init.eye_(attention.to_out[0].weight)
    norm = nn.LayerNorm(CHANNELS)
    norm.weight.data = 1 + 0.1 * _drawn(CHANNELS, seed=8)
    norm.bias.data = 0.1 * _drawn(CHANNELS, seed=9)
    return attention, norm


def _features(seed=0, frames=FRAMES):
    return _drawn(1, frames, PLACES, CHANNELS, seed=seed)


def _plain(tensor):
    return tensor.detach().double().numpy()


def _naive(attention, norm, memory, present, read, weights):
    """(len(read), PLACES, CHANNELS) at every place on its own."""
    out = np.zeros((len(read), PLACES, CHANNELS))
    for place in range(PLACES):
        rows = temporal_rows(
            memory[:, place], present[:, place], _plain(norm.weight), _plain(norm.bias)
        )
        maps = [_plain(m.weight) for m in (attention.to_q, attention.to_k, attention.to_v)]
        out[:, place] = attend(read, rows, weights, HEADS, *maps)
    return out


PRESENT, MEMORY = range(FRAMES, 2 * FRAMES), range(FRAMES)


@pytest.mark.parametrize("output", ["present", "memory"])
@pytest.mark.parametrize("alpha", [0.0, 0.1, 0.9])
def test_softmax_over_both_rows_equals_a_loop(output, alpha):
    attention, norm = _made(attention="softmax", qk_norm=False, alpha=alpha, output=output)
    archived, present = _features(1), _features(2)
    found, memory = attention(archived, present, norm)
    expected = motion_memory(_plain(archived[0]), alpha)
    np.testing.assert_allclose(_plain(memory[0]), expected, atol=1e-6)

    def weights(query, keys):
        return exact_weights(query, keys, (CHANNELS // HEADS) ** -0.5)

    read = PRESENT if output == "present" else MEMORY
    expected = _naive(attention, norm, expected, _plain(present[0]), read, weights)
    np.testing.assert_allclose(_plain(found[0]), expected, atol=1e-5)


@pytest.mark.parametrize("carry", ["last", "full"])
def test_what_the_clip_before_left_is_in_the_memory(carry):
    attention, norm = _made(attention="softmax", qk_norm=False, alpha=0.3)
    archived, present, before = _features(1), _features(2), _features(3)
    carried = before if carry == "full" else before[:, -1]
    found, memory = attention(archived, present, norm, carried)
    if carry == "full":
        expected = motion_memory_beside(_plain(archived[0]), 0.3, _plain(before[0]))
    else:
        expected = motion_memory(_plain(archived[0]), 0.3, _plain(before[0, -1]))
    np.testing.assert_allclose(_plain(memory[0]), expected, atol=1e-6)
    assert not torch.allclose(found, attention(archived, present, norm)[0])


@pytest.mark.parametrize("output", ["present", "memory"])
def test_favor_over_both_rows_equals_a_loop(output):
    attention, norm = _made(attention="favor", qk_norm=False, output=output, features=10)
    archived, present = _features(1), _features(2)
    found, _ = attention(archived, present, norm)
    scale = (CHANNELS // HEADS) ** -0.25
    features = _plain(attention.features_RD)
    memory = motion_memory(_plain(archived[0]), 0.1)
    # The stabilising constant of the keys is one for a head, over all rows of a place.
    expected = _naive(
        attention,
        norm,
        memory,
        _plain(present[0]),
        PRESENT if output == "present" else MEMORY,
        lambda q, keys: favor_weights(scale * q, [scale * k for k in keys], features, EPSILON),
    )
    np.testing.assert_allclose(_plain(found[0]), expected, atol=2e-5)


def test_unit_norm_queries_and_keys_have_a_learned_length():
    attention, norm = _made(attention="softmax", qk_norm=True)
    attention.norm_logit_2H.data = torch.tensor([[-1.0, 0.5], [2.0, 9.0]])
    archived, present = _features(1), _features(2)
    lengths = LARGEST_NORM / (1 + np.exp(-_plain(attention.norm_logit_2H)))
    assert (lengths < 1.2).all()
    heads = iter(np.repeat(np.tile(np.arange(HEADS), PLACES), FRAMES))

    def weights(query, keys):
        head = next(heads)
        query = query / np.linalg.norm(query) * lengths[0, head]
        return exact_weights(
            query, [key / np.linalg.norm(key) * lengths[1, head] for key in keys], 1.0
        )

    memory = motion_memory(_plain(archived[0]), 0.1)
    expected = _naive(attention, norm, memory, _plain(present[0]), PRESENT, weights)
    np.testing.assert_allclose(
        _plain(attention(archived, present, norm)[0][0]), expected, atol=1e-5
    )


def test_fresh_lengths_are_one():
    attention, _ = _made()
    query = attention._heads(10 * _drawn(3, FRAMES, CHANNELS), 0)
    torch.testing.assert_close(query.norm(dim=-1), torch.ones(3, HEADS, FRAMES))


def test_favor_and_softmax_with_normed_rows_agree_with_many_features():
    favor, norm = _made(attention="favor", features=20_000)
    exact, _ = _made(attention="softmax")
    archived, present = _features(1), _features(2)
    difference = (favor(archived, present, norm)[0] - exact(archived, present, norm)[0]).abs()
    assert difference.max() < 0.02


def test_without_memory_it_is_attention_over_the_present_rows():
    attention, norm = _made(memory=False)
    present = _features(2)
    found, memory = attention(_features(1), present, norm)
    assert memory is None and torch.equal(found, attention(_features(7), present, norm)[0])
    for place in range(PLACES):
        rows = np.stack(
            [
                layer_norm(row, _plain(norm.weight), _plain(norm.bias)) + sinusoidal(i, CHANNELS)
                for i, row in enumerate(_plain(present[0, :, place]))
            ]
        )
        maps = [_plain(m.weight) for m in (attention.to_q, attention.to_k, attention.to_v)]
        expected = attend(
            range(FRAMES),
            rows,
            lambda q, keys: exact_weights(q, keys, (CHANNELS // HEADS) ** -0.5),
            HEADS,
            *maps,
        )
        np.testing.assert_allclose(_plain(found[0, :, place]), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ["favor", "softmax"])
@pytest.mark.parametrize("changed", ["archived", "present"])
@pytest.mark.parametrize("qk_norm", [True, False])
def test_causal_frames_know_no_later_frame(kind, changed, qk_norm):
    attention, norm = _made(attention=kind, causal=True, qk_norm=qk_norm)
    archived, present = _features(1), _features(2)
    before = attention(archived, present, norm)[0]
    {"archived": archived, "present": present}[changed][:, 2:, :, :5] *= -2
    after = attention(archived, present, norm)[0]
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 2:], after[:, 2:])
    free, _ = _made(attention=kind, qk_norm=qk_norm)
    assert not torch.allclose(free(archived, present, norm)[0], after)


def test_a_shorter_clip_has_the_same_places():
    """Of the last, shorter clip of a video, present rows count from F on, as in training."""
    attention, norm = _made(attention="softmax", causal=True)
    archived, present = _features(1), _features(2)
    whole = attention(archived, present, norm)[0]
    part = attention(archived[:, :3], present[:, :3], norm)[0]
    torch.testing.assert_close(part, whole[:, :3])


@pytest.mark.parametrize("kind", ["favor", "softmax"])
def test_batched_equals_single(kind):
    attention, norm = _made(attention=kind)
    archived, present = _drawn(3, 4, 2, 12, seed=1), _drawn(3, 4, 2, 12, seed=2)
    carried = _drawn(3, 2, 12, seed=3)
    together, memory = attention(archived, present, norm, carried)
    for clip in range(3):
        one = slice(clip, clip + 1)
        alone, left = attention(archived[one], present[one], norm, carried[one])
        torch.testing.assert_close(alone, together[one], atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(left, memory[one])


def test_its_way_out_starts_at_zero():
    attention = MemoryTemporalAttention(CHANNELS, HEADS, FRAMES)
    out, memory = attention(_features(1), _features(2), nn.LayerNorm(CHANNELS))
    assert not out.any() and memory.any()


def test_features_are_a_buffer_that_is_drawn_again_only_on_demand():
    attention, norm = _made(features=10, seed=3)
    again, _ = _made(features=10, seed=4)
    assert "features_RD" in attention.state_dict()
    assert torch.equal(attention.features_RD, again.features_RD)  # its own seed, not torch's
    before = attention(_features(1), _features(2), norm)[0]
    assert torch.equal(before, attention(_features(1), _features(2), norm)[0])
    attention.redraw(torch.Generator().manual_seed(5))
    assert not torch.equal(before, attention(_features(1), _features(2), norm)[0])


@pytest.mark.parametrize("width", [8, 7])
def test_positions_are_sines_and_cosines(width):
    found = sinusoidal_positions(5, width).double().numpy()
    for place in range(5):
        expected = sinusoidal(place, width + width % 2)
        if width % 2 == 0:
            np.testing.assert_allclose(found[place], expected, atol=1e-6)
        assert found.shape == (5, width) and np.isfinite(found).all()
