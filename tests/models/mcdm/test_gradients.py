"""Every variant builds and learns: gradients reach what a stage trains, and nothing else."""

import pytest
import torch

from talkingface_wild.models.mcdm.training.stages import motion_loss, picture_loss, trained
from tests.models.mcdm.made import awakened, made_parts, motion_batch, picture_batch

NOISE = 1e-8
"""Below this a gradient in float32 is what rounding leaves of zero."""

VARIANTS = [
    [],
    ["archived.kind=none"],
    ["archived.kind=qformer"],
    ["archived.kind=reference_unet"],
    ["archived.context=aligned"],
    ["archived.heads=4"],
    ["present.kind=audio_attention"],
    ["present.audio_to_unet=true"],
    ["present.readout=query", "present.image_in_sequence=true"],
    ["present.film=audio_modulates_image", "present.causal_axis=time"],
    ["temporal.kind=standard"],
    ["temporal.attention=softmax"],
    ["temporal.qk_norm=false"],
    ["temporal.causal=true", "temporal.attention=softmax"],
    ["temporal.causal=true"],
    ["temporal.output=memory"],
    ["temporal.carry=reset"],
    ["temporal.carry=full", "temporal.carry_from_level=1"],
    ["temporal.alpha=0"],
    ["temporal.alpha=0.9"],
    ["temporal.streams=residual"],
    ["temporal.streams=attn_only"],
    ["training.stage1_scope=archived_only"],
]


def _loss(parts, stage):
    draws = torch.Generator().manual_seed(7)
    if stage == "2":
        return motion_loss(parts, motion_batch(parts.config), draws)
    # The reference UNet's cross-attention tells nothing apart in a single token.
    batch = picture_batch(parts.config, clips=1, image_tokens=3)
    return picture_loss(parts, batch, draws, motion=stage == "3", validating=True)


def _trained_alone(parts, stage):
    chosen = trained(parts, stage)
    for module in parts.modules().values():
        module.requires_grad_(False)
    for parameter in chosen.values():
        parameter.requires_grad_(True)
    return chosen


@pytest.mark.parametrize("stage", ["1", "2", "3"])
@pytest.mark.parametrize("settings", VARIANTS, ids=" ".join)
def test_gradients_reach_every_trained_tensor_and_no_frozen_one(settings, stage):
    """What was mended here, and would have stayed as it was drawn for all of the training:

    ``motion_prior.image_in`` where no image stands in the sequence (the preset ``paper``; with
    several processes the training stopped at it), and ``archived_prior.patch_reference.bias``.
    """
    parts = awakened(made_parts(*settings))
    chosen = _trained_alone(parts, stage)
    if not chosen:
        assert stage == "2" and parts.motion_prior is None
        return
    _loss(parts, stage).backward()
    still = {name for name, p in chosen.items() if p.grad is None or p.grad.abs().max() < NOISE}
    assert not still
    learned = {id(parameter) for parameter in chosen.values()}
    for module in parts.modules().values():
        for name, parameter in module.named_parameters():
            assert id(parameter) in learned or parameter.grad is None, name


def test_what_each_stage_trains():
    parts = made_parts()
    first, second, third = (set(trained(parts, stage)) for stage in "123")
    everything = {f"unet.{name}" for name, _ in parts.unet.named_parameters()}
    everything |= {f"archived_prior.{name}" for name, _ in parts.archived_prior.named_parameters()}
    assert first | third == everything and not first & third
    assert {name.split(".")[0] for name in second} == {"motion_prior"}
    layers = {part for name in third for part in name.split(".")}
    assert {"attn_pres", "mta", "norm_mta", "motion_in"} <= layers
    assert not {"attn1", "attn2", "resnets"} & layers


def test_stage_1_may_train_what_reads_the_archive_alone():
    """``norm2`` is a name in residual blocks too, whose norms this scope trained by mistake."""
    parts = made_parts("training.stage1_scope=archived_only")
    names = [name for name in trained(parts, "1") if name.startswith("unet.")]
    assert names and all(".transformer_blocks." in name for name in names)
    assert {name.split(".")[-2] for name in names if ".attn2." not in name} == {"norm2"}


@pytest.mark.parametrize("stage", ["1", "3"])
def test_a_fresh_network_starts_to_learn(stage):
    """Where ways out are zero, they are what moves first, and then all that lies before them."""
    parts = made_parts()
    chosen = _trained_alone(parts, stage)
    optimizer = torch.optim.SGD(chosen.values(), 0.1)
    for _ in range(3):
        optimizer.zero_grad()
        _loss(parts, stage).backward()
        optimizer.step()
    assert all(p.grad.abs().max() > 0 for p in chosen.values())


def test_context_dropped_in_training_gives_no_gradient_to_what_made_it():
    parts = awakened(made_parts("diffusion.drop=1.0"))
    chosen = trained(parts, "1") | trained(parts, "3")
    draws = torch.Generator().manual_seed(0)
    picture_loss(parts, picture_batch(parts.config), draws, motion=True).backward()
    for name, parameter in chosen.items():
        if name.startswith(("archived_prior.", "unet.motion_in.")) or ".attn_pres." in name:
            assert parameter.grad is None or not parameter.grad.any(), name
