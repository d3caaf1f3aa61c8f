"""Reads the networks of a checkpoint, each from its folder; what does not fit is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import nn

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.mcdm.archived_prior import ArchivedClipPrior
from talkingface_wild.models.mcdm.codec import PatchCodec
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.encoders import ExpressionEncoder, HeadEncoder, LipEncoder
from talkingface_wild.models.mcdm.landmarks import LandmarkGuider
from talkingface_wild.models.mcdm.present_prior import PresentClipPrior
from talkingface_wild.models.mcdm.reference_unet import ReferenceUNet
from talkingface_wild.models.mcdm.unet import MCDMUNet


def load_modules(config: MCDMConfig, folder: Path) -> dict[str, Any]:
    """The networks of a checkpoint by name. Raises InputUnreadable for what is missing or broken.

    Every folder that is there is read; those that the configuration needs must be.
    """
    from diffusers import AutoencoderKL
    from transformers import CLIPVisionModel, Wav2Vec2Model

    kinds: dict[str, Any] = {
        "unet": MCDMUNet,
        "archived_prior": ArchivedClipPrior,
        "motion_prior": PresentClipPrior,
        "reference_unet": ReferenceUNet,
        "vae": AutoencoderKL,
        "patch_codec": PatchCodec,
        "audio_encoder": Wav2Vec2Model,
        "image_encoder": CLIPVisionModel,
        "landmark_guider": LandmarkGuider,
        "lip_encoder": LipEncoder,
        "expression_encoder": ExpressionEncoder,
        "head_encoder": HeadEncoder,
    }
    found: dict[str, nn.Module] = {}
    for name, kind in kinds.items():
        if not (folder / name).is_dir():
            continue
        try:
            network, told = kind.from_pretrained(
                folder / name, local_files_only=True, use_safetensors=True, output_loading_info=True
            )
            found[name] = _copied(network)
            _refuse_gaps(told)
        except (OSError, ValueError, RuntimeError, SafetensorError, KeyError, TypeError) as error:
            raise InputUnreadable(
                f"Expected the network {name!r} in {folder}, found none that can be read "
                f"({str(error).splitlines()[0][:200]}); take a checkpoint that is complete."
            ) from error
    needed = ["unet", "archived_prior"]
    if config.present.kind == "prior":
        needed.append("motion_prior")
    if config.archived.kind == "reference_unet":
        needed.append("reference_unet")
    lacking = [name for name in needed if name not in found]
    if lacking:
        raise InputUnreadable(
            f"Expected the networks {', '.join(lacking)} in {folder}, found none; take a "
            "checkpoint that is complete."
        )
    return found


def _refuse_gaps(told: dict[str, Any]) -> None:
    """ValueError where a network's file lacks tensors, or has others: libraries only warn."""
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        names = sorted(map(str, told.get(kind) or ()))
        if names:
            raise ValueError(f"{kind.replace('_keys', '')} tensors: {', '.join(names[:3])}")


def _copied(network: nn.Module) -> nn.Module:
    """The network with tensors of its own. In a mapped file they begin anywhere, and where a tensor
    begins changes the last bits of what is computed with it."""
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data = tensor.data.clone()
    return network
