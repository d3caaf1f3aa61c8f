"""The networks of one MCDM, side by side, saved to and read from a folder.

Shapes: B clips, F frames, A archived frames, C H W a latent, S E image features, K T motion tokens.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler
from torch import Tensor, nn

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.models.mcdm.archived_prior import ArchivedClipPrior
from talkingface_wild.models.mcdm.audio import MelFeatures, SoundFeatures, Wav2Vec2Features
from talkingface_wild.models.mcdm.codec import Codec, PatchCodec, VaeCodec
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.context import ClipContext
from talkingface_wild.models.mcdm.encoders import ExpressionEncoder, HeadEncoder, LipEncoder
from talkingface_wild.models.mcdm.images import ClipImageFeatures, ImageFeatures, LatentFeatures
from talkingface_wild.models.mcdm.landmarks import LandmarkGuider
from talkingface_wild.models.mcdm.present_prior import PresentClipPrior
from talkingface_wild.models.mcdm.reference_unet import ReferenceUNet
from talkingface_wild.models.mcdm.stored import load_modules
from talkingface_wild.models.mcdm.unet import MCDMUNet
from talkingface_wild.models.samplers.noise import make_noise

CONFIG_NAME = "mcdm.json"


@dataclass
class MCDMParts:
    """All networks of a model. Those that a variant lacks, or that were not given, are None."""

    config: MCDMConfig
    unet: MCDMUNet
    archived_prior: ArchivedClipPrior
    motion_prior: PresentClipPrior | None = None
    reference_unet: ReferenceUNet | None = None
    vae: AutoencoderKL | None = None
    patch_codec: PatchCodec | None = None
    audio_encoder: nn.Module | None = None
    image_encoder: nn.Module | None = None
    landmark_guider: LandmarkGuider | None = None
    lip_encoder: LipEncoder | None = None
    expression_encoder: ExpressionEncoder | None = None
    head_encoder: HeadEncoder | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    """What the model was trained on and how far (R33); every file made with it repeats this."""

    def __post_init__(self) -> None:
        self.noise: DDIMScheduler = make_noise(self.config.diffusion)
        self.prior_noise: DDIMScheduler = make_noise(self.config.prior_diffusion)
        self._sound: SoundFeatures | None = None

    def modules(self) -> dict[str, nn.Module]:
        """The networks that are there, by the name of their folder."""
        names = (
            "unet",
            "archived_prior",
            "motion_prior",
            "reference_unet",
            "vae",
            "patch_codec",
            "audio_encoder",
            "image_encoder",
            "landmark_guider",
            "lip_encoder",
            "expression_encoder",
            "head_encoder",
        )
        found = {name: getattr(self, name) for name in names}
        return {name: module for name, module in found.items() if module is not None}

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next(self.unet.parameters()).device

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> MCDMParts:
        """Move every network; ``dtype`` changes those that a clip runs through."""
        for module in self.modules().values():
            module.to(device)
        if dtype is not None:
            for narrowed in (self.unet, self.reference_unet, self.vae):
                if narrowed is not None:
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
        """What hears the sound."""
        if self._sound is None:
            if self.config.present.audio == "mel":
                self._sound = MelFeatures(self.config.picture.fps)
            elif self.audio_encoder is None:
                raise InputUnreadable(_lacking("audio_encoder"))
            else:
                self._sound = Wav2Vec2Features(self.audio_encoder, self.config.picture.fps)
        return self._sound

    @property
    def image_features(self) -> ImageFeatures:
        """What sees the reference."""
        if self.config.present.image == "latent":
            return LatentFeatures(self.config.picture.latent_channels)
        if self.image_encoder is None:
            raise InputUnreadable(_lacking("image_encoder"))
        return ClipImageFeatures(self.image_encoder)

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
        frames: int,
        guided: bool = False,
        archived_on_B: Tensor | None = None,
        present_on_B: Tensor | None = None,
        motion: bool = True,
        keep: bool = False,
    ) -> ClipContext:
        """What the UNet reads of a clip: archived and present tokens, and the reference's rows.

        ``guided`` doubles the batch: first without the contexts, then with them. The two ``on``
        are 0 for clips whose context is dropped in training.
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
            frames=frames,
            present_on_B=present_on_B,
            bank=bank,
            motion=motion,
            keep=keep,
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
        parts = cls(config=config, facts=facts, **load_modules(config, folder))
        return parts.to(device)


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
