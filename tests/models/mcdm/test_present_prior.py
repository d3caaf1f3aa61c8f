"""The present-clip prior: what sees what, whose head is given, and what the loss counts."""

import pytest
import torch

from talkingface_wild.models.mcdm.present_prior import FiLM, PresentClipPrior
from talkingface_wild.models.mcdm.training.stages import motion_loss
from tests.models.mcdm.made import awaken, awakened, made_parts, motion_batch, tiny

HEAD, LIP, EXPRESSION = 2, 3, 1
TOKENS = HEAD + LIP + EXPRESSION
SETTINGS = [
    f"present.head_tokens={HEAD}",
    f"present.lip_tokens={LIP}",
    f"present.expression_tokens={EXPRESSION}",
    "present.layers=2",
]


def _prior(*settings):
    torch.manual_seed(0)
    prior = PresentClipPrior.of(tiny(*SETTINGS, *settings)).eval()
    awaken(prior)
    return prior


def _given(clips=1, frames=4, seed=0):
    draws = torch.Generator().manual_seed(seed)
    return {
        "noised_BFKT": torch.randn(clips, frames, TOKENS, 32, generator=draws),
        "timestep": torch.arange(clips) * 300 + 50,
        "sound_BFWE": torch.randn(clips, frames, 5, 80, generator=draws),
        "image_BSE": torch.randn(clips, 1, 128, generator=draws),
        "landmarks_BFHT": torch.randn(clips, frames, HEAD, 32, generator=draws),
        "landmarks_on_B": torch.zeros(clips, dtype=torch.bool),
    }


@torch.no_grad()
def _differing(prior, given, **changed):
    """(F, K) whether a token's prediction of the first clip depends on what is changed."""
    before, after = prior(**given), prior(**{**given, **changed})
    return ((before - after).abs().amax(-1) > 0)[0]


def _turned(rows, *place):
    rows = rows.clone()
    rows[place] *= -1.5
    return rows


@pytest.mark.parametrize("readout", ["noised", "query"])
def test_a_later_modality_changes_nothing_earlier(readout):
    prior, given = _prior(f"present.readout={readout}"), _given()
    for token in range(TOKENS):
        noised = _turned(given["noised_BFKT"], 0, slice(None), token)
        found = _differing(prior, given, noised_BFKT=noised)
        if readout == "query":
            assert found.all()  # all are read after all that is noised
        else:
            assert not found[:, :token].any() and found[:, token:].all(), token


def test_sound_and_portrait_come_before_everything():
    for settings in (
        [],
        ["present.film=audio_modulates_image"],
        ["present.image_in_sequence=true"],
    ):
        prior, given = _prior(*settings), _given()
        for name in ("sound_BFWE", "image_BSE"):
            assert _differing(prior, given, **{name: -given[name]}).all(), (settings, name)


def test_along_time_nothing_knows_a_later_frame():
    prior, given = _prior("present.causal_axis=time"), _given()
    for name in ("noised_BFKT", "sound_BFWE"):
        changed = _turned(given[name], 0, 2)
        found = _differing(prior, given, **{name: changed})
        assert not found[:2].any() and found[2:].all()
    # Along the tokens nothing is hidden then.
    noised = _turned(given["noised_BFKT"], 0, slice(None), TOKENS - 1)
    assert _differing(prior, given, noised_BFKT=noised).all()
    free = _prior()
    noised = _turned(given["noised_BFKT"], 0, 2)
    assert _differing(free, given, noised_BFKT=noised).all()


@pytest.mark.parametrize(
    "settings", [[], ["present.readout=query"], ["present.causal_axis=time"]], ids=str
)
def test_with_landmarks_nobody_sees_the_noised_head(settings):
    prior, given = _prior(*settings), _given()
    given["landmarks_on_B"] = torch.tensor([True])
    head = _turned(given["noised_BFKT"], 0, slice(None), slice(0, HEAD))
    found = _differing(prior, given, noised_BFKT=head)
    assert not found[:, HEAD:].any()
    landmarks = _differing(prior, given, landmarks_BFHT=-given["landmarks_BFHT"])
    assert landmarks[:, HEAD:].all()
    # Lips still go before the expression.
    lips = _turned(given["noised_BFKT"], 0, slice(None), HEAD)
    assert _differing(prior, given, noised_BFKT=lips)[:, HEAD:].all()


@pytest.mark.parametrize(
    "settings", [[], ["present.readout=query"], ["present.causal_axis=time"]], ids=str
)
def test_without_landmarks_nobody_sees_them(settings):
    prior, given = _prior(*settings), _given()
    assert not _differing(prior, given, landmarks_BFHT=-given["landmarks_BFHT"]).any()
    assert not _differing(prior, given, landmarks_BFHT=None, landmarks_on_B=None).any()
    assert prior(**{**given, "landmarks_on_B": None}).shape == given["noised_BFKT"].shape


def test_batched_equals_single_where_one_clip_has_landmarks():
    prior, given = _prior(), _given(clips=3)
    given["landmarks_on_B"] = torch.tensor([False, True, False])
    with torch.no_grad():
        together = prior(**given)
        for clip in range(3):
            alone = prior(**{name: rows[clip : clip + 1] for name, rows in given.items()})
            torch.testing.assert_close(alone[0], together[clip], atol=1e-5, rtol=1e-4)


def test_the_time_step_is_told():
    prior, given = _prior(), _given()
    assert _differing(prior, given, timestep=900).all()


def test_frames_are_told_apart_by_their_place():
    prior, given = _prior(), _given()
    order = torch.tensor([1, 0, 2, 3])
    swapped = {n: given[n][:, order] for n in ("noised_BFKT", "sound_BFWE", "landmarks_BFHT")}
    with torch.no_grad():
        found = prior(**{**given, **swapped})[:, order]
    assert (found - prior(**given)).abs().max() > 1e-4


def test_a_fresh_film_is_the_identity_and_it_scales_and_shifts():
    torch.manual_seed(0)
    film, rows, condition = FiLM(6), torch.randn(2, 3, 6), torch.randn(2, 1, 6)
    assert torch.equal(film(rows, condition), rows)
    awaken(film)
    gamma, beta = film.to_gamma_beta(condition).split(6, dim=-1)
    torch.testing.assert_close(film(rows, condition), rows + gamma * rows + beta)


def test_of_a_given_head_no_prediction_is_counted():
    parts = awakened(made_parts(*SETTINGS))
    batch = motion_batch(parts.config)
    counted = parts.motion_prior.predicted(torch.tensor([False, True]))
    assert counted.tolist() == [[1.0] * TOKENS, [0.0] * HEAD + [1.0] * (LIP + EXPRESSION)]
    losses = []
    for shift in (0.0, 5.0):
        # A wrong guess of the head, where it is read out, must not matter where it is given.
        batch.landmarks_on_B = torch.tensor([True, True])
        shifted = parts.motion_prior.out.register_forward_hook(
            lambda _m, _i, out, shift=shift: torch.cat(
                [out[:, :, :HEAD] + shift, out[:, :, HEAD:]], dim=2
            )
        )
        losses.append(motion_loss(parts, batch, torch.Generator().manual_seed(0)).item())
        shifted.remove()
    assert losses[0] == losses[1] > 0


def test_checkpointed_gradients_are_the_same():
    grads = []
    for checkpointed in (False, True):
        parts = awakened(made_parts(*SETTINGS))
        if checkpointed:
            parts.motion_prior.enable_gradient_checkpointing()
            parts.motion_prior.train()
        motion_loss(parts, motion_batch(parts.config), torch.Generator().manual_seed(0)).backward()
        grads.append({n: p.grad for n, p in parts.motion_prior.named_parameters()})
    for name, grad in grads[0].items():
        torch.testing.assert_close(grads[1][name], grad, msg=name)
