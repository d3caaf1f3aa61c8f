"""The original names, against diffusers' own converter."""

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import (
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
)
from safetensors.torch import save_file

from talkingface_wild.models.loading import load_weights
from talkingface_wild.models.loading.stable_diffusion import unet_name, vae_name
from tests.models.loading import published

KINDS = {
    "full": {},
    "no attention above": {
        "block_out_channels": (32, 64),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 3,
    },
    "attention everywhere": {
        "block_out_channels": (32, 64),
        "down_block_types": ("CrossAttnDownBlock2D",) * 2,
        "up_block_types": ("CrossAttnUpBlock2D",) * 2,
        "layers_per_block": 1,
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_unet_names_are_those_that_diffusers_converts_back(kind):
    with torch.device("meta"):
        unet = UNet2DConditionModel(cross_attention_dim=768, **KINDS[kind])
    layers = unet.config.layers_per_block
    attention = tuple(t.startswith("Cross") for t in unet.config.down_block_types)
    official = unet.state_dict()
    original = {
        f"model.diffusion_model.{unet_name(name, layers, attention)}": value
        for name, value in official.items()
    }
    assert len(original) == len(official)
    back = convert_ldm_unet_checkpoint(original, dict(unet.config))
    assert back.keys() == official.keys()
    assert all(back[name] is value for name, value in official.items())


def test_a_few_unet_names_as_they_are_published():
    """Read off v1-5-pruned-emaonly's list of tensors."""
    attention = (True, True, True, False)
    for ours, theirs in {
        "time_embedding.linear_2.bias": "time_embed.2.bias",
        "down_blocks.1.resnets.0.conv_shortcut.weight": "input_blocks.4.0.skip_connection.weight",
        "down_blocks.2.downsamplers.0.conv.weight": "input_blocks.9.0.op.weight",
        "up_blocks.0.upsamplers.0.conv.bias": "output_blocks.2.1.conv.bias",
        "up_blocks.1.upsamplers.0.conv.bias": "output_blocks.5.2.conv.bias",
        "up_blocks.3.attentions.2.proj_in.weight": "output_blocks.11.1.proj_in.weight",
        "conv_norm_out.weight": "out.0.weight",
    }.items():
        assert unet_name(ours, 2, attention) == theirs


@pytest.mark.parametrize("levels", [3, 4])
def test_vae_names_are_those_that_diffusers_converts_back(levels):
    vae = AutoencoderKL(
        block_out_channels=(8, 8, 16, 16)[:levels],
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        layers_per_block=2,
        norm_num_groups=4,
    )
    official = vae.state_dict()
    original = {f"first_stage_model.{vae_name(n, levels)}": v for n, v in official.items()}
    assert len(original) == len(official)
    back = convert_ldm_vae_checkpoint(original, dict(vae.config))
    assert back.keys() == official.keys()
    assert all(torch.equal(back[name], official[name]) for name in official)


def test_a_single_original_file_fills_unet_and_leaves_the_rest(files, tmp_path):
    """A whole pruned checkpoint: UNet, VAE with attention as convolutions, text, schedule."""
    unet = UNet2DConditionModel.from_pretrained(files / "sd15/unet").state_dict()
    vae = AutoencoderKL.from_pretrained(files / "sd15/vae").state_dict()
    original = {
        f"model.diffusion_model.{unet_name(n, 1, (True, True))}": v for n, v in unet.items()
    }
    for name, value in vae.items():
        other = f"first_stage_model.{vae_name(name, 3)}"
        convolution = ".attn_1." in other and value.ndim == 2
        original[other] = value[:, :, None, None] if convolution else value
    original["cond_stage_model.transformer.text_model.final_layer_norm.bias"] = torch.zeros(3)
    original["betas"] = torch.zeros(1000)
    original["model.diffusion_model.extra.weight"] = torch.zeros(1)
    save_file(
        {n: v.contiguous() for n, v in original.items()}, tmp_path / "v1-5-pruned.safetensors"
    )
    (tmp_path / "config.json").write_bytes((files / "sd15/vae/config.json").read_bytes())
    parts = published.small_parts()
    trunk, _, reference, latents = load_weights(
        parts, {"sd15": str(tmp_path), "vae": str(tmp_path)}
    )
    state = parts.unet.state_dict()
    assert all(torch.equal(state[name], value) for name, value in unet.items())
    assert all(torch.equal(parts.vae.state_dict()[name], value) for name, value in vae.items())
    assert trunk.unexpected == reference.unexpected == ("model.diffusion_model.extra.weight",)
    assert len(trunk.left_out) == len(vae) + 2
    assert not latents.unexpected
