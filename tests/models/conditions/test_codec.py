"""Frames to latents and back: patches against numpy's SVD, the VAE against diffusers itself."""

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from talkingface_wild.models.conditions.codec import PatchCodec, VaeCodec, to_bytes, to_unit


def _frames(count=4, rows=16, columns=24, seed=0):
    """Smooth pictures, as faces are, with some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:rows, 0:columns] / rows
    waves = [
        [np.sin(rng.uniform(1, 6) * x + rng.uniform(1, 6) * y + rng.uniform(0, 6)) for _ in "rgb"]
        for _ in range(count)
    ]
    pictures = 127 + 100 * np.moveaxis(np.asarray(waves), 1, -1) + rng.normal(0, 5, (1, 1, 1, 3))
    return torch.from_numpy(np.clip(np.round(pictures), 0, 255).astype(np.uint8))


def _patches(frames, side):
    """(N, 3 side side) numbers in [-1, 1], patch after patch, a colour's plane at a time."""
    unit = frames.numpy().astype(np.float64) / 127.5 - 1
    found = []
    for frame in unit:
        for row in range(0, frame.shape[0], side):
            for column in range(0, frame.shape[1], side):
                patch = frame[row : row + side, column : column + side]
                found.append(np.moveaxis(patch, -1, 0).ravel())
    return np.stack(found)


def test_bytes_survive_the_way_to_numbers_and_back():
    every = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(-1, -1, -1, 3)
    assert torch.equal(to_bytes(to_unit(every)), every)
    assert to_unit(every).shape == (1, 3, 16, 16)
    assert (to_unit(every).min(), to_unit(every).max()) == (-1, 1)
    assert to_bytes(torch.tensor([-9.0, 9.0, 0.0]).reshape(3, 1, 1)).flatten().tolist() == [
        0, 255, 128
    ]  # fmt: skip


def test_components_and_scale_are_numpys():
    frames, codec = _frames(), PatchCodec(patch=4, channels=6)
    codec.fit(frames)
    patches = _patches(frames, 4)
    centred = patches - patches.mean(axis=0)
    _, spread, components = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(codec.mean_P.numpy(), patches.mean(axis=0), atol=1e-6)
    turned = np.abs(codec.basis_CP.double().numpy() @ components[:6].T)
    np.testing.assert_allclose(turned, np.eye(6), atol=1e-3)
    kept = centred @ components[:6].T
    expected_scale = np.sqrt((kept**2).mean())
    assert codec.scale.item() == pytest.approx(expected_scale, rel=1e-5)

    latents = codec.encode(frames)
    assert latents.shape == (4, 6, 4, 6)
    assert latents.square().mean().item() == pytest.approx(1.0, rel=1e-4)
    # Of each component the share that it has, so that the first weighs most.
    own = latents.movedim(1, 0).flatten(1).square().mean(1).numpy()
    np.testing.assert_allclose(own, (spread[:6] ** 2 / len(patches)) / expected_scale**2, rtol=1e-3)


def test_what_comes_back_is_the_best_of_that_rank():
    frames, codec = _frames(), PatchCodec(patch=4, channels=3)
    codec.fit(frames)
    found = codec.decode(codec.encode(frames))
    assert found.dtype == torch.uint8 and found.shape == frames.shape
    patches = _patches(frames, 4)
    centred = patches - patches.mean(axis=0)
    left, spread, right = np.linalg.svd(centred, full_matrices=False)
    best = (left[:, :3] * spread[:3]) @ right[:3] + patches.mean(axis=0)
    bytes_of_best = np.round((np.clip(best, -1, 1) + 1) * 127.5)
    differing = np.abs(_patches(found, 4) * 127.5 + 127.5 - bytes_of_best)
    assert differing.max() <= 1 + 1e-6 and (differing > 0.5).mean() < 0.01


def test_with_all_components_nothing_is_lost():
    frames, codec = _frames(rows=8, columns=8), PatchCodec(patch=2, channels=12)
    codec.fit(frames)
    assert torch.equal(codec.decode(codec.encode(frames)), frames)


def test_the_sign_of_a_component_is_fixed():
    frames = _frames()
    codecs = [PatchCodec(4, 6), PatchCodec(4, 6)]
    codecs[0].fit(frames)
    codecs[1].fit(frames.flip(0))
    torch.testing.assert_close(codecs[0].basis_CP, codecs[1].basis_CP, atol=1e-4, rtol=0)
    for row in codecs[0].basis_CP:
        assert row[row.abs().argmax()] > 0


def test_one_colour_alone_is_no_division_by_zero():
    codec, grey = PatchCodec(4, 6), torch.full((2, 8, 8, 3), 90, dtype=torch.uint8)
    codec.fit(grey)
    assert codec.encode(grey).isfinite().all()
    assert torch.equal(codec.decode(codec.encode(grey)), grey)


def _vae():
    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=4,
        sample_size=16,
        scaling_factor=0.18215,
    ).eval()


def test_the_vae_gives_its_posteriors_mean_scaled_and_takes_it_back():
    vae, frames = _vae(), _frames()
    codec = VaeCodec(vae)
    latents = codec.encode(frames)
    unit = frames.movedim(-1, 1).float() / 127.5 - 1
    with torch.no_grad():
        expected = vae.encode(unit).latent_dist.mean * 0.18215
        torch.testing.assert_close(latents, expected, atol=1e-5, rtol=1e-4)
        pixels = vae.decode(latents / 0.18215).sample
    shown = ((pixels.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).movedim(1, -1)
    found = codec.decode(latents)
    assert (found.int() - shown.int()).abs().max() <= 1
    assert torch.equal(codec.encode(frames), latents)  # nothing is drawn


def test_slices_change_nothing_but_memory():
    vae, frames = _vae(), _frames()
    one, all_at_once = VaeCodec(vae, 1), VaeCodec(vae, 4)
    torch.testing.assert_close(one.encode(frames), all_at_once.encode(frames), atol=1e-5, rtol=1e-4)
    sizes = []
    vae.decoder.register_forward_hook(lambda _m, given, _out: sizes.append(len(given[0])))
    one.decode(one.encode(frames))
    assert sizes == [1] * 4
