"""What the encoders are trained for beside rebuilding: sound, no identity, emotion."""

import math

import pytest
import torch

from talkingface_wild.models.mcdm import MCDMParts, preset
from talkingface_wild.models.mcdm.training.encoder_tasks import (
    contrast,
    encoder_loss,
    explained,
    make_task,
    run_encoders,
    take_tokens,
)
from tests.models.mcdm.training.made_clips import made_clip


def test_the_share_of_variance_between_groups():
    tokens = torch.tensor([[0.0], [2.0], [4.0], [6.0]])
    assert explained(tokens, torch.tensor([0, 0, 1, 1])).item() == pytest.approx(16 / 20)
    assert explained(tokens, torch.tensor([0, 1, 1, 0])).item() == pytest.approx(0)
    assert explained(tokens, torch.zeros(4)).item() == pytest.approx(0)


def test_contrast_is_least_where_each_mouth_is_like_its_own_sound():
    unit, frames = torch.eye(4), torch.arange(4)
    expected = math.log(1 + 3 * math.exp(-10))
    assert contrast(unit, unit, frames).item() == pytest.approx(expected, rel=1e-2)
    assert contrast(unit, unit.flip(0), frames).item() > 9
    assert contrast(torch.ones(4, 4), torch.ones(4, 4), frames).item() == pytest.approx(math.log(4))


def test_a_frame_drawn_twice_is_no_negative_of_itself():
    same = torch.ones(2, 4)
    assert contrast(same, same, torch.tensor([3, 3])).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.long
def test_identity_explains_less_of_the_expression_once_trained(tmp_path):
    config = preset("tiny").changed(["training.encoders.iterations=120"])
    torch.manual_seed(0)
    parts = MCDMParts.build(config)
    clips = [made_clip(parts, 30, seed) for seed in range(3)]
    for clip in clips:
        brow = (8 + 5 * torch.sin(torch.arange(30) * 0.7)).long()
        for frame, row in enumerate(brow):
            clip.face_TSSC[frame, row : row + 4, 8:24] = 0
    person = torch.arange(3).repeat_interleave(30)

    def share():
        tokens = torch.cat([take_tokens(parts, clip)[:, 2] for clip in clips])
        return explained(tokens, person).item()

    before = share()
    run_encoders(parts, clips, tmp_path)
    assert share() < 0.5 * before


def test_emotions_reach_the_expression_encoder_alone():
    parts = MCDMParts.build(preset("tiny"))
    clips = [made_clip(parts, 20, seed) for seed in range(2)]
    for clip, emotion in zip(clips, ("happy", "sad"), strict=True):
        clip.facts["emotion"] = emotion
    task = make_task(
        "expression", parts.expression_encoder, lambda c: c.face_TSSC, parts.config, clips
    )
    draws = torch.Generator().manual_seed(0)
    encoder_loss(task, clips, draws, 8, 2, torch.device("cpu")).backward()
    assert task.emotions == ("happy", "sad")
    assert task.emotion_side.weight.grad.abs().sum() > 0
    other = make_task("head", parts.head_encoder, lambda c: c.head_TSSC, parts.config, clips)
    assert other.emotion_side is None
