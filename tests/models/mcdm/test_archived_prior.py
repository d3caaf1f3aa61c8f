"""The archived-clip prior against loops written from equations 1 and 2."""

import numpy as np
import pytest
import torch

from talkingface_wild.models.mcdm.archived_prior import ArchivedClipPrior, FrameAlignedAttention
from tests.reference.mcdm_archived import frame_aligned_attention
from tests.reference.mcdm_temporal import layer_norm, sinusoidal


def _plain(tensor):
    return tensor.detach().double().numpy()


def _drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _patchified(convolution, latent_CHW):
    """Tokens (M, D) row by row, one patch after the other, each told its row and column."""
    weight = _plain(convolution.weight)
    width, _, patch, _ = weight.shape
    bias = np.zeros(width) if convolution.bias is None else _plain(convolution.bias)
    latent = _plain(latent_CHW)
    tokens = []
    for row in range(latent.shape[1] // patch):
        for column in range(latent.shape[2] // patch):
            rows = slice(row * patch, (row + 1) * patch)
            columns = slice(column * patch, (column + 1) * patch)
            token = (weight * latent[:, rows, columns]).sum(axis=(1, 2, 3)) + bias
            half = width // 2
            tokens.append(token + np.r_[sinusoidal(row, half), sinusoidal(column, half)])
    return np.stack(tokens)


def test_equations_1_and_2_equal_a_loop():
    torch.manual_seed(0)
    attention = FrameAlignedAttention(width=12, queries=3).double()
    reference, archive = _drawn(2, 5, 12).double(), _drawn(2, 4, 5, 12, seed=1).double()
    found = attention(reference, archive)
    for clip in range(2):
        expected = frame_aligned_attention(
            reference[clip].numpy(),
            archive[clip].numpy(),
            _plain(attention.query_ND),
            _plain(attention.to_key.weight).T,
            _plain(attention.to_value.weight).T,
        )
        np.testing.assert_allclose(_plain(found[clip]), expected, rtol=1e-6, atol=1e-7)


def test_the_whole_prior_equals_patches_equations_and_norm():
    torch.manual_seed(1)
    prior = ArchivedClipPrior(
        latent_channels=3, width=8, archive_frames=3, queries=2, patch=2
    ).double()
    reference, archive = _drawn(1, 3, 4, 6).double(), _drawn(1, 3, 3, 4, 6, seed=1).double()
    inside = frame_aligned_attention(
        _patchified(prior.patch_reference, reference[0]),
        np.stack([_patchified(prior.patch_archive, frame) for frame in archive[0]]),
        _plain(prior.attention.query_ND),
        _plain(prior.attention.to_key.weight).T,
        _plain(prior.attention.to_value.weight).T,
    )
    inside += _plain(prior.frame_AD)[:, None]
    expected = np.apply_along_axis(layer_norm, -1, inside, np.ones(8), np.zeros(8))
    found = _plain(prior(reference, archive)[0])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_map_is_made_once_whatever_the_archive_holds():
    torch.manual_seed(2)
    attention = FrameAlignedAttention(width=8, queries=3)
    read = []
    attention.to_key.register_forward_hook(lambda _m, given, _out: read.append(given[0].shape))
    made = []
    whole = attention.attention_map
    attention.attention_map = lambda rows: made.append(whole(rows)) or made[-1]
    reference = _drawn(2, 5, 8)
    for frames in (1, 7):
        attention(reference, _drawn(2, frames, 5, 8, seed=frames))
    assert read == [(2, 5, 8)] * 2  # keys are of the reference alone, once a call
    assert len(made) == 2 and made[0].shape == (2, 1, 3, 5)
    assert torch.equal(made[0], made[1])
    torch.testing.assert_close(made[0].sum(-1), torch.ones(2, 1, 3))


def test_a_frame_of_the_archive_gives_its_own_tokens_alone():
    torch.manual_seed(3)
    prior = ArchivedClipPrior(latent_channels=4, width=16, archive_frames=4, queries=2, patch=2)
    reference, archive = _drawn(1, 4, 8, 8), _drawn(1, 4, 4, 8, 8, seed=1)
    before = prior(reference, archive)
    changed = archive.clone()
    changed[0, 2] += 1
    differs = (prior(reference, changed) != before).any(-1).any(-1)[0]
    assert differs.tolist() == [False, False, True, False]


def test_queries_choose_places_even_in_a_blank_reference():
    torch.manual_seed(4)
    prior = ArchivedClipPrior(latent_channels=4, width=16, archive_frames=2, queries=4, patch=2)
    tokens = prior._tokens(prior.patch_reference, torch.zeros(1, 4, 8, 8))
    weights = prior.attention.attention_map(tokens)
    assert (weights.amax(-1) / weights.amin(-1) > 1.1).all()  # 1 if places were alike


def test_without_the_archive_the_reference_stands_in_for_it():
    prior = ArchivedClipPrior(latent_channels=4, width=16, queries=2, patch=2, kind="none")
    reference = _drawn(2, 4, 8, 8)
    found = [prior(reference, _drawn(2, 16, 4, 8, 8, seed=seed)) for seed in (1, 2)]
    assert found[0].shape == (2, 1, 2, 16) and torch.equal(*found)
    assert not torch.equal(found[0], prior(reference + 1, reference[:, None]))


def test_the_q_former_reads_keys_and_values_of_the_archive():
    torch.manual_seed(5)
    prior = ArchivedClipPrior(
        latent_channels=4, width=64, archive_frames=3, queries=2, patch=4, kind="qformer"
    )
    reference, archive = _drawn(1, 4, 8, 8), _drawn(1, 3, 4, 8, 8, seed=1)
    found = prior(reference, archive)
    assert found.shape == (1, 3, 2, 64)
    assert not torch.allclose(found, prior(reference + 1, archive))
    assert not torch.allclose(found, prior(reference, archive + 1))


def test_the_reference_unet_is_told_the_picture_alone():
    prior = ArchivedClipPrior(width=16, image_width=6, kind="reference_unet")
    found = prior(torch.zeros(2, 4, 8, 8), torch.zeros(2, 1, 4, 8, 8), _drawn(2, 5, 6))
    assert found.shape == (2, 1, 5, 16)
    with pytest.raises(ValueError, match="needs image features"):
        prior(torch.zeros(2, 4, 8, 8), torch.zeros(2, 1, 4, 8, 8))


def test_no_parameter_is_one_that_the_softmax_cannot_see():
    """A bias of the reference's patches adds the same to all keys, which a softmax does not see.

    With it, stage 1 had a tensor that never learned anything but rounding errors.
    """
    torch.manual_seed(6)
    prior = ArchivedClipPrior(latent_channels=4, width=8, archive_frames=2, queries=2, patch=2)
    prior.double()
    out = prior(_drawn(1, 4, 4, 4).double(), _drawn(1, 2, 4, 4, 4, seed=1).double())
    (out * _drawn(*out.shape, seed=2)).sum().backward()
    for name, parameter in prior.named_parameters():
        assert parameter.grad.abs().max() > 1e-6, name
