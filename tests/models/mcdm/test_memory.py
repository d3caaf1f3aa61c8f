"""The closed form of equations 4 and 5 against the recurrence, frame after frame."""

import numpy as np
import pytest
import torch

from talkingface_wild.models.mcdm.temporal_attention import motion_memory
from tests.reference.mcdm_memory import motion_memory as recurrence
from tests.reference.mcdm_memory import motion_memory_beside

ALPHAS = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9]


def _drawn(*shape, seed=0):
    draws = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=draws, dtype=torch.float64)


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("frames", [1, 2, 16])
def test_without_carry_the_first_memory_is_the_first_frame(alpha, frames):
    archived = _drawn(2, frames, 3, 5)
    found = motion_memory(archived, alpha)
    assert torch.equal(found[:, 0], archived[:, 0])
    for clip in range(2):
        expected = recurrence(archived[clip].numpy(), alpha)
        np.testing.assert_allclose(found[clip].numpy(), expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_a_carried_last_row_goes_on_as_if_there_had_been_no_cut(alpha):
    archived = _drawn(1, 24, 3, 5)
    whole = recurrence(archived[0].numpy(), alpha)
    carried = motion_memory(archived[:, :8], alpha)[:, -1]
    for start in (8, 16):
        found = motion_memory(archived[:, start : start + 8], alpha, carried)
        expected = whole[start : start + 8]
        np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-6, atol=1e-7)
        carried = found[:, -1]


@pytest.mark.parametrize("alpha", ALPHAS)
def test_all_carried_rows_go_on_frame_by_frame(alpha):
    archived, before = _drawn(1, 8, 3, 5), _drawn(1, 8, 3, 5, seed=1)
    found = motion_memory(archived, alpha, before)
    expected = motion_memory_beside(archived[0].numpy(), alpha, before[0].numpy())
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=1e-12)


def test_alpha_weighs_the_past():
    archived = _drawn(1, 4, 2, 3)
    assert torch.equal(motion_memory(archived, 0.0), archived)
    mostly_past = motion_memory(archived, 0.999)
    torch.testing.assert_close(mostly_past, archived[:, :1].expand_as(archived), atol=0.01, rtol=0)


def test_memory_of_a_frame_knows_no_later_frame():
    archived = _drawn(1, 6, 2, 3)
    changed = archived.clone()
    changed[:, 4:] += 1
    before, after = motion_memory(archived, 0.5), motion_memory(changed, 0.5)
    assert torch.equal(before[:, :4], after[:, :4]) and not torch.equal(before, after)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_the_type_of_the_features_stays(kind):
    archived = _drawn(1, 4, 2, 3).to(kind)
    assert motion_memory(archived, 0.1, archived[:, 0]).dtype == kind
