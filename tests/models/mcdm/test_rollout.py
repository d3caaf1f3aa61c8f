"""Clip after clip: what depends on what, and nothing that a state does not hold."""

import pytest
import torch

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.conditions.sound_features import windows
from talkingface_wild.models.mcdm.rollout import Rollout, clip_generator
from tests.models.mcdm.small import QUICK, faces, small_parts, speech, through_a_file


@pytest.fixture(scope="module")
def parts():
    return small_parts()


def _rollout(parts, **sampling):
    import dataclasses

    return Rollout(parts, dataclasses.replace(parts.config.sampling, **{**QUICK, **sampling}))


def _heard(parts, position, sound=None):
    present = parts.config.present
    first = position - present.overlap
    sound = speech(4.0) if sound is None else sound
    return windows(parts.sound_features, sound, first, parts.prior_frames, present.audio_window)


def _run(rollout, clips, seed=0, state=None, **how):
    state = state or rollout.start(faces(1)[0], seed)
    frames = []
    for _ in range(clips):
        made = rollout.clip(state, _heard(rollout.parts, state.position), **how)
        frames.append(made.frames_FHWC)
        state = made.state
    return torch.cat(frames), state


def test_a_clip_has_the_shape_it_says_and_moves_the_state_on(parts):
    rollout = _rollout(parts)
    state = rollout.start(faces(1)[0], 0)
    made = rollout.clip(state, _heard(parts, 0))
    assert made.frames_FHWC.shape == (8, 64, 64, 3)
    assert made.frames_FHWC.dtype == torch.uint8
    assert made.tokens_FKT.shape == (8, 3, 32)
    assert (state.position, made.state.position) == (0, 8)
    assert set(made.state.memory) == {0, 1}  # one for each denoising step
    assert torch.equal(made.state.archive_ACHW, made.latents_FCHW)  # the latest eight of eight


def test_a_clip_leaves_the_state_before_it_as_it_was(parts):
    rollout = _rollout(parts)
    _, state = _run(rollout, 1)
    archive = state.archive_ACHW.clone()
    memory = {k: {n: rows.clone() for n, rows in v.items()} for k, v in state.memory.items()}
    first = rollout.clip(state, _heard(parts, 8)).frames_FHWC
    assert state.position == 8
    assert torch.equal(state.archive_ACHW, archive)
    assert all(
        torch.equal(state.memory[k][n], rows) for k in memory for n, rows in memory[k].items()
    )
    assert torch.equal(rollout.clip(state, _heard(parts, 8)).frames_FHWC, first)


def test_every_clip_draws_its_own_noise_and_so_does_every_seed_and_attempt(parts):
    rollout = _rollout(parts)
    same, _ = _run(rollout, 1)
    assert torch.equal(_run(rollout, 1)[0], same)
    assert not torch.equal(_run(rollout, 1, seed=1)[0], same)
    assert not torch.equal(_run(rollout, 1, attempt=1)[0], same)
    drawn = [clip_generator(0, clip, purpose) for clip in (0, 1) for purpose in (1, 2)]
    firsts = {float(torch.randn(1, generator=g)) for g in drawn}
    assert len(firsts) == 4


def test_the_sound_and_the_clip_before_both_shape_a_clip(parts):
    rollout = _rollout(parts)
    _, state = _run(rollout, 1)
    told = rollout.clip(state, _heard(parts, 8)).frames_FHWC
    other = rollout.clip(state, _heard(parts, 8, speech(4.0, seed=5))).frames_FHWC
    assert not torch.equal(told, other)
    fresh = rollout.start(faces(1)[0], 0)
    fresh.position = 8
    assert not torch.equal(told, rollout.clip(fresh, _heard(parts, 8)).frames_FHWC)


def test_the_prior_goes_on_from_the_tokens_of_the_clip_before(parts):
    rollout = _rollout(parts)
    _, state = _run(rollout, 1)
    going_on = rollout.motion_tokens(state, _heard(parts, 8))
    state.tokens_FKT = state.tokens_FKT + 1.0
    assert not torch.equal(going_on, rollout.motion_tokens(state, _heard(parts, 8)))


def test_head_tokens_that_are_given_come_back_and_leave_the_others_to_the_prior(parts):
    rollout = _rollout(parts)
    state = rollout.start(faces(1)[0], 0)
    head = torch.randn(10, 1, 32, generator=torch.Generator().manual_seed(1))
    tokens = rollout.motion_tokens(state, _heard(parts, 0), head)
    assert torch.equal(tokens[:, :1], head[2:])
    assert not torch.equal(tokens[:, 1:], head[2:].expand(-1, 2, -1))


def test_an_edit_changes_the_pictures_and_not_what_the_prior_goes_on_from(parts):
    rollout = _rollout(parts)
    state = rollout.start(faces(1)[0], 0)
    plain = rollout.clip(state, _heard(parts, 0))
    muted = rollout.clip(state, _heard(parts, 0), edit=lambda tokens: tokens * 0)
    assert not torch.equal(plain.frames_FHWC, muted.frames_FHWC)
    assert torch.equal(plain.state.tokens_FKT, muted.state.tokens_FKT)
    assert not muted.tokens_FKT.any()


def test_guidance_runs_both_ways_in_one_batch_and_changes_the_frames(parts):
    plain, _ = _run(_rollout(parts), 2)
    guided, state = _run(_rollout(parts, guidance=2.0), 2)
    assert not torch.equal(plain, guided)
    assert all(len(rows) == 2 for blocks in state.memory.values() for rows in blocks.values())


def test_an_archive_of_pixels_sent_through_the_codec_again_differs_little(parts):
    reencoding = small_parts(("archived.source=reencode",))
    _, latent = _run(_rollout(parts), 1)
    _, again = _run(_rollout(reencoding), 1)
    moved = (latent.archive_ACHW - again.archive_ACHW).abs().mean()
    assert 0 < float(moved) < 0.2 * float(latent.archive_ACHW.std())


def test_a_state_on_the_disk_goes_on_to_the_same_frames(parts, tmp_path):
    rollout = _rollout(parts, guidance=2.0)
    whole, _ = _run(rollout, 4)
    begun, state = _run(rollout, 2)
    loaded = through_a_file(state, tmp_path / "s.safetensors")
    rest, _ = _run(rollout, 2, state=loaded)
    assert torch.equal(torch.cat([begun, rest]), whole)


def test_a_model_without_motion_tokens_makes_none():
    parts = small_parts(("present.kind=audio_attention",))
    rollout = _rollout(parts)
    state = rollout.start(faces(1)[0], 0)
    assert rollout.clip(state, _heard(parts, 0)).tokens_FKT is None
    with pytest.raises(RecipeError, match="motion tokens"):
        rollout.motion_tokens(state, _heard(parts, 0))
