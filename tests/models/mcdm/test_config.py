"""The configuration: presets, settings, and what is refused in one sentence."""

import dataclasses
import json

import pytest

from talkingface_wild.core.errors import RecipeError
from talkingface_wild.models.mcdm import PRESETS, MCDMConfig, MCDMParts, preset
from talkingface_wild.models.mcdm.config import ClipConfig


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    config = preset(name)
    assert config.name == name
    assert MCDMConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert config.changed([]) == config


def test_the_paper_is_the_default_and_as_published():
    paper = preset("paper")
    assert paper == MCDMConfig()
    assert (paper.picture.side, paper.picture.latent_side, paper.clip.frames) == (512, 64, 16)
    assert (paper.clip.archive_frames, paper.archived.queries) == (16, 16)
    assert (paper.picture.latent_side // paper.archived.patch) ** 2 == 256
    assert (paper.present.layers, paper.temporal.alpha) == (8, 0.1)
    assert (paper.diffusion.prediction, paper.diffusion.zero_snr) == ("epsilon", False)
    training = paper.training
    for stage in (training.stage1, training.stage2, training.stage3):
        assert (stage.iterations, stage.batch, stage.rate) == (30_000, 4, 1e-5)
        assert stage.schedule == "constant"


def test_robust_departs_from_it_where_long_videos_need_it():
    robust = preset("robust")
    assert robust.archived.anchor_reference and robust.archived.source == "latent"
    assert robust.diffusion.prediction == "v_prediction" and robust.diffusion.zero_snr
    assert robust.sampling.drift_gate and robust.trunk == preset("paper").trunk


def test_settings_are_typed_and_leave_the_rest():
    before = preset("tiny")
    after = before.changed(
        ["temporal.alpha=0.5", "trunk.channels=[32, 64]", "archived.anchor_reference=true",
         "training.stage1.iterations=7", " present.overlap = 0 "]
    )  # fmt: skip
    assert after.temporal.alpha == 0.5 and after.trunk.channels == (32, 64)
    assert after.archived.anchor_reference is True and after.training.stage1.iterations == 7
    assert after.present.overlap == 0
    assert after.training.stage1.rate == before.training.stage1.rate
    assert after.picture == before.picture and before.temporal.alpha == 0.1


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("temporal.alfa=0.5", "did you mean 'alpha'"),
        ("temporel.alpha=0.5", "did you mean 'temporal'"),
        ("training.stage1.iteration=5", "did you mean 'iterations'"),
        ("temporal.kind=memry", "did you mean 'memory'"),
        ("picture.side.x=1", "expects a whole number"),
        ("picture.side.x.y=1", "expects a whole number"),
        ("temporal.alpha", "Expected --set section.field=value"),
        ("temporal.alpha=much", "expects a number"),
        ("clip.frames=2.5", "expects a whole number"),
        ("temporal.qk_norm=perhaps", "expects true or false"),
        ("temporal=5", "expects a mapping"),
        ("training.stage1=none", "expects a mapping"),
    ],
)
def test_a_wrong_setting_is_one_sentence(setting, said):
    """``picture.side.x.y`` and ``temporal=5`` had ended in a traceback."""
    with pytest.raises(RecipeError) as caught:
        preset("tiny").changed([setting])
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["picture.side=66"], "multiple of 4"),
        (["archived.patch=3"], "divide the latent's side"),
        (["temporal.alpha=1"], "alpha must be below 1"),
        (["temporal.alpha=-0.1"], "alpha must be at least 0"),
        (["archived.context=aligned", "clip.archive_frames=4"], "as many archived"),
        (["archived.context=aligned", "archived.kind=none"], "needs an archive"),
        (["archived.context=aligned", "archived.kind=reference_unet"], "needs an archive"),
        (["present.overlap=8"], "fewer frames than a clip"),
        (["picture.shrink=0"], "shrink must be at least 1"),
        (["clip.frames=0", "present.overlap=0"], "frames must be at least 1"),
        (["present.lip_tokens=-2"], "lip_tokens must be at least 1"),
        (["trunk.channels=[32, 64, 64]"], "must be as many"),
        (["trunk.channels=[]", "trunk.attention=[]"], "channels must be at least 1"),
        (["trunk.heads=5"], "divide every trunk.channels"),
        (["archived.heads=5"], "archived.heads must divide"),
        (["present.heads=5"], "present.heads must divide"),
        (["picture.latent_channels=49"], "latent_channels must be at most"),
    ],
)
def test_what_cannot_be_built_is_refused_before_it_is(settings, said):
    """Where it was not, building stopped with an error of torch's, or at the first clip."""
    with pytest.raises(RecipeError, match=said):
        preset("tiny").changed(settings)


def test_an_unknown_preset_gives_the_nearest():
    with pytest.raises(RecipeError, match="found 'tinny' .did you mean 'tiny'"):
        preset("tinny")


def test_from_dict_names_the_document_and_the_place():
    with pytest.raises(RecipeError, match=r"mine\.json: 'temporal\.alfa' .*did you mean 'alpha'"):
        MCDMConfig.from_dict({"temporal": {"alfa": 1}}, "mine.json")
    with pytest.raises(RecipeError, match="temporal expects a mapping"):
        MCDMConfig.from_dict({"temporal": None})


def test_tiny_is_small_and_has_all_four_attentions():
    parts = MCDMParts.build(preset("tiny"))
    assert sum(p.numel() for p in parts.unet.parameters()) < 1.5e6
    blocks = parts.unet.motion_blocks()
    assert len(blocks) == 7 and all(block.mta.favor for block in blocks)


def test_a_bound_holds_however_a_config_is_made():
    """Only what came from a file was held to the bounds; a replaced field was believed."""
    with pytest.raises(ValueError, match="alpha"):
        dataclasses.replace(preset("tiny").temporal, alpha=2.0)
    with pytest.raises(ValueError, match="frames"):
        ClipConfig(frames=0)
