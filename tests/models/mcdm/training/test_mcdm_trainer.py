"""All stages on made-up clips: what each changes, what a folder keeps, and what is refused."""

import copy
import shutil

import pytest
import torch

from talkingface_wild.core.errors import InputUnreadable, RecipeError
from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.mcdm import MCDMParts, preset
from talkingface_wild.models.mcdm.rollout import Rollout
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.mcdm_trainer import TrainingRun
from talkingface_wild.models.mcdm.training.sampling import ClipSampler
from talkingface_wild.models.mcdm.training.stages import picture_loss, run_stage, trained
from talkingface_wild.models.mcdm.variants import ABLATIONS, varied
from talkingface_wild.models.training import training_stage
from talkingface_wild.models.training.logbook import read_log
from talkingface_wild.models.training.loop import iteration_generator
from talkingface_wild.models.weights_hash import tensors_sha256
from tests.models.mcdm.training.made_clips import made_clip

SHORT = (
    "training.encoders.iterations=40",
    "training.stage1.iterations=40",
    "training.stage2.iterations=60",
    "training.stage3.iterations=20",
    "training.stage1.warmup=5",
    "training.stage2.warmup=5",
    "training.stage3.warmup=2",
    "sampling.steps=4",
    "sampling.prior_steps=4",
)


def features(parts, folder):
    for seed, split in ((0, "train"), (1, "train"), (2, "val")):
        made_clip(parts, 40, seed, split).save(folder / f"clip{seed}.safetensors")
    return {"clips": 3}


def course(folder, settings=SHORT, variant="ours", **rest):
    return TrainingRun(folder, varied(preset("tiny"), variant).changed(settings), **rest)


@pytest.fixture(scope="module")
def trained_folder(tmp_path_factory):
    """One run of every stage, as short as shows that losses fall."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("course")
    samples = []
    run = course(folder, write_sample=lambda *given: samples.append(given))
    results = {stage: run.run(stage, features) for stage in run.stages()}
    return folder, results, samples


def test_every_stage_learns(trained_folder):
    folder, results, _ = trained_folder
    assert results["1"]["after"] < 0.6 * results["1"]["before"]
    assert results["2"]["after"] < 0.6 * results["2"]["before"]
    assert results["3"]["after"] < results["3"]["before"]
    for name in ("lips", "expression", "head"):
        rows = read_log(folder / "encoders" / name / "log.csv")
        assert float(rows[-1]["loss"]) < float(rows[0]["loss"])


def test_stage_3_starts_where_stage_1_ended(trained_folder):
    """Present attention and MTA start at zero: the loss before stage 3 is stage 1's, to the bit."""
    _, results, _ = trained_folder
    assert results["3"]["before"] == results["1"]["after"]


def test_the_model_says_what_it_was_trained_on_and_how_far(trained_folder):
    folder, _, _ = trained_folder
    parts = MCDMParts.load(folder / "model")
    assert list(parts.facts["stages"]) == ["features", "encoders", "1", "2", "3"]
    assert parts.facts["stages"]["3"]["iterations"] == 20


def test_tokens_are_of_unit_scale_over_the_training_set(trained_folder):
    folder, _, _ = trained_folder
    clips = CachedClip.read_folder(folder / "features", split="train")
    tokens = torch.cat([clip.tokens_TKW for clip in clips])
    assert tokens.mean(dim=0).abs().max() < 1e-3
    moving = tokens.std(dim=0)
    assert moving.max() < 1.01


def test_a_sample_video_shows_real_and_made_side_by_side(trained_folder):
    folder, _, samples = trained_folder
    path, clip_id, pictures = samples[-1]
    assert path == folder / "samples" / "stage3-000020.mp4"
    assert clip_id == "clip2"
    assert pictures.shape == (24, 64, 128, 3)


def test_a_finished_stage_is_not_run_again(trained_folder):
    folder, _, _ = trained_folder
    assert course(folder).run("1") is None


def test_other_settings_of_a_finished_stage_are_refused(trained_folder):
    folder, _, _ = trained_folder
    other = course(folder, (*SHORT, "training.stage1.rate=0.5"))
    with pytest.raises(RecipeError, match="--fresh"):
        other.run("1")


def test_another_network_in_the_same_folder_is_refused(trained_folder):
    folder, _, _ = trained_folder
    with pytest.raises(RecipeError, match=r"temporal\.alpha"):
        course(folder, (*SHORT, "temporal.alpha=0.5"))


def test_a_stage_needs_the_ones_before(tmp_path):
    with pytest.raises(RecipeError, match="--stage features first"):
        course(tmp_path).run("2")


def test_features_need_a_data_set(tmp_path):
    with pytest.raises(RecipeError, match="--data"):
        course(tmp_path).run("features")


def test_a_folder_without_features_is_named(tmp_path):
    with pytest.raises(InputUnreadable, match="--stage features"):
        CachedClip.read_folder(tmp_path)


def test_fresh_takes_back_a_stage_and_all_after(tmp_path):
    run = course(tmp_path)
    run.run("features", features)
    run.forget("features")
    assert run.done() == {}
    assert not run.features_folder.exists()


@pytest.mark.parametrize("variant", ["ours", *ABLATIONS, "alpha_9"])
def test_every_variant_trains_and_generates(variant, tmp_path, monkeypatch):
    """A step of stages 1 and 3, nothing frozen moves, then a clip with and without guidance."""
    config = varied(preset("tiny"), variant).changed(
        [
            "training.stage1.iterations=1",
            "training.stage2.iterations=1",
            "training.stage3.iterations=1",
            "sampling.steps=2",
            "sampling.prior_steps=2",
        ]
    )
    monkeypatch.setattr(training_stage, "VALIDATION_BATCHES", 1)
    parts = MCDMParts.build(config)
    clip = made_clip(parts, 30)
    clip.tokens_TKW = torch.randn(30, config.present.tokens, config.present.token_width)
    for stage in ("1", "2", "3"):
        if stage == "2" and parts.motion_prior is None:
            continue
        parameters = trained(parts, stage)
        before = {name: tensor.detach().clone() for name, tensor in parameters.items()}
        frozen = tensors_sha256(parts.modules(), parameters)
        run_stage(parts, stage, [clip], [], tmp_path / stage)
        assert tensors_sha256(parts.modules(), parameters) == frozen
        assert any(not torch.equal(before[name], tensor) for name, tensor in parameters.items())
    parts.eval()
    for guidance in ("1.0", "2.0"):
        parts.config = config.changed([f"sampling.guidance={guidance}"])
        rollout = Rollout(parts)
        state = rollout.start(torch.full((64, 64, 3), 90, dtype=torch.uint8), 0)
        sound = sound_windows(clip.sound_TE, -config.present.overlap, parts.prior_frames, 2)
        first = rollout.clip(state, sound)
        second = rollout.clip(first.state, sound)
        assert second.frames_FHWC.shape == (8, 64, 64, 3)
        assert second.state.position == 16


def test_guided_training_drops_contexts_and_validation_does_not():
    parts = MCDMParts.build(preset("tiny").changed(["diffusion.drop=0.999999"]))
    clip = made_clip(parts, 30)
    clip.tokens_TKW = torch.randn(30, 3, 32)
    sampler = ClipSampler([clip], parts.config)
    batch = sampler.pictures(iteration_generator(0, 1), 2)
    for block in parts.unet.motion_blocks():
        torch.nn.init.normal_(block.attn_pres.to_out[0].weight)

    def loss(drop, tokens):
        other = copy.copy(batch)
        other.tokens_BFKT = tokens
        draws = iteration_generator(0, 2)
        with torch.no_grad():
            return float(picture_loss(parts, other, draws, motion=True, validating=not drop))

    changed = torch.randn_like(batch.tokens_BFKT)
    assert loss(True, batch.tokens_BFKT) == loss(True, changed)
    assert loss(False, batch.tokens_BFKT) != loss(False, changed)


def test_stage_3_learns_with_a_memory_carried_from_the_clip_before():
    """As at inference: clips before are sampled too, and what they leave is what is read."""
    parts = MCDMParts.build(preset("tiny"))
    clip = made_clip(parts, 40)
    clip.tokens_TKW = torch.randn(40, 3, 32)
    sampler = ClipSampler([clip], parts.config)
    batch = sampler.pictures(iteration_generator(0, 1), 3, carried=1.0)
    frames = clip.latents_TCHW.float()
    for item in range(3):
        present, before = batch.present_BFCHW[item], batch.before.present_BFCHW[item]
        start = next(t for t in range(8, 33) if torch.equal(frames[t : t + 8], present))
        assert torch.equal(before, frames[start - 8 : start])
        assert torch.equal(batch.archive_BACHW[item], before)
    for block in parts.unet.motion_blocks():
        torch.nn.init.normal_(block.mta.to_out[0].weight)

    def loss(given):
        with torch.no_grad():
            return float(picture_loss(parts, given, iteration_generator(0, 2), motion=True))

    alone = copy.copy(batch)
    alone.before = None
    other = copy.copy(batch)
    other.before = copy.copy(batch.before)
    other.before.present_BFCHW = torch.randn_like(batch.present_BFCHW)
    assert len({loss(batch), loss(alone), loss(other)}) == 3
    batch.before.reference_BCHW.requires_grad_(True)
    picture_loss(parts, batch, iteration_generator(0, 2), motion=True).backward()
    assert batch.before.reference_BCHW.grad is None


def test_fresh_starts_from_fresh_weights_not_from_what_was_trained(trained_folder, tmp_path):
    """It went on from the finished stage's own weights: stage 3 began where it had ended."""
    folder, results, _ = trained_folder
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    run = course(again)
    run.forget("3")
    parts = MCDMParts.load(again / "model")
    assert all(not block.mta.to_out[0].weight.any() for block in parts.unet.motion_blocks())
    assert list(parts.facts["stages"]) == ["features", "encoders", "1", "2"]
    assert run.run("3")["before"] == results["1"]["after"]


def test_a_model_that_is_gone_is_not_replaced_by_a_fresh_one(trained_folder, tmp_path):
    folder, _, _ = trained_folder
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    shutil.rmtree(again / "model")
    (again / "course.json").write_text(
        (folder / "course.json").read_text().replace('"3":', '"later":')
    )
    with pytest.raises(InputUnreadable, match="put it back"):
        course(again).run("3")
