"""Makes the networks of a configuration with fresh weights."""

from __future__ import annotations

from talkingface_wild.models.mcdm.archived_prior import ArchivedClipPrior
from talkingface_wild.models.mcdm.codec import PatchCodec
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.encoders import ExpressionEncoder, HeadEncoder, LipEncoder
from talkingface_wild.models.mcdm.landmarks import LandmarkGuider
from talkingface_wild.models.mcdm.parts import MCDMParts
from talkingface_wild.models.mcdm.present_prior import PresentClipPrior
from talkingface_wild.models.mcdm.reference_unet import ReferenceUNet
from talkingface_wild.models.mcdm.unet import MCDMUNet

LIP_SIDE, FACE_SIDE, HEAD_SIDE = 96, 112, 32
"""Sides of the crops at full size."""
TINY_LIP_SIDE, TINY_FACE_SIDE = 24, 32
"""Sides of the crops where frames are 64 pixels wide."""


def crop_sides(config: MCDMConfig) -> dict[str, int]:
    """Sides of the lip, expression and head crops of a configuration."""
    small = config.picture.side < 256
    return {
        "lip": TINY_LIP_SIDE if small else LIP_SIDE,
        "expression": TINY_FACE_SIDE if small else FACE_SIDE,
        "head": HEAD_SIDE,
    }


def build_parts(config: MCDMConfig) -> MCDMParts:
    """A model with fresh weights; what only exists trained (VAE, wav2vec2, CLIP) is not there."""
    present, trunk = config.present, config.trunk
    sides = crop_sides(config)
    small = config.picture.side < 256
    widths = (16, 32, 64) if small else (32, 64, 128, 256)
    width = present.token_width
    return MCDMParts(
        config=config,
        unet=MCDMUNet.of(config),
        archived_prior=ArchivedClipPrior(
            latent_channels=config.picture.latent_channels,
            width=trunk.context_width,
            archive_frames=config.clip.archive_frames,
            queries=config.archived.queries,
            patch=config.archived.patch,
            heads=config.archived.heads,
            kind=config.archived.kind,
            qformer_layers=config.archived.qformer_layers,
            image_width=present.image_width,
        ),
        motion_prior=PresentClipPrior.of(config) if present.kind == "prior" else None,
        reference_unet=(
            ReferenceUNet.of(config) if config.archived.kind == "reference_unet" else None
        ),
        patch_codec=(
            PatchCodec(config.picture.shrink, config.picture.latent_channels)
            if config.picture.codec == "pca"
            else None
        ),
        landmark_guider=LandmarkGuider.of(config) if present.head == "landmarks" else None,
        lip_encoder=LipEncoder(sides["lip"], 5, widths, present.lip_tokens, width),
        expression_encoder=ExpressionEncoder(
            sides["expression"], 1, widths, present.expression_tokens, width
        ),
        head_encoder=(
            HeadEncoder(sides["head"], 1, (16, 32, 64), present.head_tokens, width)
            if present.head == "face_crop"
            else None
        ),
    )
