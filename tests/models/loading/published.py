"""Checkpoints of the official layouts at reduced size, their values made by the goldens' filler."""

import json
from pathlib import Path
from types import ModuleType

import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel
from diffusers.models.controlnets.controlnet import ControlNetConditioningEmbedding
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import CLIPConfig, CLIPModel, Wav2Vec2Config, Wav2Vec2ForCTC

from talkingface_wild.models.mcdm.config import MCDMConfig, preset
from talkingface_wild.models.mcdm.networks import MCDMParts

SEED = 20_261_120

State = dict[str, Tensor]


def small_config(*settings: str) -> MCDMConfig:
    """The tiny preset, but with every network that takes published weights."""
    return preset("tiny").changed(
        [
            "archived.kind=reference_unet",
            "picture.codec=vae",
            "picture.latent_channels=4",
            "present.head=landmarks",
            "present.audio=wav2vec2",
            "present.audio_width=32",
            "present.image=clip",
            "present.image_width=48",
            *settings,
        ]
    )


def small_parts(*settings: str) -> MCDMParts:
    torch.manual_seed(0)
    return MCDMParts.build(small_config(*settings))


def unet() -> nn.Module:
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64),
        down_block_types=("CrossAttnDownBlock2D",) * 2,
        up_block_types=("CrossAttnUpBlock2D",) * 2,
        layers_per_block=1,
        attention_head_dim=4,
        norm_num_groups=8,
        cross_attention_dim=64,
    )


def vae() -> nn.Module:
    return AutoencoderKL(
        block_out_channels=(8, 8, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        layers_per_block=1,
        norm_num_groups=4,
        latent_channels=4,
    )


def adapter() -> nn.Module:
    return MotionAdapter(
        block_out_channels=(32, 64),
        motion_layers_per_block=1,
        motion_num_attention_heads=4,
        motion_norm_num_groups=8,
    )


def clip() -> nn.Module:
    sides = {"num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37}
    text = sides | {"hidden_size": 32, "vocab_size": 50, "bos_token_id": 0, "eos_token_id": 1}
    vision = sides | {"hidden_size": 48, "image_size": 28, "patch_size": 14}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16))


def wav2vec2() -> nn.Module:
    return Wav2Vec2ForCTC(
        Wav2Vec2Config(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=37,
            conv_dim=(16,) * 7,
            num_conv_pos_embeddings=16,
            num_conv_pos_embedding_groups=2,
            vocab_size=10,
        )
    )


def raw_motion(state: State) -> State:
    """The names of AnimateDiff's own files, as its published code builds them."""
    renamed = {}
    for name, value in state.items():
        module, _, rest = name.partition(".motion_modules.")
        number, _, rest = rest.partition(".")
        if rest.endswith("pos_embed.pe"):
            for attention in (0, 1):
                end = f"transformer_blocks.0.attention_blocks.{attention}.pos_encoder.pe"
                renamed[f"{module}.motion_modules.{number}.temporal_transformer.{end}"] = value
            continue
        for ours, theirs in (
            ("norm1", "norms.0"), ("norm2", "norms.1"), ("norm3", "ff_norm"),
            ("attn1", "attention_blocks.0"), ("attn2", "attention_blocks.1"),
        ):  # fmt: skip
            rest = rest.replace(f"blocks.0.{ours}.", f"blocks.0.{theirs}.")
        renamed[f"{module}.motion_modules.{number}.temporal_transformer.{rest}"] = value
    return renamed


def make(folder: Path, filler: ModuleType) -> None:
    """Write every checkpoint below ``folder``."""
    filled = {
        name: filler.fill_module(maker(), SEED + index)
        for index, (name, maker) in enumerate(
            {
                "sd15/unet": unet, "sd15/vae": vae, "adapter": adapter, "clip": clip,
                "wav2vec2": wav2vec2, "moore/denoising": unet, "moore/reference": unet,
                "moore/motion": adapter,
            }.items()
        )
    }  # fmt: skip
    for name in ("sd15/unet", "adapter", "clip"):
        filled[name].save_pretrained(folder / name)
    (folder / "sd15/model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')

    # The published VAE has the attention's names of diffusers before 0.15.
    old = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    state = {}
    for name, value in filled["sd15/vae"].state_dict().items():
        for new, before in old.items():
            name = name.replace(f"attentions.0.{new}.", f"attentions.0.{before}.")
        state[name] = value.contiguous()
    filled["sd15/vae"].save_config(folder / "sd15/vae")
    save_file(state, folder / "sd15/vae/diffusion_pytorch_model.safetensors")

    # wav2vec2-base-960h: weight norm's old names, no masked_spec_embed, a pickle beside it.
    filled["wav2vec2"].config.save_pretrained(folder / "wav2vec2")
    state = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): value
        for name, value in filled["wav2vec2"].state_dict().items()
        if "masked_spec_embed" not in name
    }
    torch.save(state, folder / "wav2vec2/pytorch_model.bin")

    (folder / "animatediff").mkdir()
    raw = raw_motion(filled["adapter"].state_dict())
    torch.save(raw, folder / "animatediff/mm_sd_v15_v2.ckpt")

    moore = folder / "moore"
    moore.mkdir(exist_ok=True)
    torch.save(filled["moore/denoising"].state_dict(), moore / "denoising_unet.pth")
    reference = filled["moore/reference"].state_dict()
    kept = {n: v for n, v in reference.items() if not n.startswith(("conv_out", "conv_norm_out"))}
    torch.save(kept, moore / "reference_unet.pth")
    torch.save(raw_motion(filled["moore/motion"].state_dict()), moore / "motion_module.pth")
    guider = ControlNetConditioningEmbedding(64, block_out_channels=(8, 16, 32, 32))
    torch.save(filler.fill_module(guider, SEED).state_dict(), moore / "pose_guider.pth")


def without(state: State, share: float) -> State:
    """A state without ``share`` of its tensors, spread over it; at least one is left out."""
    names = list(state)
    count = max(1, round(len(names) * share))
    dropped = {names[(2 * i + 1) * len(names) // (2 * count)] for i in range(count)}
    return {name: value for name, value in state.items() if name not in dropped}


def write_sharded(state: State, folder: Path, stem: str) -> None:
    """Two shards and their index."""
    names = list(state)
    half = len(names) // 2
    where = {}
    for number, part in enumerate((names[:half], names[half:]), start=1):
        shard = f"{stem}-{number:05d}-of-00002.safetensors"
        save_file({name: state[name].contiguous() for name in part}, folder / shard)
        where |= dict.fromkeys(part, shard)
    index = {"metadata": {}, "weight_map": where}
    (folder / f"{stem}.safetensors.index.json").write_text(json.dumps(index))
