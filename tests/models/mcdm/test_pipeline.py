"""The pipeline: streamed is whole, resumed is uninterrupted, options do what they say."""

import gc

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, UniPCMultistepScheduler
from PIL import Image
from transformers import CLIPVisionConfig, CLIPVisionModel, Wav2Vec2Config, Wav2Vec2Model

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.core.generator import frame_count
from talkingface_wild.models.mcdm import MCDMParts, MCDMPipeline, preset
from talkingface_wild.models.mcdm.pipeline import TokenScale, model_folder
from tests.models.mcdm.small import QUICK, portrait, small_parts, speech, through_a_file

SECONDS = 0.68
"""17 frames: two clips of eight and one frame of a third."""


@pytest.fixture(scope="module")
def pipeline():
    return MCDMPipeline.of(small_parts())


@pytest.fixture(scope="module")
def whole(pipeline):
    """A short video in one go."""
    return pipeline(portrait(), speech(SECONDS), **QUICK)


def test_a_video_is_as_long_as_its_sound(pipeline, whole):
    assert whole.shape == (17, 64, 64, 3) and whole.dtype == np.uint8
    assert [frame_count(n, 25) for n in (1, 640, 641, 1600, 16_000)] == [1, 1, 2, 3, 25]
    assert len(pipeline(portrait(), speech(0.1), **QUICK)) == 3
    assert len(pipeline(portrait(), speech(0.1), frames=11, **QUICK)) == 11


def test_streamed_is_whole_clip_by_clip(pipeline, whole):
    chunks = list(pipeline.stream(portrait(), speech(SECONDS), **QUICK))
    assert [len(chunk) for chunk in chunks] == [8, 8, 1]
    assert np.array_equal(np.concatenate(chunks), whole)


def test_a_stream_makes_a_clip_only_when_it_is_asked_for(pipeline, monkeypatch):
    steps = []
    forward = pipeline.parts.unet.forward
    monkeypatch.setattr(
        pipeline.parts.unet, "forward", lambda *a, **k: steps.append(1) or forward(*a, **k)
    )
    stream = pipeline.stream(portrait(), speech(4.0), **QUICK)
    next(stream)
    assert len(steps) == 2  # two denoising steps of one clip


def test_resumed_is_uninterrupted_whatever_clip_it_stopped_after(pipeline, whole, tmp_path):
    for stop in (1, 2):
        made = []
        for clip in pipeline.clips(portrait(), speech(SECONDS), **QUICK):
            made.append(clip.frames_FHWC.numpy())
            if len(made) == stop:
                break
        state = through_a_file(clip.state, tmp_path / "s.safetensors")
        rest = pipeline.stream(None, speech(SECONDS), state=state, **QUICK)
        assert np.array_equal(np.concatenate([*made, *rest]), whole), stop


def test_another_seed_and_another_sound_give_other_frames(pipeline, whole):
    assert not np.array_equal(pipeline(portrait(), speech(SECONDS), seed=1, **QUICK), whole)
    assert not np.array_equal(pipeline(portrait(), speech(SECONDS, seed=4), **QUICK), whole)
    assert np.array_equal(pipeline(portrait(), speech(SECONDS), seed=0, **QUICK), whole)


@pytest.mark.parametrize("solver", ["ddim", "dpm++", "unipc", "lcm"])
@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_every_solver_runs_with_and_without_guidance(pipeline, whole, solver, guidance):
    how = {"steps": 2, "prior_steps": 2, "solver": solver, "guidance": guidance}
    frames = pipeline(portrait(), speech(0.4), **how)
    assert frames.shape == (10, 64, 64, 3)
    assert frames.std() > 5  # pictures, not one colour
    if guidance != 1.0:
        assert not np.array_equal(frames, whole[:10])


def test_solvers_of_one_equation_end_near_each_other(pipeline):
    """With the same noise; another seed ends far away."""
    how = {"prior_steps": 2, "frames": 8, "steps": 10}

    def run(**more):
        return pipeline(portrait(), speech(0.4), **how, **more).astype(float)

    ddim = run(solver="ddim")
    apart = np.abs(run(solver="ddim", seed=1) - ddim).mean()
    for solver in ("dpm++", "unipc"):
        assert np.abs(run(solver=solver) - ddim).mean() < 0.2 * apart, solver


def test_a_scheduler_put_in_as_diffusers_has_it_is_used(pipeline, whole):
    asked = pipeline(portrait(), speech(0.3), solver="unipc", **QUICK)
    kept = pipeline.scheduler
    try:
        pipeline.scheduler = UniPCMultistepScheduler.from_config(kept.config)
        assert np.array_equal(pipeline(portrait(), speech(0.3), **QUICK), asked)
    finally:
        pipeline.scheduler = kept


def test_token_scale_mutes_one_stream_and_leaves_the_rest(pipeline, whole):
    config = pipeline.parts.config
    tokens = torch.ones(8, 3, 32)
    scaled = TokenScale(config, lips=0.0, expression=2.0)(tokens)
    assert [float(scaled[:, k].mean()) for k in range(3)] == [1.0, 0.0, 2.0]
    one = TokenScale(config)
    assert np.array_equal(pipeline(portrait(), speech(SECONDS), edit=one, **QUICK), whole)
    muted = pipeline(portrait(), speech(SECONDS), edit=TokenScale(config, lips=0.0), **QUICK)
    assert not np.array_equal(muted, whole)


def test_head_tokens_of_a_driving_video_take_the_place_of_the_predicted(pipeline):
    crops = torch.randint(0, 255, (5, 32, 32, 3), dtype=torch.uint8)
    head = pipeline.head_tokens(crops)
    assert head.shape == (5, 1, 32)
    made = list(pipeline.clips(portrait(), speech(0.5), head=head, **QUICK))
    assert torch.equal(made[0].tokens_FKT[:5, :1], head)
    assert torch.equal(made[0].tokens_FKT[5:, 0], head[-1].expand(3, -1))  # the last one stays
    plain = next(pipeline.clips(portrait(), speech(0.5), **QUICK))
    assert torch.equal(plain.tokens_FKT[:, 1:], made[0].tokens_FKT[:, 1:])


def test_landmarks_become_the_heads_condition_where_a_model_is_made_for_them():
    pipeline = MCDMPipeline.of(small_parts(("present.head=landmarks",)))
    draws = np.random.default_rng(0)
    points = (0.5 + 0.1 * draws.standard_normal((20, 5, 2))).astype(np.float32)
    pipeline.parts.landmark_guider.fit(pipeline.parts.landmark_guider.maps(points))
    head = pipeline.head_tokens(points)
    made = next(pipeline.clips(portrait(), speech(0.8), head=head, **QUICK))
    assert torch.equal(made.tokens_FKT[:, :1], head[:8])
    other = next(pipeline.clips(portrait(), speech(0.8), head=head + 1, **QUICK))
    assert not torch.equal(made.tokens_FKT[:, 1:], other.tokens_FKT[:, 1:])


def test_saved_and_read_again_it_makes_the_same_frames(pipeline, whole, tmp_path):
    pipeline.save_pretrained(tmp_path / "run" / "model")
    for folder in (tmp_path / "run", tmp_path / "run" / "model"):
        again = MCDMPipeline.from_pretrained(folder)
        assert np.array_equal(again(portrait(), speech(SECONDS), **QUICK), whole)
        assert not any(p.requires_grad for p in again.unet.parameters())
    assert model_folder(tmp_path / "run") == tmp_path / "run" / "model"
    with pytest.raises(InputUnreadable, match="Expected an MCDM checkpoint"):
        MCDMPipeline.from_pretrained(tmp_path)


def test_its_components_are_the_parts(pipeline):
    found = pipeline.components
    assert found["unet"] is pipeline.parts.unet and found["vae"] is None
    assert found["scheduler"] is pipeline.parts.noise
    rebuilt = MCDMPipeline(**found, model_config=pipeline.parts.config.to_dict())
    assert rebuilt.parts.config == pipeline.parts.config


def test_half_precision_is_near_and_keeps_the_prior_in_full():
    pipeline = MCDMPipeline.of(small_parts())
    full = pipeline(portrait(), speech(0.3), **QUICK).astype(float)
    pipeline.to(torch.bfloat16)
    assert pipeline.parts.unet.dtype == torch.bfloat16
    assert pipeline.parts.motion_prior.dtype == torch.float32
    half = pipeline(portrait(), speech(0.3), **QUICK)
    assert 0 < np.abs(half - full).mean() < 8


def test_float_sound_pil_pictures_and_larger_ones_are_taken(pipeline, whole):
    as_float = speech(SECONDS).astype(np.float64) / 32767
    taken = pipeline(Image.fromarray(portrait()), as_float, **QUICK)
    assert np.array_equal(taken, whole)
    assert pipeline(portrait(200), speech(0.1), **QUICK).shape == (3, 64, 64, 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((np.zeros((64, 48, 3), np.uint8), speech(0.1)), "square picture"),
        ((np.zeros((64, 64), np.uint8), speech(0.1)), "Expected a picture"),
        ((portrait(), np.zeros((2, 800), np.int16)), "one row of samples"),
        ((portrait(), np.zeros(0, np.int16)), "one row of samples"),
        ((portrait(), np.array([0.1, np.nan])), "finite float"),
    ],
)
def test_what_is_no_portrait_or_sound_is_refused(pipeline, given, said):
    with pytest.raises(InputUnreadable, match=said):
        pipeline(*given, **QUICK)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"solver": "dimm"}, "did you mean 'ddim'"),
        ({"solver": "lcm", "steps": 60}, "1 to 50 steps"),
        ({"steps": 0}, "1 to 1000 steps"),
        ({"steps": 2000}, "1 to 1000 steps"),
        ({"prior_steps": 0}, "prior steps"),
    ],
)
def test_options_that_cannot_be_are_refused_before_any_work(pipeline, how, said):
    with pytest.raises(RecipeError, match=said):
        next(pipeline.clips(portrait(), speech(0.1), **{**QUICK, **how}))


def test_the_drift_gate_makes_a_clip_again_and_the_state_says_so(pipeline):
    """Fresh weights draw what no portrait looks like: every first clip is made three times."""
    made = next(pipeline.clips(portrait(), speech(0.3), drift_gate=True, **QUICK))
    assert made.state.retries == 2
    assert {name.split(".")[0] for name in made.state.look} == {"portrait", "first"}
    plain = next(pipeline.clips(portrait(), speech(0.3), **QUICK))
    assert plain.state.retries == 0 and plain.state.look == {}


def _with_official_kinds():
    """The preset ``robust`` with a VAE, wav2vec 2.0 and CLIP, all of them small and fresh."""
    settings = (
        "picture.side=64", "picture.fps=5", "clip.frames=8", "clip.archive_frames=8",
        "trunk.channels=[32, 64]", "trunk.attention=[true, true]", "trunk.layers=1",
        "trunk.heads=4", "trunk.groups=8", "trunk.context_width=64", "archived.patch=2",
        "archived.source=reencode", "present.token_width=16", "present.width=48",
        "present.layers=1", "present.heads=4", "present.audio_width=32",
        "present.image_width=32", "sampling.drift_gate=false",
    )  # fmt: skip
    torch.manual_seed(0)
    parts = MCDMParts.build(preset("robust").changed(settings))
    parts.vae = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        layers_per_block=1,
    )
    narrow = {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64}
    narrow["num_attention_heads"] = 2
    parts.audio_encoder = Wav2Vec2Model(Wav2Vec2Config(**narrow, conv_dim=(16,) * 7))
    parts.image_encoder = CLIPVisionModel(CLIPVisionConfig(**narrow, image_size=32, patch_size=8))
    return parts


def test_the_full_models_kinds_of_networks_resume_to_the_bit_across_sound_spans(tmp_path):
    """Sound features come in spans of 8 s; a run is stopped before the first one ends."""
    MCDMPipeline.of(_with_official_kinds()).save_pretrained(tmp_path / "m")
    how = {"steps": 1, "prior_steps": 1, "guidance": 2.0}
    first = MCDMPipeline.from_pretrained(tmp_path / "m")
    made = list(first.clips(portrait(), speech(12.0), **how))
    assert sum(len(clip.frames_FHWC) for clip in made) == 60
    state = through_a_file(made[3].state, tmp_path / "s.safetensors")
    second = MCDMPipeline.from_pretrained(tmp_path / "m")
    rest = np.concatenate(list(second.stream(None, speech(12.0), state=state, **how)))
    assert np.array_equal(rest, np.concatenate([c.frames_FHWC.numpy() for c in made[4:]]))


def _live_bytes():
    gc.collect()
    tensors = [thing for thing in gc.get_objects() if type(thing) is torch.Tensor]
    return sum(t.untyped_storage().nbytes() for t in tensors)


@pytest.mark.long
def test_memory_does_not_grow_with_the_video(pipeline):
    """Five clips against fifty: what lives after each is the same to the byte."""
    how = {"steps": 1, "prior_steps": 1}
    live = [
        _live_bytes()
        for number, _ in enumerate(pipeline.clips(portrait(), speech(16.0), **how), start=1)
        if number in (5, 50)
    ]
    assert len(live) == 2
    assert live[0] == live[1]
