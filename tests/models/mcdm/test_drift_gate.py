"""The drift gate: a clip that left the portrait's look is made again from before it."""

import pytest
import torch

from talkingface_wild.models.mcdm.drift_gate import DriftGate, look_at
from talkingface_wild.models.mcdm.rollout import GenerationState, MadeClip
from tests.models.mcdm.small import faces

_GRAIN = 12 * torch.randn(1, 64, 64, 3, generator=torch.Generator().manual_seed(5))
PORTRAIT = (faces(1) * 0.5 + 64 + _GRAIN).round().clamp(0, 255).to(torch.uint8)
"""Mid tones with fine detail."""


def _fresh(gate):
    state = GenerationState(torch.zeros(4, 2, 2), torch.zeros(1, 4), torch.zeros(3, 4, 2, 2), 0)
    gate.start(state, PORTRAIT)
    return state


def _made(frames, state):
    import copy

    after = copy.copy(state)
    after.position += len(frames)
    return MadeClip(frames, torch.zeros(len(frames), 4, 2, 2), None, after)


def _clip(shift=0, noise=2.0, seed=0):
    """Eight frames near the portrait, moved in brightness by ``shift`` of 255."""
    draws = torch.Generator().manual_seed(seed)
    grain = noise * torch.randn(8, 64, 64, 3, generator=draws)
    return (PORTRAIT.float() + grain + shift).round().clamp(0, 255).to(torch.uint8)


class _Maker:
    """Makes the clips it was given, attempt by attempt, and counts."""

    def __init__(self, state, *clips):
        self.state, self.clips, self.asked = state, clips, []

    def __call__(self, attempt):
        self.asked.append(attempt)
        return _made(self.clips[attempt], self.state)


def test_a_good_clip_is_made_once():
    gate = DriftGate()
    state = _fresh(gate)
    maker = _Maker(state, _clip())
    made = gate.clip(state, maker)
    assert maker.asked == [0]
    assert (made.state.retries, made.state.position, state.position) == (0, 8, 0)


def test_a_clip_that_drifts_once_is_made_again_from_the_state_before_it():
    gate = DriftGate()
    state = gate.clip(fresh := _fresh(gate), _Maker(fresh, _clip())).state
    maker = _Maker(state, _clip(shift=40), _clip(seed=1), _clip(seed=2))
    made = gate.clip(state, maker)
    assert maker.asked == [0, 1]
    assert torch.equal(made.frames_FHWC, maker.clips[1])
    assert (made.state.retries, made.state.position) == (1, 16)
    assert (state.retries, state.position) == (0, 8)
    again = gate.clip(made.state, _Maker(made.state, _clip(shift=40), _clip(seed=3)))
    assert again.state.retries == 2


def test_when_all_drift_the_one_that_drifts_least_is_kept_and_no_more_are_made():
    gate = DriftGate()
    state = _fresh(gate)
    maker = _Maker(state, _clip(shift=60), _clip(shift=25), _clip(shift=45), _clip())
    made = gate.clip(state, maker)
    assert maker.asked == [0, 1, 2]
    assert torch.equal(made.frames_FHWC, maker.clips[1])
    assert made.state.retries == 2


@pytest.mark.parametrize(
    "drifted",
    [
        _clip(shift=30),  # brighter
        _clip() // 4 * torch.tensor([5, 4, 3], dtype=torch.uint8),  # a colour cast
        torch.nn.functional.avg_pool2d(  # blurred
            _clip().movedim(-1, 1).float(), 9, 1, 4, count_include_pad=False
        )
        .movedim(1, -1)
        .to(torch.uint8),
        _clip(noise=40.0),  # noise
        (128 + (_clip().float() - 128) * 0.5).to(torch.uint8),  # flat
    ],
    ids=["brighter", "cast", "blurred", "noise", "flat"],
)
def test_colour_contrast_and_sharpness_are_looked_at(drifted):
    gate = DriftGate()
    state = gate.clip(fresh := _fresh(gate), _Maker(fresh, _clip())).state
    assert gate.drift(look_at(drifted), state.look) > 1
    assert gate.drift(look_at(_clip(seed=9)), state.look) < 1


def test_a_look_that_the_first_clip_has_for_good_is_no_drift():
    """A model whose pictures are always a little darker is not asked to be another."""
    gate = DriftGate()
    fresh = _fresh(gate)
    dark = [_clip(shift=-40, seed=seed) for seed in range(4)]
    state = gate.clip(fresh, _Maker(fresh, *dark)).state
    assert state.retries == 2  # nothing but the portrait to go by
    made = gate.clip(state, maker := _Maker(state, dark[3]))
    assert maker.asked == [0] and made.state.retries == 2


def test_an_identity_that_is_handed_in_is_looked_at_too():
    likeness = iter([1.0, 0.9, 0.3, 0.8])
    gate = DriftGate(identity=lambda frames: next(likeness))
    state = _fresh(gate)
    state = gate.clip(state, _Maker(state, _clip())).state
    made = gate.clip(state, maker := _Maker(state, _clip(seed=1), _clip(seed=2)))
    assert maker.asked == [0, 1]
    assert torch.equal(made.frames_FHWC, maker.clips[1])


def test_the_look_of_a_plain_picture_is_what_arithmetic_says():
    frames = torch.zeros(2, 4, 4, 3, dtype=torch.uint8)
    frames[:, :, ::2] = torch.tensor([255, 51, 0], dtype=torch.uint8)  # every other column
    look = look_at(frames)
    luma = 0.299 + 0.587 * 0.2
    assert look["red"] == pytest.approx(0.5) and look["green"] == pytest.approx(0.1)
    assert look["blue"] == 0
    assert look["contrast"] == pytest.approx(luma / 2)
    assert look["sharpness"] == pytest.approx(2 * luma)
