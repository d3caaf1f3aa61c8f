"""Encoders of lips, expression and head: tokens of unit scale from crops of the right size."""

import pytest
import torch

from talkingface_wild.models.mcdm import HeadEncoder, LipEncoder, preset
from talkingface_wild.models.mcdm.encoders import CropDecoder
from talkingface_wild.models.mcdm.networks import MCDMParts, crop_sides


def _crops(count, window, side, seed=0):
    draws = torch.Generator().manual_seed(seed)
    return torch.rand(count, window, 3, side, side, generator=draws) * 2 - 1


@pytest.mark.parametrize("name", ["tiny", "paper"])
def test_each_presets_encoders_take_its_crops(name):
    config = preset(name).changed(["present.head=face_crop"])
    with torch.device("meta"):
        parts = MCDMParts.build(config)
    present, sides = config.present, crop_sides(config)
    for encoder, part, window, tokens in (
        (parts.lip_encoder, "lip", 5, present.lip_tokens),
        (parts.expression_encoder, "expression", 1, present.expression_tokens),
        (parts.head_encoder, "head", 1, present.head_tokens),
    ):
        crops = torch.empty(2, window, 3, sides[part], sides[part], device="meta")
        assert encoder(crops).shape == (2, tokens, present.token_width)
    assert (sides["lip"], sides["expression"]) == {"paper": (96, 112), "tiny": (24, 32)}[name]


def test_tokens_of_the_training_set_have_unit_scale():
    torch.manual_seed(0)
    encoder = LipEncoder(24, 5, (16, 32), 2, 8).eval()
    crops = _crops(64, 5, 24)
    with torch.no_grad():
        encoder.set_scale(encoder.raw(crops))
        tokens = encoder(crops)
    torch.testing.assert_close(tokens.mean(0), torch.zeros(2, 8), atol=1e-4, rtol=0)
    torch.testing.assert_close(tokens.std(0, correction=0), torch.ones(2, 8), atol=1e-3, rtol=0)


def test_one_item_or_a_dead_number_gives_no_nan():
    """Of one item the unbiased spread is 0 / 0, and it went into every token after it."""
    encoder = HeadEncoder(16, 1, (16, 32), 1, 4)
    with torch.no_grad():
        encoder.set_scale(encoder.raw(_crops(1, 1, 16)))
        assert encoder(_crops(3, 1, 16, seed=1)).isfinite().all()
        encoder.set_scale(torch.zeros(5, 1, 4))
        assert encoder(_crops(3, 1, 16, seed=1)).isfinite().all()


def test_every_frame_of_the_window_counts_and_items_do_not_mix():
    torch.manual_seed(0)
    encoder = LipEncoder(24, 5, (16, 32), 2, 8).eval()
    crops = _crops(3, 5, 24)
    with torch.no_grad():
        before = encoder(crops)
        for frame in range(5):
            changed = crops.clone()
            changed[1, frame] *= -1
            differs = (encoder(changed) - before).abs().flatten(1).amax(1) > 1e-4
            assert differs.tolist() == [False, True, False], frame
        alone = torch.cat([encoder(crops[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(alone, before, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("side", [24, 32, 96, 112])
def test_gradients_reach_encoder_and_decoder(side):
    torch.manual_seed(0)
    window = 5 if side in (24, 96) else 1
    encoder, decoder = LipEncoder(side, window, (16, 32), 2, 8), CropDecoder(2, 8, side)
    out = decoder(encoder(_crops(2, window, side)))
    assert out.shape == (2, 3, side, side)
    out.square().mean().backward()
    for network in (encoder, decoder):
        for name, parameter in network.named_parameters():
            assert parameter.grad.abs().max() > 1e-8, name
