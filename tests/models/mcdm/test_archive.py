"""Which frames the archive keeps, told by numbers written into them."""

from collections import Counter

import pytest
import torch

from talkingface_wild.models.mcdm.rollout import updated_archive

REFERENCE = torch.full((1, 1, 1), -1.0)


def _numbers(first, count):
    return torch.arange(first, first + count, dtype=torch.float32)[:, None, None, None]


def _after(policy, clips, frames=8, slots=8, seed=0, anchored=False):
    """The archive's frame numbers after so many clips; -1 is the reference."""
    archive = REFERENCE.expand(slots, 1, 1, 1)
    for clip in range(clips):
        archive = updated_archive(
            archive,
            _numbers(clip * frames, frames),
            policy,
            clip * frames,
            seed,
            REFERENCE if anchored else None,
        )
        assert archive.shape == (slots, 1, 1, 1)
    return [int(number) for number in archive.flatten()]


def test_before_the_first_clip_it_is_the_reference():
    assert _after("last", 0) == [-1] * 8


def test_last_keeps_the_latest_frames():
    assert _after("last", 3) == list(range(16, 24))
    assert _after("last", 1, frames=5) == [-1, -1, -1, 0, 1, 2, 3, 4]
    assert _after("last", 1, frames=12) == list(range(4, 12))


def test_strided_keeps_every_fourth():
    assert _after("strided", 1) == [-1] * 6 + [0, 4]
    assert _after("strided", 6) == list(range(16, 48, 4))


def test_strides_do_not_begin_anew_with_a_clip():
    """Of clips of 6 frames it kept numbers 0, 4, 6, 10, 12, ...: each clip's first and fifth."""
    assert _after("strided", 8, frames=6) == list(range(16, 48, 4))
    assert _after("strided", 14, frames=3) == list(range(12, 44, 4))


@pytest.mark.parametrize("policy", ["last", "strided", "reservoir"])
def test_an_anchored_slot_is_always_the_reference(policy):
    for clips in range(6):
        archive = _after(policy, clips, anchored=True)
        assert archive[0] == -1
        assert clips == 0 or -1 not in archive[-2:]
    free = _after(policy, 5)
    if policy != "reservoir":
        assert _after(policy, 5, anchored=True)[1:] == free[1:]


@pytest.mark.parametrize("anchored", [False, True])
def test_a_reservoir_is_a_uniform_sample_of_all_frames(anchored):
    """Every frame of 32 is kept equally often, in 4 slots, or in 3 beside the reference.

    With the reference put over slot 0 after each clip, the frame that stood there was lost over and
    above those that were replaced, so the earliest frames went twice as fast.
    """
    kept, runs, slots = Counter(), 1500, 4
    for seed in range(runs):
        archive = _after("reservoir", 4, slots=slots, seed=seed, anchored=anchored)
        numbers = archive[1:] if anchored else archive
        assert len(set(numbers)) == len(numbers) and numbers == sorted(numbers)
        kept.update(numbers)
    expected = runs * (slots - anchored) / 32
    statistic = sum((kept[number] - expected) ** 2 / expected for number in range(32))
    # Chi-squared with 31 degrees: 61 at one in a thousand.
    assert statistic < 61, kept
    assert -1 not in kept


def test_a_reservoir_depends_on_the_seed_and_the_frame_number_alone():
    """Made in clips of 4 or of 16, the same frames stay; so they do where a run is resumed."""
    assert _after("reservoir", 16, frames=4) == _after("reservoir", 4, frames=16)
    assert _after("reservoir", 4) != _after("reservoir", 4, seed=1)
    assert _after("reservoir", 4) == _after("reservoir", 4)


def test_a_short_video_fills_the_reservoir_in_order():
    assert _after("reservoir", 1, frames=5) == [-1, -1, -1, 0, 1, 2, 3, 4]


@pytest.mark.parametrize("policy", ["last", "strided", "reservoir"])
def test_the_old_archive_stays_as_it_is(policy):
    """The drift gate goes back to it."""
    archive = _numbers(100, 4)
    before = archive.clone()
    made = updated_archive(archive, _numbers(5000, 1), policy, 5000, 0)
    made += 1
    assert torch.equal(archive, before)
