"""A transformer block against diffusers' own attention layers, put together as section 3.1 says."""

import pytest
import torch

from talkingface_wild.models.mcdm import MCDMUNet
from talkingface_wild.models.mcdm.block import ClipContext
from tests.models.mcdm.made import awaken, tiny

FRAMES, PLACES, WIDTH = 3, 6, 64


def _drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def _block(*settings, awake=True, number=0):
    torch.manual_seed(0)
    unet = MCDMUNet.of(tiny(f"clip.frames={FRAMES}", "clip.archive_frames=3", *settings))
    if awake:
        awaken(unet)
    return unet.motion_blocks()[number].eval()


def _context(clips=2, tokens=5, **fields):
    given = {
        "frames": FRAMES,
        "archived": _drawn(clips, 7, WIDTH, seed=1),
        "present_BFKD": _drawn(clips, FRAMES, tokens, WIDTH, seed=2),
    }
    return ClipContext(**{**given, **fields})


def _rows(block, clips=2):
    return _drawn(clips * FRAMES, PLACES, block.dim, seed=3)


def _run(block, rows, context):
    return block(rows, cross_attention_kwargs={"mcdm": context})


def _streams(block, rows, context):
    """x after self-attention, A and P, by diffusers' layers, each frame on its own."""
    x = rows + block.attn1(block.norm1(rows))
    u = block.norm2(x)
    archived = context.archived.repeat_interleave(FRAMES, dim=0)
    present = context.present_BFKD.flatten(0, 1)
    return (
        x,
        block.attn2(u, encoder_hidden_states=archived),
        block.attn_pres(u, encoder_hidden_states=present),
    )


@pytest.mark.parametrize("streams", ["symmetric", "residual", "attn_only"])
def test_the_four_layers_in_their_order(streams):
    block, context = _block(f"temporal.streams={streams}"), _context()
    rows = _rows(block)
    x, archived, present = _streams(block, rows, context)
    memory_of, present_of = {
        "symmetric": (x + archived, x + present),
        "residual": (x + archived, x + archived + present),
        "attn_only": (archived, present),
    }[streams]
    motion, _ = block.mta(
        memory_of.unflatten(0, (-1, FRAMES)), present_of.unflatten(0, (-1, FRAMES)), block.norm_mta
    )
    stream = x + archived + present + motion.flatten(0, 1)
    expected = stream + block.ff(block.norm3(stream))
    torch.testing.assert_close(_run(block, rows, context), expected, atol=2e-5, rtol=1e-4)


def test_without_memory_temporal_attention_sees_all_of_the_stream():
    block, context = _block("temporal.kind=standard"), _context()
    rows = _rows(block)
    stream = sum(_streams(block, rows, context))
    present = stream.unflatten(0, (-1, FRAMES))
    stream = stream + block.mta(present, present, block.norm_mta)[0].flatten(0, 1)
    expected = stream + block.ff(block.norm3(stream))
    torch.testing.assert_close(_run(block, rows, context), expected, atol=2e-5, rtol=1e-4)
    assert not context.left


@pytest.mark.parametrize("present", [True, False])
@pytest.mark.parametrize("streams", ["symmetric", "residual", "attn_only"])
def test_fresh_motion_layers_change_nothing_to_the_bit(streams, present):
    block = _block(f"temporal.streams={streams}", awake=False)
    rows, tokens = _rows(block), {} if present else {"present_BFKD": None}
    with_motion = _run(block, rows, _context(**tokens))
    assert torch.equal(with_motion, _run(block, rows, _context(motion=False)))


def test_a_frame_reads_its_own_motion_tokens():
    block, context = _block(), _context()
    block.mta.to_out[0].weight.data.zero_()
    before = _run(block, _rows(block), context)
    context.present_BFKD[1, 2] += 1
    differs = (_run(block, _rows(block), context) != before).flatten(1).any(1)
    assert differs.tolist() == [False] * 5 + [True]


def test_every_frame_reads_the_whole_archive_or_its_own_frame_of_it():
    block = _block()
    block.mta.to_out[0].weight.data.zero_()
    tokens = _drawn(2, FRAMES, 4, WIDTH, seed=5)
    for aligned in (False, True):
        given = tokens.clone()
        context = _context(archived=given if aligned else given.flatten(1, 2))
        before = _run(block, _rows(block), context)
        given[0, 1] += 1
        differs = (_run(block, _rows(block), context) != before).flatten(1).any(1)
        frame = [False, True, False] if aligned else [True] * 3
        assert differs.tolist() == frame + [False] * 3


def test_dropped_present_tokens_are_as_none():
    block = _block()
    rows = _rows(block)
    dropped = _run(block, rows, _context(present_on_B=torch.tensor([0, 1])))
    torch.testing.assert_close(dropped[FRAMES:], _run(block, rows, _context())[FRAMES:])
    none = _run(block, rows, _context(present_BFKD=None))
    torch.testing.assert_close(dropped[:FRAMES], none[:FRAMES])


def test_the_reference_joins_self_attention():
    block = _block()
    rows, bank = _rows(block), _drawn(2, 4, block.dim, seed=6)
    context = _context(motion=False, bank={block.number: bank})
    inside = block.norm1(rows)
    both = torch.cat([inside, bank.repeat_interleave(FRAMES, dim=0)], dim=1)
    x = rows + block.attn1(inside, encoder_hidden_states=both)
    tokens = context.archived.repeat_interleave(FRAMES, dim=0)
    x = x + block.attn2(block.norm2(x), encoder_hidden_states=tokens)
    expected = x + block.ff(block.norm3(x))
    torch.testing.assert_close(_run(block, rows, context), expected, atol=2e-5, rtol=1e-4)


def test_keys_and_values_of_the_contexts_are_made_once_for_all_steps():
    block, context = _block(), _context(kept={})
    asked = []
    for attention in (block.attn2, block.attn_pres):
        attention.to_k.register_forward_hook(lambda _m, given, _out: asked.append(len(given[0])))
    rows = _rows(block)
    first = _run(block, rows, context)
    assert torch.equal(first, _run(block, rows, context))
    assert asked == [2, 2 * FRAMES]  # the archive's once a clip, not once a frame


def test_only_the_last_memory_row_stays_behind():
    """A view of the last row held all rows: at full size 9 GB of state for 25 steps, not 0.6."""
    block, context = _block("temporal.alpha=0.5"), _context()
    with torch.no_grad():
        _run(block, _rows(block), context)
    left = context.left[block.number]
    assert left.shape == (2, PLACES, block.dim)
    assert left.untyped_storage().nbytes() == left.numel() * left.element_size()
    with torch.no_grad():
        x, archived, _ = _streams(block, _rows(block), context)
    first, second, third = (x + archived).unflatten(0, (-1, FRAMES)).unbind(1)
    expected = 0.25 * first + 0.25 * second + 0.5 * third
    torch.testing.assert_close(left, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("settings", "shape"),
    [
        (["temporal.carry=full"], (2, FRAMES, PLACES, 32)),
        (["temporal.carry=reset"], None),
        (["temporal.carry_from_level=1"], None),
    ],
)
def test_how_much_memory_stays_behind(settings, shape):
    block, context = _block(*settings), _context()
    with torch.no_grad():
        _run(block, _rows(block), context)
    assert (context.left[0].shape == shape) if shape else not context.left


def test_nothing_stays_behind_in_training():
    block, context = _block(), _context()
    _run(block, _rows(block), context)
    assert not context.left and context.kept is None


def test_what_the_lips_are_told_can_be_watched():
    block, context = _block(), _context(watched=[])
    _run(block, _rows(block), context)
    (seen,) = context.watched
    assert seen.shape == (2, FRAMES, block.attn1.heads, PLACES, 5)
    torch.testing.assert_close(seen.sum(-1), torch.ones(seen.shape[:-1]))
