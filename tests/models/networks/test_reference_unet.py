"""Variant B2: which of the reference network's parameters the picture's loss can reach."""

import pytest
import torch

from talkingface_wild.models.networks.reference_unet import ReferenceUNet
from talkingface_wild.models.networks.trunk import transformer_blocks
from tests.models.mcdm.made import awaken, tiny


def _network(attention=(True, True)):
    torch.manual_seed(0)
    flags = ",".join(str(has).lower() for has in attention)
    channels = ",".join(["32", "64", "64", "64"][: len(attention)])
    config = tiny(
        f"trunk.attention=[{flags}]",
        f"trunk.channels=[{channels}]",
        "trunk.layers=2",
        "archived.kind=reference_unet",
    )
    network = ReferenceUNet.of(
        config.trunk, config.picture.latent_channels, config.picture.latent_side
    )
    awaken(network)
    return network


def _given(clips=2):
    draws = torch.Generator().manual_seed(1)
    latents = torch.randn(clips, 8, 16, 16, generator=draws)
    return latents, torch.randn(clips, 3, 64, generator=draws)


@pytest.mark.parametrize("attention", [(True, True), (False, True), (True, False), (False, False)])
def test_used_parameters_are_those_that_a_loss_on_the_bank_reaches(attention):
    """All others stay as drawn; trained with them, several processes stop at unused parameters."""
    network = _network(attention)
    rows = network.bank(*_given())
    sum(part.square().sum() for part in rows.values()).backward()
    reached = {
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().max() > 1e-6
    }
    used = network.used_parameters()
    assert set(used) == reached
    assert all(dict(network.named_parameters())[name] is p for name, p in used.items())
    assert "conv_in.weight" in used and "conv_out.weight" not in used


def test_the_bank_is_each_blocks_normed_rows_in_order_of_use():
    network = _network()
    latents, context = _given()
    rows = network.bank(latents, context)
    # Two on the way down on each level, one in the middle, three on the way up.
    sides = [256, 256, 64, 64, 64, 64, 64, 64, 256, 256, 256]
    assert [part.shape[1] for part in rows.values()] == sides
    assert list(rows) == list(range(11))
    seen = []
    for _, block in transformer_blocks(network):
        block.norm1.register_forward_hook(lambda _m, _given, out: seen.append(out))
    network(latents, 0, context)
    assert all(torch.equal(rows[number], part) for number, part in enumerate(seen))
    assert len(seen) == 11


def test_no_hook_stays_behind():
    network = _network()
    network.bank(*_given())
    assert not any(block.norm1._forward_hooks for _, block in transformer_blocks(network))
    with pytest.raises(RuntimeError):
        network.bank(torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 64))
    assert not any(block.norm1._forward_hooks for _, block in transformer_blocks(network))


def test_it_is_numbered_as_the_trunk_beside_it():
    from talkingface_wild.models.mcdm import MCDMUNet

    config = tiny("trunk.layers=2", "archived.kind=reference_unet")
    widths = [block.dim for block in MCDMUNet.of(config).motion_blocks()]
    rows = ReferenceUNet.of(
        config.trunk, config.picture.latent_channels, config.picture.latent_side
    ).bank(*_given())
    assert [part.shape[-1] for part in rows.values()] == widths
