"""Published files arrive in the networks tensor by tensor, or not at all."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPVisionModel, Wav2Vec2Model

from talkingface_wild.core.errors import InputUnreadable, UsageError, WeightMissing
from talkingface_wild.models.loading import Coverage, cover_weights, load_weights
from talkingface_wild.models.mcdm.networks import MCDMParts
from tests.models.loading.published import small_parts, without, write_sharded

UNET_FILE = "unet/diffusion_pytorch_model.safetensors"


def by_group(coverages: list[Coverage]) -> dict[str, Coverage]:
    return {coverage.group: coverage for coverage in coverages}


def snapshot(parts: MCDMParts) -> dict[str, torch.Tensor]:
    return {
        f"{network}.{name}": value.clone()
        for network, module in parts.modules().items()
        for name, value in module.state_dict().items()
    }


def assert_unchanged(parts: MCDMParts, before: dict[str, torch.Tensor]) -> None:
    after = snapshot(parts)
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_sd15_fills_trunk_present_attention_and_reference_unet(files):
    parts = small_parts()
    fresh = {name: value.clone() for name, value in parts.unet.state_dict().items()}
    found = by_group(load_weights(parts, {"sd15": str(files / "sd15")}))
    official = UNet2DConditionModel.from_pretrained(files / "sd15/unet").state_dict()
    state = parts.unet.state_dict()
    assert all(torch.equal(state[name], value) for name, value in official.items())
    assert found["unet trunk"].loaded == tuple(n for n in state if n in official)
    assert found["unet trunk"].values == sum(v.numel() for v in official.values())

    assert len(found["present q,k,v"].loaded) == 3 * len(parts.unet.motion_blocks())
    for block in parts.unet.motion_blocks():
        for way in ("to_q", "to_k", "to_v"):
            present, text = getattr(block.attn_pres, way), getattr(block.attn2, way)
            assert torch.equal(present.weight, text.weight)
            assert present.weight.data_ptr() != text.weight.data_ptr()
        assert not block.attn_pres.to_out[0].weight.any()
        assert not block.mta.to_out[0].weight.any()

    reference = parts.reference_unet.state_dict()
    assert all(torch.equal(reference[name], value) for name, value in official.items())
    assert all(c.share == 1 and not c.unexpected for c in found.values())
    others = [n for n in state if n not in official and ".attn_pres.to_" not in n]
    assert others
    assert all(torch.equal(state[name], fresh[name]) for name in others)


def test_before_stage_3_a_loaded_unet_gives_what_the_official_one_gives(files):
    """With the same context tokens, our UNet without motion is Stable Diffusion's."""
    parts = small_parts("archived.kind=frame_aligned", "trunk.heads=4")
    load_weights(parts, {"sd15": str(files / "sd15")})
    official = UNet2DConditionModel.from_pretrained(files / "sd15/unet").eval()
    parts.unet.eval()
    random = torch.Generator().manual_seed(1)
    latents = torch.randn(1, 2, 4, 16, 16, generator=random)
    tokens = torch.randn(1, 8, 16, 64, generator=random)
    motion = torch.randn(1, 2, parts.config.present.tokens, 32, generator=random)
    with torch.no_grad():
        context = parts.unet.clip_context(tokens, motion, frames=2)
        ours = parts.unet(latents, 500, context).sample
        rows = tokens.flatten(1, 2).expand(2, -1, -1)
        theirs = official(latents[0], 500, rows).sample
    assert torch.allclose(ours[0], theirs, atol=1e-4 * theirs.abs().max().item())


@pytest.mark.parametrize("kind", ["folder", "vae folder", "bin", "sharded", "fp16"])
def test_vae_of_each_layout(files, tmp_path, kind):
    official = AutoencoderKL.from_pretrained(files / "sd15/vae").state_dict()
    source, tolerance = files / "sd15", 0.0
    if kind == "vae folder":
        source = files / "sd15/vae"
    elif kind != "folder":
        source = tmp_path
        state = load_file(files / "sd15/vae/diffusion_pytorch_model.safetensors")
        (tmp_path / "config.json").write_bytes((files / "sd15/vae/config.json").read_bytes())
        if kind == "bin":
            torch.save(state, tmp_path / "diffusion_pytorch_model.bin")
        elif kind == "sharded":
            write_sharded(state, tmp_path, "diffusion_pytorch_model")
        else:
            half, tolerance = {name: value.half() for name, value in state.items()}, 1e-3
            save_file(half, tmp_path / "diffusion_pytorch_model.fp16.safetensors")
    parts = small_parts()
    (coverage,) = load_weights(parts, {"vae": str(source)})
    loaded = parts.vae.state_dict()
    assert coverage.share == 1 and not coverage.unexpected
    assert loaded.keys() == official.keys()
    for name, value in official.items():
        assert torch.allclose(loaded[name], value, rtol=tolerance, atol=tolerance)
        assert loaded[name].dtype == torch.float32
    assert not parts.vae.training
    assert not any(p.requires_grad for p in parts.vae.parameters())


@pytest.mark.parametrize("layout", ["adapter", "animatediff", "animatediff/mm_sd_v15_v2.ckpt"])
def test_animatediff_under_both_namings(files, layout):
    parts = small_parts()
    (coverage,) = load_weights(parts, {"animatediff": str(files / layout)})
    adapter = MotionAdapter.from_pretrained(files / "adapter")
    sides = [*adapter.down_blocks, adapter.mid_block, *adapter.up_blocks]
    modules = [module for side in sides for module in side.motion_modules]
    blocks = parts.unet.motion_blocks()
    assert len(modules) == len(blocks)
    for module, block in zip(modules, blocks, strict=True):
        theirs = module.transformer_blocks[0]
        for way in ("to_q", "to_k", "to_v"):
            assert torch.equal(getattr(block.mta, way).weight, getattr(theirs.attn1, way).weight)
        assert torch.equal(block.norm_mta.weight, theirs.norm1.weight)
        assert torch.equal(block.norm_mta.bias, theirs.norm1.bias)
        assert not block.mta.to_out[0].weight.any()
    assert len(coverage.loaded) == 5 * len(blocks)
    assert not coverage.unexpected
    assert any("attn2" in name or "attention_blocks.1" in name for name in coverage.left_out)


def test_moore_fills_four_networks(files):
    parts = small_parts()
    found = by_group(load_weights(parts, {"moore": str(files / "moore")}))
    assert list(found) == [
        "unet trunk", "present q,k,v", "reference_unet", "pose guider", "temporal q,k,v",
    ]  # fmt: skip
    trunk = torch.load(files / "moore/denoising_unet.pth")
    state = parts.unet.state_dict()
    assert all(torch.equal(state[name], value) for name, value in trunk.items())
    reference = torch.load(files / "moore/reference_unet.pth")
    state = parts.reference_unet.state_dict()
    assert all(torch.equal(state[name], value) for name, value in reference.items())
    assert set(found["reference_unet"].idle) == {
        "conv_out.weight", "conv_out.bias", "conv_norm_out.weight", "conv_norm_out.bias",
    }  # fmt: skip
    guider = torch.load(files / "moore/pose_guider.pth")
    state = parts.landmark_guider.guider.state_dict()
    assert state.keys() == guider.keys()
    assert all(torch.equal(state[name], value) for name, value in guider.items())
    motion = torch.load(files / "moore/motion_module.pth")
    block = parts.unet.mid_block.attentions[0].transformer_blocks[0]
    theirs = "mid_block.motion_modules.0.temporal_transformer.transformer_blocks.0"
    assert torch.equal(block.mta.to_k.weight, motion[f"{theirs}.attention_blocks.0.to_k.weight"])
    assert all(coverage.share == 1 for coverage in found.values())


def test_moore_without_its_motion_modules_is_an_error(files, tmp_path):
    for name in ("denoising_unet", "reference_unet", "pose_guider"):
        (tmp_path / f"{name}.pth").symlink_to(files / f"moore/{name}.pth")
    parts = small_parts()
    before = snapshot(parts)
    with pytest.raises(WeightMissing, match=r"motion_module\.pth"):
        load_weights(parts, {"moore": str(tmp_path)})
    assert_unchanged(parts, before)


def test_clip_is_what_transformers_reads(files):
    parts = small_parts()
    (coverage,) = load_weights(parts, {"clip": str(files / "clip")})
    official, info = CLIPVisionModel.from_pretrained(files / "clip", output_loading_info=True)
    assert coverage.share == 1 and not coverage.unexpected
    assert set(coverage.left_out) == set(info["unexpected_keys"])
    state = official.state_dict()
    assert parts.image_encoder.state_dict().keys() == state.keys()
    for name, value in parts.image_encoder.state_dict().items():
        assert torch.equal(value, state[name])
    picture = torch.randn(1, 3, 28, 28)
    with torch.no_grad():
        ours = parts.image_encoder(picture).pooler_output
        assert torch.equal(ours, official.eval()(picture).pooler_output)
    assert parts.image_features.width == 48


def test_wav2vec2_is_what_transformers_reads_under_the_old_names_of_weight_norm(files):
    parts = small_parts()
    (coverage,) = load_weights(parts, {"audio_encoder": str(files / "wav2vec2")})
    official, info = Wav2Vec2Model.from_pretrained(files / "wav2vec2", output_loading_info=True)
    assert set(coverage.idle) == set(info["missing_keys"]) == {"masked_spec_embed"}
    assert set(coverage.left_out) == {"lm_head.weight", "lm_head.bias"}
    assert coverage.share == 1 and not coverage.unexpected
    sound = torch.randn(1, 4000)
    with torch.no_grad():
        ours = parts.audio_encoder(sound).last_hidden_state
        assert torch.equal(ours, official.eval()(sound).last_hidden_state)


def test_an_encoder_loaded_again_is_the_one_that_is_heard(files):
    parts = small_parts()
    load_weights(parts, {"wav2vec2": str(files / "wav2vec2")})
    assert parts.sound_features.model is parts.audio_encoder
    load_weights(parts, {"wav2vec2": str(files / "wav2vec2")})
    assert parts.sound_features.model is parts.audio_encoder


def test_two_per_cent_missing_raises_and_changes_nothing(files, tmp_path):
    full = load_file(files / "sd15" / UNET_FILE)
    save_file(without(full, 0.02), tmp_path / "unet.safetensors")
    parts = small_parts()
    before = snapshot(parts)
    sources = {"vae": str(files / "sd15"), "unet": str(tmp_path / "unet.safetensors")}
    with pytest.raises(WeightMissing) as caught:
        load_weights(parts, sources)
    message = str(caught.value)
    lost = [name for name in full if name not in without(full, 0.02)]
    assert "unet trunk" in message and "unet.safetensors" in message
    assert f"{len(full) - len(lost)} (" in message and str(len(full)) in message
    assert any(name in message for name in lost)
    assert_unchanged(parts, before)
    assert parts.vae is None


def test_half_a_per_cent_missing_loads_and_is_reported(files, tmp_path):
    full = load_file(files / "sd15" / UNET_FILE)
    kept = without(full, 0.005)
    (lost,) = full.keys() - kept.keys()
    save_file(kept, tmp_path / "unet.safetensors")
    parts = small_parts()
    fresh = parts.unet.state_dict()[lost].clone()
    trunk = load_weights(parts, {"unet": str(tmp_path / "unet.safetensors")})[0]
    assert trunk.missing == (lost,)
    assert 0.99 <= trunk.share < 1
    assert lost in str(trunk)
    assert torch.equal(parts.unet.state_dict()[lost], fresh)
    assert torch.equal(parts.unet.conv_in.weight, full["conv_in.weight"])


def test_motion_modules_without_the_middle_one_are_not_enough(files, tmp_path):
    """The first AnimateDiff has no module there; a loader that isn't strict says nothing."""
    raw = torch.load(files / "animatediff/mm_sd_v15_v2.ckpt")
    older = {name: value for name, value in raw.items() if "mid_block" not in name}
    torch.save(older, tmp_path / "mm_sd_v15.ckpt")
    with pytest.raises(WeightMissing, match=r"temporal q,k,v.*mid_block.*mm_sd_v15_v2\.ckpt"):
        load_weights(small_parts(), {"animatediff": str(tmp_path)})


def test_a_wrong_shape_is_named(files, tmp_path):
    state = load_file(files / "sd15" / UNET_FILE)
    state["conv_in.weight"] = torch.zeros(32, 9, 3, 3)
    save_file(state, tmp_path / "inpainting.safetensors")
    parts = small_parts()
    before = snapshot(parts)
    with pytest.raises(InputUnreadable) as caught:
        load_weights(parts, {"unet": str(tmp_path / "inpainting.safetensors")})
    assert "conv_in.weight as (32, 9, 3, 3) instead of (32, 4, 3, 3)" in str(caught.value)
    assert_unchanged(parts, before)


def test_weights_of_whole_numbers_are_refused(files, tmp_path):
    state = load_file(files / "sd15" / UNET_FILE)
    state["conv_in.bias"] = torch.zeros(32, dtype=torch.int8)
    save_file(state, tmp_path / "quantized.safetensors")
    with pytest.raises(InputUnreadable, match=r"conv_in\.bias as \(32,\) int8"):
        load_weights(small_parts(), {"unet": str(tmp_path / "quantized.safetensors")})


def test_a_checkpoint_of_something_else_shows_what_it_has(files):
    with pytest.raises(WeightMissing, match=r"found 0 \(0\.0 %\).*which has for instance"):
        load_weights(small_parts(), {"unet": str(files / "clip/model.safetensors")})


def test_one_network_goes_before_moore_and_moore_before_sd15(files):
    parts = small_parts()
    sources = {
        "animatediff": str(files / "animatediff"),
        "sd15": str(files / "sd15"),
        "moore": str(files / "moore"),
    }
    found = by_group(load_weights(parts, sources))
    assert "moore" in found["unet trunk"].source
    assert "moore" in found["reference_unet"].source
    assert "mm_sd_v15_v2.ckpt" in found["temporal q,k,v"].source


def test_unknown_and_unfitting_names():
    parts = small_parts("archived.kind=frame_aligned", "picture.codec=pca")
    with pytest.raises(UsageError, match="did you mean 'animatediff'"):
        load_weights(parts, {"animatedif": "x"})
    with pytest.raises(UsageError, match="no reference UNet"):
        load_weights(parts, {"reference_unet": "x"})
    with pytest.raises(UsageError, match="codec is pca"):
        load_weights(parts, {"vae": "x"})
    with pytest.raises(UsageError, match="found two"):
        load_weights(parts, {"clip": "x", "image_encoder": "y"})


def test_features_of_another_width_and_another_network_are_refused(files, tmp_path):
    with pytest.raises(InputUnreadable, match="features 1024 wide.*found 48"):
        load_weights(small_parts("present.image_width=1024"), {"clip": str(files / "clip")})
    with pytest.raises(InputUnreadable, match="of wav2vec2 in .*found 'clip'"):
        load_weights(small_parts(), {"wav2vec2": str(files / "clip")})
    with pytest.raises(InputUnreadable, match="8 times smaller .*4 times"):
        load_weights(small_parts("picture.shrink=8"), {"vae": str(files / "sd15")})
    lonely = tmp_path / "model.safetensors"
    lonely.write_bytes((files / "clip/model.safetensors").read_bytes())
    with pytest.raises(InputUnreadable, match="config.json"):
        load_weights(small_parts(), {"clip": str(lonely)})


def test_looking_changes_nothing_and_never_raises_for_gaps(files, tmp_path):
    full = load_file(files / "sd15" / UNET_FILE)
    save_file(without(full, 0.3), tmp_path / "unet.safetensors")
    parts = small_parts()
    before = snapshot(parts)
    trunk = cover_weights(parts, {"unet": str(tmp_path / "unet.safetensors")})[0]
    assert 0.69 < trunk.share < 0.71
    assert_unchanged(parts, before)


def test_loaded_weights_survive_saving(files, tmp_path: Path):
    parts = small_parts()
    sources = {"moore": "moore", "vae": "sd15", "clip": "clip", "wav2vec2": "wav2vec2"}
    load_weights(parts, {name: str(files / folder) for name, folder in sources.items()})
    before = snapshot(parts)
    parts.save(tmp_path / "model")
    assert_unchanged(MCDMParts.load(tmp_path / "model"), before)
