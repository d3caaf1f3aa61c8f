"""Fills a model from published checkpoints: everything is checked before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import nn

from talkingface_wild.models.loading.animatediff import place_temporal
from talkingface_wild.models.loading.coverage import LEAST, Coverage
from talkingface_wild.models.loading.frozen import place_clip, place_wav2vec2
from talkingface_wild.models.loading.locating import locate
from talkingface_wild.models.loading.moore import place_guider
from talkingface_wild.models.loading.placing import Placement
from talkingface_wild.models.loading.reading import read_tensors
from talkingface_wild.models.loading.sources import Request, requests
from talkingface_wild.models.loading.stable_diffusion import (
    place_reference,
    place_trunk,
    place_vae,
)
from talkingface_wild.models.mcdm.parts import MCDMParts


def cover_weights(parts: MCDMParts, sources: Mapping[str, str]) -> list[Coverage]:
    """What ``load_weights`` would load; the model is left as it is."""
    return [placement.coverage for placement in _placements(parts, sources)]


def load_weights(
    parts: MCDMParts, sources: Mapping[str, str], least: float = LEAST
) -> list[Coverage]:
    """Fill the networks from ``sources``, name to folder, file or hub name (see ``sources``).

    Returns:
        The coverage of each group that was asked for.

    Raises:
        UsageError: an unknown name, or one that this model has no place for.
        WeightMissing, InputUnreadable: a file is not there, is broken, or covers less than
            ``least`` of its group. Then nothing was changed.
        NetworkUnavailable: a hub name that is not on this machine, and no network.
    """
    placements = _placements(parts, sources)
    for placement in placements:
        placement.coverage.check(least)
    if any(tensor.is_meta for p in placements for tensor in p.module.state_dict().values()):
        raise ValueError("the model is on the meta device, which holds no weights")
    for placement in placements:
        placement.put()
    return [placement.coverage for placement in placements]


def _placements(parts: MCDMParts, sources: Mapping[str, str]) -> list[Placement]:
    return [
        placement
        for request in requests(parts, sources)
        for placement in _of_request(parts, request)
    ]


def _of_request(parts: MCDMParts, request: Request) -> list[Placement]:
    file, source = locate(request.source, request.layout)
    config = parts.config
    tensors = read_tensors(file)
    networks = parts.modules()
    match request.network:
        case "unet":
            return place_trunk(networks["unet"], config.trunk, tensors, source)
        case "reference_unet":
            return place_reference(networks["reference_unet"], config.trunk, tensors, source)
        case "temporal":
            return place_temporal(networks["unet"], tensors, source)
        case "pose_guider":
            return place_guider(networks["landmark_guider"], tensors, source)
        case "vae":
            return place_vae(tensors, file, config.picture, source, _attach(parts, "vae"))
        case "clip":
            width, attach = config.present.image_width, _attach(parts, "image_encoder")
            return place_clip(tensors, file, width, source, attach)
        case "wav2vec2":
            width, attach = config.present.audio_width, _attach(parts, "audio_encoder")
            return place_wav2vec2(tensors, file, width, source, attach)
    raise ValueError(f"no network {request.network!r}")


def _attach(parts: MCDMParts, name: str) -> Callable[[nn.Module], None]:
    """Makes a new frozen network one of the model's."""

    def attach(module: nn.Module) -> None:
        setattr(parts, name, module.to(parts.device).eval().requires_grad_(False))
        if name == "audio_encoder":
            # What is kept there was made of the encoder before this one.
            parts._sound = None

    return attach
