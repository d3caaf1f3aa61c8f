"""The columns of a clip that MCDM learns from.

Shapes: T frames, C H W a latent, E width of sound or image features, P landmarks, S side of a crop,
K motion tokens, W their width.
"""

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from talkingface_wild.models.training.clip_file import BULK, ClipFile


@dataclass
class CachedClip(ClipFile):
    """Measured once by the stage ``features``; ``tokens`` by ``encoders``, ``predicted`` by 2."""

    FORMAT: ClassVar[str] = "tfw-mcdm-clip-1"

    latents_TCHW: Tensor
    sound_TE: Tensor
    """A row a frame; windows are cut by the sampler."""
    image_TE: Tensor
    """Image features of each frame: any may be the reference."""
    lips_TSSC: Tensor = field(metadata=BULK)
    """Mouth crops, uint8."""
    face_TSSC: Tensor = field(metadata=BULK)
    """Face crops whose mouth is masked, uint8."""
    head_TSSC: Tensor | None = field(default=None, metadata=BULK)
    """Down-scaled face crops, uint8, where there are no landmarks."""
    landmarks_TP2: Tensor | None = None
    """Landmarks in [0, 1] of the picture."""
    head_TKW: Tensor | None = None
    """Head tokens of the landmark guider or the head encoder."""
    tokens_TKW: Tensor | None = None
    """Motion tokens of the encoders: head, lips, expression."""
    predicted_TKW: Tensor | None = None
    """Motion tokens that the prior predicted from the sound."""
