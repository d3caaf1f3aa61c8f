"""Where lip tokens are read: the mass in a box in closed form, and the maps of a model."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.models.mcdm.analyses.lips import (
    HeatWatch,
    draw_lips,
    lips,
    mass_in_box,
    masses,
)
from talkingface_wild.models.mcdm.analyses.speaking_portrait import Draws
from talkingface_wild.models.mcdm.variants import Checkpoint
from tests.models.mcdm.analyses.scene import running_parts, subject


def nowhere(path):
    """A checkpoint without variants."""
    return Checkpoint(path / "model", path)


def test_an_even_map_has_the_boxs_share_of_the_area():
    for side in (1, 7, 16):
        assert mass_in_box(np.full((side, side), 0.3), (0.25, 0.5, 0.75, 0.9)) == pytest.approx(
            0.5 * 0.4
        )


def test_a_spot_lies_inside_or_outside():
    heat = np.zeros((8, 8))
    heat[6, 2] = 5.0
    assert mass_in_box(heat, (0.25, 0.75, 0.375, 0.875)) == 1.0
    assert mass_in_box(heat, (0.375, 0.75, 1.0, 0.875)) == 0.0


def test_rows_and_columns_are_not_mixed_up():
    heat = np.zeros((4, 4))
    heat[3, 0] = 1.0
    assert mass_in_box(heat, (0.0, 0.75, 0.25, 1.0)) == 1.0
    assert mass_in_box(heat, (0.75, 0.0, 1.0, 0.25)) == 0.0


def test_a_cell_that_the_edge_cuts_counts_in_part():
    heat = np.zeros((2, 2))
    heat[0, 0] = 1.0
    assert mass_in_box(heat, (0.0, 0.0, 0.25, 0.125)) == pytest.approx(0.5 * 0.25)


def test_every_frame_has_its_own_box():
    heat = np.zeros((2, 4, 4))
    heat[:, 0, 0] = 1.0
    boxes = np.array([[0, 0, 0.25, 0.25], [0.5, 0.5, 1, 1]])
    assert_allclose(masses(heat, boxes), [1, 0])


def test_the_watch_averages_heads_blocks_and_steps_and_scales_maps_up():
    watch = HeatWatch(4)
    small = torch.zeros(1, 2, 3, 4, 2)
    small[..., 0] = 0.25
    small[..., 1] = torch.tensor([0.0, 1.0, 0.5])[:, None]
    large = torch.zeros(1, 2, 3, 16, 2)
    large[..., 0] = 0.75
    large[..., 1] = 0.5
    watch.append(small)
    watch.append(large)
    assert len(watch) == 0
    assert_allclose(watch.taken().numpy(), np.full((2, 2, 4, 4), 0.5))
    with pytest.raises(RecipeError, match="found none read"):
        watch.taken()


def test_with_guidance_the_pass_without_contexts_is_left_out():
    watch = HeatWatch(2)
    watch.append(torch.stack([torch.zeros(1, 1, 4, 1), torch.full((1, 1, 4, 1), 0.5)]))
    assert_allclose(watch.taken().numpy(), 0.5)


def test_a_model_that_looks_for_lips_in_one_place_is_found_out(tmp_path):
    """Attention that reads the lip tokens only where it is told: low in the frame."""
    parts = running_parts("present.lip_tokens=2", "present.head_tokens=2")
    blocks = parts.unet.motion_blocks()
    for block in blocks:
        block._probabilities = told(block)
    found = lips(nowhere(tmp_path), parts, [subject()], Draws(), 12, (0.0, 0.5, 1.0, 1.0))
    maps = found.maps[0]
    assert maps.heat_TSS.shape == (12, 8, 8)
    assert maps.frames_THWC.shape == (12, 32, 32, 3)
    # Lip tokens have 0.8 below and 0.2 above; but for the border between, all lies below.
    assert maps.share == pytest.approx(0.8, abs=0.03)
    assert found.even_share == 0.5


def told(block):
    """Probabilities of a block by hand: head, lips and expression of 2, 2 and 1 tokens."""

    def probabilities(u, key):
        count, places, _ = u.shape
        heat = torch.zeros(count, block.attn_pres.heads, places, key.shape[-2])
        low = torch.arange(places) >= places // 2
        heat[..., 2:4] = torch.where(low, 0.4, 0.1)[:, None]
        heat[..., 0] = torch.where(low, 0.2, 0.8)
        return heat

    return probabilities


def test_guided_generation_is_watched_too(tmp_path):
    parts = running_parts("sampling.guidance=2.0")
    found = lips(nowhere(tmp_path), parts, [subject()], Draws(steps=1), 8)
    assert np.isfinite(found.maps[0].heat_TSS).all()
    assert 0 < found.maps[0].share < 1


def test_without_the_prior_the_token_most_in_the_mouth_is_taken(tmp_path):
    model = running_parts()
    variant = running_parts("present.kind=audio_attention")
    variant.save(tmp_path / "variants" / "no_present" / "model")
    found = lips(nowhere(tmp_path), model, [subject()], Draws(steps=1), 8)
    names = [maps.name for maps in found.maps]
    assert names == ["w/ F_pc", "w/o F_pc"]
    assert "of 32 sound tokens" in found.maps[1].tokens
    assert len(found.rows()) == 2 * 8
    assert any("w/o F_pc is not fully trained" in sentence for sentence in found.cautions)
    draw_lips(tmp_path / "lips.png", found)
    assert (tmp_path / "lips.png").stat().st_size > 10_000


def test_the_subjects_own_mouth_counts_and_its_last_box_holds_on(tmp_path):
    boxes = np.array([[0, 0, 0.5, 0.5], [0, 0, 1, 1]], dtype=np.float32)
    found = lips(nowhere(tmp_path), running_parts(), [subject(mouth_T4=boxes)], Draws(steps=1), 8)
    even = found.even["one"]
    assert_allclose(even, [0.25] + [1.0] * 7)
    assert_allclose(found.maps[0].mass["one"][1:], 1.0)


def test_a_model_without_a_prior_and_short_sound_are_refused(tmp_path):
    bare = running_parts("present.kind=audio_attention")
    with pytest.raises(RecipeError, match="lip tokens"):
        lips(nowhere(tmp_path), bare, [subject()], Draws(), 8)
    with pytest.raises(InputUnreadable, match=r"at least 30 frames.*found 24"):
        lips(nowhere(tmp_path), running_parts(), [subject()], Draws(), 30)
