"""The denoising UNet: Stable Diffusion's trunk inside, whole clips outside."""

import pytest
import torch
from diffusers import UNet2DConditionModel

from talkingface_wild.models.mcdm import MCDMUNet
from talkingface_wild.models.mcdm.training.stages import picture_loss, trained
from tests.models.mcdm.made import awakened, made_parts, picture_batch, tiny


def _denoised(parts, batch, **settings):
    """(prediction, memory) of a batch at step 500."""
    with torch.no_grad():
        return parts.unet(batch.present_BFCHW, 500, _context(parts, batch, **settings))


def _context(parts, batch, **settings):
    return parts.clip_context(
        batch.reference_BCHW,
        batch.archive_BACHW,
        batch.image_BSE,
        batch.tokens_BFKT,
        batch.sound_BFWE,
        frames=batch.present_BFCHW.shape[1],
        **settings,
    )


def _one(batch, clip):
    return type(batch)(**{k: v[clip : clip + 1] for k, v in vars(batch).items() if v is not None})


def test_stage_1_is_stable_diffusions_unet_with_archived_tokens_as_its_text():
    parts = awakened(made_parts())
    batch = picture_batch(parts.config)
    picture, trunk = parts.config.picture, parts.config.trunk
    plain = UNet2DConditionModel(
        sample_size=picture.latent_side,
        in_channels=picture.latent_channels,
        out_channels=picture.latent_channels,
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
        block_out_channels=trunk.channels,
        layers_per_block=trunk.layers,
        attention_head_dim=trunk.heads,
        norm_num_groups=trunk.groups,
        cross_attention_dim=trunk.context_width,
    )
    missing, _ = plain.load_state_dict(parts.unet.state_dict(), strict=False)
    assert not missing
    tokens = parts.archived_prior(batch.reference_BCHW, batch.archive_BACHW).flatten(1, 2)
    with torch.no_grad():
        expected = plain(
            batch.present_BFCHW.flatten(0, 1), 500, tokens.repeat_interleave(8, dim=0)
        ).sample
    found = _denoised(parts, batch, motion=False).sample
    torch.testing.assert_close(found.flatten(0, 1), expected, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["temporal.streams=residual", "temporal.attention=softmax"],
        ["temporal.streams=attn_only", "temporal.output=memory"],
        ["temporal.kind=standard"],
        ["present.kind=audio_attention"],
        ["present.audio_to_unet=true", "temporal.causal=true"],
        ["archived.kind=reference_unet"],
    ],
)
def test_before_stage_3_the_network_is_stage_1_to_the_bit(settings):
    parts = made_parts(*settings)
    batch = picture_batch(parts.config)
    with_motion = _denoised(parts, batch, motion=True).sample
    assert torch.equal(with_motion, _denoised(parts, batch, motion=False).sample)
    assert with_motion.std() > 0.01


def test_after_it_motion_tokens_matter():
    parts = awakened(made_parts())
    batch = picture_batch(parts.config)
    before = _denoised(parts, batch).sample
    batch.tokens_BFKT = -batch.tokens_BFKT
    assert (before - _denoised(parts, batch).sample).abs().max() > 1e-4


@pytest.mark.parametrize(
    "settings",
    [
        [],
        ["archived.kind=reference_unet"],
        ["archived.kind=qformer", "archived.context=aligned"],
        ["present.kind=audio_attention", "temporal.kind=standard"],
    ],
)
def test_batched_equals_single_from_the_context_on(settings):
    parts = awakened(made_parts(*settings))
    batch = picture_batch(parts.config, clips=3)
    together = _denoised(parts, batch)
    for clip in range(3):
        alone = _denoised(parts, _one(batch, clip))
        torch.testing.assert_close(
            alone.sample, together.sample[clip : clip + 1], atol=2e-5, rtol=1e-4
        )
        for number, rows in alone.memory.items():
            expected = together.memory[number][clip : clip + 1]
            torch.testing.assert_close(rows, expected, atol=5e-5, rtol=1e-4)


def test_guidance_runs_without_and_with_the_contexts_at_once():
    parts = awakened(made_parts())
    batch = picture_batch(parts.config, clips=1)
    with torch.no_grad():
        doubled = batch.present_BFCHW.repeat(2, 1, 1, 1, 1)
        found = parts.unet(doubled, 500, _context(parts, batch, guided=True)).sample
    torch.testing.assert_close(found[1:], _denoised(parts, batch).sample, atol=2e-5, rtol=1e-4)
    zero = torch.zeros(1)
    without = _denoised(parts, batch, archived_on_B=zero, present_on_B=zero).sample
    torch.testing.assert_close(found[:1], without, atol=2e-5, rtol=1e-4)
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_a_time_step_for_each_clip():
    parts = awakened(made_parts())
    batch = picture_batch(parts.config)
    with torch.no_grad():
        context = _context(parts, batch)
        found = parts.unet(batch.present_BFCHW, torch.tensor([10, 900]), context).sample
        for clip, time in enumerate((10, 900)):
            one = _one(batch, clip)
            alone = parts.unet(one.present_BFCHW, time, _context(parts, one)).sample
            torch.testing.assert_close(alone[0], found[clip], atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("carry", ["last", "full"])
def test_the_memory_that_a_clip_leaves_changes_the_next(carry):
    parts = awakened(made_parts(f"temporal.carry={carry}", "temporal.alpha=0.5"))
    batch = picture_batch(parts.config, clips=1)
    first = _denoised(parts, batch)
    assert sorted(first.memory) == list(range(len(parts.unet.motion_blocks())))
    with torch.no_grad():
        context = _context(parts, batch)
        second = parts.unet(batch.present_BFCHW, 500, context, first.memory).sample
    assert (second - first.sample).abs().max() > 1e-5


def test_checkpointed_gradients_are_the_same():
    grads = []
    for checkpointed in (False, True):
        parts = awakened(made_parts())
        if checkpointed:
            parts.unet.enable_gradient_checkpointing()
        draws = torch.Generator().manual_seed(0)
        picture_loss(parts, picture_batch(parts.config), draws, motion=True).backward()
        grads.append({n: p.grad for n, p in trained(parts, "3").items()})
    for name, grad in grads[0].items():
        torch.testing.assert_close(grads[1][name], grad, msg=name)


@pytest.mark.parametrize("kind", [[], ["archived.kind=reference_unet"]])
def test_it_runs_in_bfloat16(kind):
    """With the reference UNet too, whose inputs stayed in float32 and stopped it."""
    parts = awakened(made_parts(*kind))
    batch = picture_batch(parts.config)
    exact = _denoised(parts, batch).sample
    rough = _denoised(parts.to("cpu", torch.bfloat16), batch_in_bfloat16(batch)).sample
    assert rough.dtype == torch.bfloat16
    assert (rough.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


def batch_in_bfloat16(batch):
    batch.present_BFCHW = batch.present_BFCHW.bfloat16()
    return batch


def test_autocast_changes_the_loss_little():
    parts = awakened(made_parts())
    losses = []
    for mixed in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=mixed):
            draws = torch.Generator().manual_seed(0)
            loss = picture_loss(parts, picture_batch(parts.config), draws, motion=True)
        loss.backward()
        losses.append(loss.item())
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


def test_blocks_are_numbered_in_order_of_use():
    unet = MCDMUNet.of(tiny())
    order = []
    for block in unet.motion_blocks():
        block.register_forward_pre_hook(lambda m, _given: order.append((m.number, m.level)))
    context = unet.clip_context(torch.zeros(1, 8, 16, 64), frames=8)
    unet(torch.zeros(1, 8, 8, 16, 16), 0, context)
    assert [number for number, _ in order] == list(range(len(order)))
    assert [level for _, level in order] == [0, 1, 1, 1, 1, 0, 0]
