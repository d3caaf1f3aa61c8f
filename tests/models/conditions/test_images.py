"""Features of the reference: what CLIP sees, and pooled latents."""

import numpy as np
import torch
from PIL import Image
from transformers import CLIPVisionConfig, CLIPVisionModel

from talkingface_wild.models.conditions.images import ClipImageFeatures, LatentFeatures

MEAN = np.array([0.48145466, 0.4578275, 0.40821073])
STD = np.array([0.26862954, 0.26130258, 0.27577711])


def _frames(count=3, side=64, seed=0):
    y, x = np.mgrid[0:side, 0:side] / side
    rng = np.random.default_rng(seed)
    waves = np.sin(
        rng.uniform(2, 9, (count, 3, 1, 1)) * x + rng.uniform(2, 9, (count, 3, 1, 1)) * y
    )
    return torch.from_numpy(np.moveaxis(127 + 90 * waves, 1, -1).round().astype(np.uint8))


def _clip():
    torch.manual_seed(0)
    config = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=32,
        patch_size=8,
    )
    return CLIPVisionModel(config).eval()


def test_clip_sees_pictures_as_it_was_trained_to():
    """Bicubic with antialiasing, as PIL has it, then CLIP's own mean and spread."""
    model, frames = _clip(), _frames()
    found = ClipImageFeatures(model).rows(frames, torch.empty(0))
    assert found.shape == (3, 16) and found.dtype == torch.float32
    for frame, row in zip(frames, found, strict=True):
        small = Image.fromarray(frame.numpy()).resize((32, 32), Image.Resampling.BICUBIC)
        pixels = (np.asarray(small) / 255 - MEAN) / STD
        with torch.no_grad():
            values = torch.from_numpy(np.moveaxis(pixels, -1, 0)[None]).float()
            expected = model(values).pooler_output[0]
        torch.testing.assert_close(row, expected, atol=0.03, rtol=0)
        assert torch.nn.functional.cosine_similarity(row, expected, dim=0) > 0.9999


def test_many_frames_go_in_parts():
    model, frames = _clip(), _frames(20)
    features = ClipImageFeatures(model)
    sizes = []
    vision = getattr(model, "vision_model", model)
    vision.register_forward_hook(lambda _m, _given, out: sizes.append(len(out.pooler_output)))
    whole = features.rows(frames, torch.empty(0))
    assert sizes == [16, 4]
    alone = torch.cat([features.rows(frame[None], torch.empty(0)) for frame in frames])
    torch.testing.assert_close(whole, alone, atol=1e-5, rtol=1e-4)


def test_a_latent_is_pooled_to_four_by_four():
    latents = torch.arange(2 * 3 * 8 * 8, dtype=torch.float32).reshape(2, 3, 8, 8)
    features = LatentFeatures(3)
    found = features.rows(torch.empty(0), latents)
    assert features.width == 48 and found.shape == (2, 48)
    assert found[0, 0] == latents[0, 0, :2, :2].mean()
    assert found[1, 16 * 2 + 5] == latents[1, 2, 2:4, 2:4].mean()
