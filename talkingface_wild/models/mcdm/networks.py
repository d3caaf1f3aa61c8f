"""The networks of one MCDM, side by side: built fresh, saved to and read from a folder.

Shapes: B clips, F frames, A archived frames, C H W a latent, S E image features, K T motion tokens.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler
from safetensors import SafetensorError
from torch import Tensor, nn

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.conditions import images
from talkingface_wild.models.conditions.codec import Codec, PatchCodec, VaeCodec
from talkingface_wild.models.conditions.sound_features import (
    MelFeatures,
    SoundFeatures,
    Wav2Vec2Features,
)
from talkingface_wild.models.loading.slots import Slot
from talkingface_wild.models.mcdm.archived_prior import ArchivedClipPrior
from talkingface_wild.models.mcdm.block import ClipContext
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.encoders import ExpressionEncoder, HeadEncoder, LipEncoder
from talkingface_wild.models.mcdm.present_prior import PresentClipPrior
from talkingface_wild.models.mcdm.unet import MCDMUNet
from talkingface_wild.models.networks.pose_guider import LandmarkGuider
from talkingface_wild.models.networks.reference_unet import ReferenceUNet
from talkingface_wild.models.samplers.noise import make_noise

CONFIG_NAME = "mcdm.json"
Build = Callable[[MCDMConfig], nn.Module | None]


def crop_sides(config: MCDMConfig) -> dict[str, int]:
    """Sides of the lip, expression and head crops: less where frames are small."""
    lip, expression = (24, 32) if config.picture.side < 256 else (96, 112)
    return {"lip": lip, "expression": expression, "head": 32}


def _reference_unet(config: MCDMConfig) -> ReferenceUNet | None:
    if config.archived.kind != "reference_unet":
        return None
    picture = config.picture
    return ReferenceUNet.of(config.trunk, picture.latent_channels, picture.latent_side)


def _patch_codec(config: MCDMConfig) -> PatchCodec | None:
    picture = config.picture
    return PatchCodec(picture.shrink, picture.latent_channels) if picture.codec == "pca" else None


def _landmark_guider(config: MCDMConfig) -> LandmarkGuider | None:
    if config.present.head != "landmarks":
        return None
    small = config.picture.side < 256
    return LandmarkGuider(
        channels=64 if small else 320,
        widths=(8, 16, 32, 32) if small else (16, 32, 96, 256),
        tokens=config.present.head_tokens,
        token_width=config.present.token_width,
        side=config.picture.side,
        landmarks=config.present.landmarks,
    )


def _crop_encoder(kind: Any, stream: str) -> Build:
    def build(config: MCDMConfig) -> nn.Module | None:
        present, side = config.present, crop_sides(config)[stream]
        if stream == "head" and present.head != "face_crop":
            return None
        small = config.picture.side < 256 or stream == "head"
        widths = (16, 32, 64) if small else (32, 64, 128, 256)
        window = 5 if stream == "lip" else 1
        return kind(side, window, widths, getattr(present, f"{stream}_tokens"), present.token_width)

    return build


def _network(kind: Any, build: Build | None = None) -> Any:
    """A field of the list: the network's class (or where it is), and what makes a fresh one.

    Without ``build`` it only exists trained, and is None until weights are loaded.
    """
    return field(default=None, metadata={"kind": kind, "build": build})


@dataclass
class MCDMParts:
    """All networks of a model. Those that a variant lacks, or that were not given, are None.

    The fields are the one list of them: each is saved in a folder of its name.
    """

    config: MCDMConfig
    unet: MCDMUNet = _network(MCDMUNet, MCDMUNet.of)
    archived_prior: ArchivedClipPrior = _network(ArchivedClipPrior, ArchivedClipPrior.of)
    motion_prior: PresentClipPrior | None = _network(PresentClipPrior, PresentClipPrior.of)
    reference_unet: ReferenceUNet | None = _network(ReferenceUNet, _reference_unet)
    vae: AutoencoderKL | None = _network(AutoencoderKL)
    patch_codec: PatchCodec | None = _network(PatchCodec, _patch_codec)
    audio_encoder: nn.Module | None = _network("transformers.Wav2Vec2Model")
    image_encoder: nn.Module | None = _network("transformers.CLIPVisionModel")
    landmark_guider: LandmarkGuider | None = _network(LandmarkGuider, _landmark_guider)
    lip_encoder: LipEncoder | None = _network(LipEncoder, _crop_encoder(LipEncoder, "lip"))
    expression_encoder: ExpressionEncoder | None = _network(
        ExpressionEncoder, _crop_encoder(ExpressionEncoder, "expression")
    )
    head_encoder: HeadEncoder | None = _network(HeadEncoder, _crop_encoder(HeadEncoder, "head"))
    facts: dict[str, Any] = field(default_factory=dict)
    """What the model was trained on and how far (R33); every file made with it repeats this."""

    def __post_init__(self) -> None:
        self.noise: DDIMScheduler = make_noise(self.config.diffusion)
        self.prior_noise: DDIMScheduler = make_noise(self.config.prior_diffusion)
        self._sound: tuple[nn.Module | None, SoundFeatures] | None = None

    @classmethod
    def networks(cls) -> dict[str, Mapping[str, Any]]:
        """The ``kind`` and ``build`` of every network, by name."""
        return {f.name: f.metadata for f in fields(cls) if "kind" in f.metadata}

    @classmethod
    def build(cls, config: MCDMConfig) -> MCDMParts:
        """A model with fresh weights, without what only exists trained (VAE, wav2vec2, CLIP)."""
        builders = {name: entry["build"] for name, entry in cls.networks().items()}
        return cls(config, **{name: make(config) for name, make in builders.items() if make})

    def modules(self) -> dict[str, nn.Module]:
        """The networks that are there, by the name of their folder."""
        modules = {name: getattr(self, name) for name in self.networks()}
        return {name: module for name, module in modules.items() if module is not None}

    def slots(self) -> dict[str, Slot]:
        """The places that published weights may fill."""
        from talkingface_wild.models.mcdm.weight_slots import slots_of

        return slots_of(self)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.unet.parameters()).device

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> MCDMParts:
        """Move every network; ``dtype`` changes those that a clip runs through."""
        for module in self.modules().values():
            module.to(device)
        if dtype is not None:
            for narrowed in filter(None, (self.unet, self.reference_unet, self.vae)):
                nn.Module.to(narrowed, dtype)  # Diffusers' own warns where nothing is wrong.
        return self

    def eval(self) -> MCDMParts:
        """Every network as at inference."""
        for module in self.modules().values():
            module.eval().requires_grad_(False)
        return self

    @property
    def codec(self) -> Codec:
        """Frames to latents and back. Raises InputUnreadable when the model has neither kind."""
        if self.vae is not None:
            return VaeCodec(self.vae)
        if self.patch_codec is not None:
            return self.patch_codec
        raise InputUnreadable(_lacking("vae"))

    @property
    def sound_features(self) -> SoundFeatures:
        """What hears the sound; kept, with what it heard last, while the encoder is the same."""
        if self._sound is None or self._sound[0] is not self.audio_encoder:
            fps = self.config.picture.fps
            if self.config.present.audio == "mel":
                self._sound = (self.audio_encoder, MelFeatures(fps))
            elif self.audio_encoder is None:
                raise InputUnreadable(_lacking("audio_encoder"))
            else:
                self._sound = (self.audio_encoder, Wav2Vec2Features(self.audio_encoder, fps))
        return self._sound[1]

    @property
    def image_features(self) -> images.ImageFeatures:
        """What sees the reference."""
        if self.config.present.image == "latent":
            return images.LatentFeatures(self.config.picture.latent_channels)
        if self.image_encoder is None:
            raise InputUnreadable(_lacking("image_encoder"))
        return images.ClipImageFeatures(self.image_encoder)

    @property
    def prior_frames(self) -> int:
        """Frames that the motion prior sees at once: a clip and its overlap with the one before."""
        return self.config.clip.frames + self.config.present.overlap

    def clip_context(
        self,
        reference_BCHW: Tensor,
        archive_BACHW: Tensor,
        image_BSE: Tensor,
        motion_BFKT: Tensor | None,
        sound_BFWE: Tensor | None,
        *,
        guided: bool = False,
        archived_on_B: Tensor | None = None,
        present_on_B: Tensor | None = None,
        **fields: Any,
    ) -> ClipContext:
        """What the UNet reads of a clip: archived and present tokens, and the reference's rows.

        ``guided`` doubles the batch: first without the contexts, then with them. The two ``on``
        are 0 for clips whose context is dropped in training. ``fields`` are the context's others.
        """
        archived = self.archived_prior(reference_BCHW, archive_BACHW, image_BSE)
        bank = None
        if self.reference_unet is not None:
            bank = self.reference_unet.bank(reference_BCHW, archived.flatten(1, 2))
        if archived_on_B is not None:
            archived = archived * archived_on_B.to(archived)[:, None, None, None]
        if guided:
            archived = torch.cat([torch.zeros_like(archived), archived])
            bank = bank and {number: torch.cat([rows, rows]) for number, rows in bank.items()}
            clips = len(reference_BCHW)
            present_on_B = torch.cat([archived.new_zeros(clips), archived.new_ones(clips)])
            motion_BFKT = None if motion_BFKT is None else torch.cat([motion_BFKT] * 2)
            sound_BFWE = None if sound_BFWE is None else torch.cat([sound_BFWE] * 2)
        dtype = self.unet.dtype
        return self.unet.clip_context(
            archived.to(dtype),
            None if motion_BFKT is None else motion_BFKT.to(dtype),
            None if sound_BFWE is None else sound_BFWE.to(dtype),
            present_on_B=present_on_B,
            bank=bank,
            **fields,
        )

    def save(self, folder: Path) -> None:
        """Write every network and the configuration; the folder appears only when complete."""
        folder = Path(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = folder.with_name(f".{uuid.uuid4().hex}.tmp")
        try:
            for name, module in self.modules().items():
                saved: Any = module
                saved.save_pretrained(temporary / name)
            content = {"config": self.config.to_dict(), "facts": self.facts}
            (temporary / CONFIG_NAME).write_text(json.dumps(content, indent=1), "utf-8")
            _replace_folder(temporary, folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    @classmethod
    def load(cls, folder: Path, device: torch.device | str = "cpu") -> MCDMParts:
        """Read a folder that ``save`` wrote. Raises InputUnreadable for another, RecipeError."""
        folder = Path(folder)
        try:
            content = json.loads((folder / CONFIG_NAME).read_text("utf-8"))
            config = MCDMConfig.from_dict(content["config"], str(folder / CONFIG_NAME))
            facts = dict(content.get("facts", {}))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputUnreadable(
                f"Expected an MCDM checkpoint in {folder}, found none ({type(error).__name__}); "
                "give the folder that 'tfw train' named as its model."
            ) from error
        return cls(config, facts=facts, **cls._read_networks(config, folder)).to(device)

    @classmethod
    def _read_networks(cls, config: MCDMConfig, folder: Path) -> dict[str, Any]:
        """Every network whose folder is there; those that the configuration needs must be."""
        modules = {
            name: _read_network(entry["kind"], folder, name)
            for name, entry in cls.networks().items()
            if (folder / name).is_dir()
        }
        needed = {
            "unet": True,
            "archived_prior": True,
            "motion_prior": config.present.kind == "prior",
            "reference_unet": config.archived.kind == "reference_unet",
        }
        lacking = [name for name, is_needed in needed.items() if is_needed and name not in modules]
        if lacking:
            raise InputUnreadable(
                f"Expected the networks {', '.join(lacking)} in {folder}, found none; take a "
                "checkpoint that is complete."
            )
        return modules


def _read_network(kind: Any, folder: Path, name: str) -> nn.Module:
    """One network of a checkpoint. Raises InputUnreadable for one that is broken or has gaps."""
    if isinstance(kind, str):
        library, _, attribute = kind.rpartition(".")
        kind = getattr(importlib.import_module(library), attribute)
    try:
        network, report = kind.from_pretrained(
            folder / name, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
        _refuse_gaps(report)
    except (OSError, ValueError, RuntimeError, SafetensorError, KeyError, TypeError) as error:
        raise InputUnreadable(
            f"Expected the network {name!r} in {folder}, found none that can be read "
            f"({str(error).splitlines()[0][:200]}); take a checkpoint that is complete."
        ) from error
    # In a mapped file tensors begin anywhere, and where a tensor begins changes the last bits of
    # what is computed with it: the network gets tensors of its own.
    for tensor in (*network.parameters(), *network.buffers()):
        tensor.data = tensor.data.clone()
    return network


def _refuse_gaps(report: Mapping[str, Any]) -> None:
    """ValueError where a network's file lacks tensors, or has others: libraries only warn."""
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        names = sorted(map(str, report.get(kind) or ()))
        if names:
            raise ValueError(f"{kind.replace('_keys', '')} tensors: {', '.join(names[:3])}")


def _replace_folder(temporary: Path, folder: Path) -> None:
    """Put one folder in the place of another; a reader sees the old one or the new one."""
    old = folder.with_name(f".{uuid.uuid4().hex}.old")
    if folder.exists():
        os.rename(folder, old)
    os.rename(temporary, folder)
    shutil.rmtree(old, ignore_errors=True)


def _lacking(name: str) -> str:
    return (
        f"Expected the model to have its {name}, found none; start the training with "
        f"--weights {name}=FOLDER, or take the preset 'tiny', which needs no weights."
    )
