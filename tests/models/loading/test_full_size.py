"""Names and sizes of the published networks at full size, on the meta device."""

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from transformers import CLIPConfig, CLIPModel, Wav2Vec2Config, Wav2Vec2ForCTC

from talkingface_wild.models.loading import animation, frozen, stable_diffusion
from talkingface_wild.models.loading.match_tensors import WeightFile, place
from talkingface_wild.models.mcdm import MCDMUNet
from talkingface_wild.models.mcdm.weight_slots import TEMPORAL, place_unet
from talkingface_wild.models.networks.pose_guider import LandmarkGuider
from talkingface_wild.models.networks.reference_unet import ReferenceUNet
from talkingface_wild.models.networks.trunk import TrunkConfig
from tests.models.loading.published import raw_motion


def of(source, tensors, path=Path()):
    return WeightFile(tensors, path, source)


@pytest.fixture(scope="module")
def unet():
    with torch.device("meta"):
        return MCDMUNet()


def sd15():
    """The configuration that stable-diffusion-v1-5's unet/config.json publishes."""
    with torch.device("meta"):
        return UNet2DConditionModel(
            sample_size=64, cross_attention_dim=768, attention_head_dim=8,
            block_out_channels=(320, 640, 1280, 1280), layers_per_block=2,
        ).state_dict()  # fmt: skip


def test_sd15_is_covered_whole(unet):
    official = sd15()
    trunk, present = (p.coverage for p in place_unet(unet, TrunkConfig(), of("sd15", official)))
    assert len(official) == len(trunk.loaded) == 686
    assert (trunk.share, trunk.missing, trunk.unexpected, trunk.mismatched) == (1, (), (), ())
    assert trunk.values == pytest.approx(859.52e6, rel=1e-3)
    assert len(present.loaded) == 48
    widths = {320: 5, 640: 5, 1280: 6}
    assert present.values == sum(n * (c * c + 2 * 768 * c) for c, n in widths.items())


def test_reference_unet_of_both_sources():
    with torch.device("meta"):
        reference = ReferenceUNet.of(TrunkConfig(), 4, 64)
    official = sd15()
    whole = stable_diffusion.place_reference(reference, TrunkConfig(), of("sd15", official))
    assert len(whole.coverage.loaded) == 686
    moores = {n: v for n, v in official.items() if not n.startswith(("conv_out", "conv_norm_out"))}
    cut = stable_diffusion.place_reference(reference, TrunkConfig(), of("moore", moores))
    assert (len(cut.coverage.loaded), len(cut.coverage.idle), cut.coverage.share) == (682, 4, 1)


def test_animatediff_has_21_modules_of_which_16_are_used(unet):
    with torch.device("meta"):
        adapter = MotionAdapter()
    official = adapter.state_dict()
    assert len(official) == 567
    assert sum(p.numel() for p in adapter.parameters()) == pytest.approx(453.2e6, rel=1e-3)
    assert len({_module(name) for name in official}) == 21
    for tensors in (official, raw_motion(official)):
        placement = animation.place_temporal(unet, TEMPORAL, of("animatediff", tensors))
        coverage = placement.coverage
        assert (len(coverage.loaded), coverage.share, coverage.unexpected) == (80, 1, ())
        assert len(coverage.left_out) == len(tensors) - 80
        used = {_module(name) for name in tensors if name not in coverage.left_out}
        assert len(used) == 16
        assert not any(name.startswith(("down_blocks.3", "up_blocks.0")) for name in used)


def _module(name):
    side, _, rest = name.partition(".motion_modules.")
    return f"{side}.{rest.split('.')[0]}"


def test_vae_is_covered_whole():
    """The configuration that sd-vae-ft-mse publishes, and the one for files without any."""
    with torch.device("meta"):
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
        )  # fmt: skip
    official = vae.state_dict()
    names = stable_diffusion.vae_names(vae, 4)
    coverage = place("vae", "x", vae, names, official).coverage
    assert (len(coverage.loaded), coverage.share, coverage.unexpected) == (248, 1, ())
    assert coverage.values == pytest.approx(83.65e6, rel=1e-3)


def test_pose_guider_is_covered_whole():
    with torch.device("meta"):
        guider = LandmarkGuider()
        official = ControlNetConditioningEmbedding(320, block_out_channels=(16, 32, 96, 256))
    placement = animation.place_guider(guider, of("moore", official.state_dict()))
    assert placement.coverage.share == 1
    assert placement.coverage.values == 1_086_480


def test_encoders_are_covered_whole(tmp_path):
    """By the published configurations; the files hold a text encoder and a CTC head besides."""
    vision = {
        "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "patch_size": 14,
    }  # fmt: skip
    config = CLIPConfig(vision_config=vision, projection_dim=768)
    with torch.device("meta"):
        whole = CLIPModel(config).state_dict()
    config.save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    with torch.device("meta"):
        clip = frozen.place_clip(of("clip", whole, file), 1024, print)
    assert (clip.coverage.share, clip.coverage.unexpected) == (1, ())
    assert clip.coverage.values == pytest.approx(303e6, rel=2e-3)

    config = Wav2Vec2Config()
    with torch.device("meta"):
        whole = Wav2Vec2ForCTC(config).state_dict()
    config.save_pretrained(tmp_path)
    del whole["wav2vec2.masked_spec_embed"]
    with torch.device("meta"):
        sound = frozen.place_wav2vec2(of("wav2vec2", whole, file), 768, print)
    assert (sound.coverage.share, sound.coverage.unexpected) == (1, ())
    assert sound.coverage.idle == ("masked_spec_embed",)
    assert sound.coverage.values == pytest.approx(94.37e6, rel=1e-3)
