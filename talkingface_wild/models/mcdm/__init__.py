"""MCDM: motion-prior conditional diffusion for talking-face videos of any length."""

from talkingface_wild.models.mcdm.archived_prior import ArchivedClipPrior
from talkingface_wild.models.mcdm.config import PRESETS, MCDMConfig, preset
from talkingface_wild.models.mcdm.encoders import ExpressionEncoder, HeadEncoder, LipEncoder
from talkingface_wild.models.mcdm.networks import MCDMParts
from talkingface_wild.models.mcdm.pipeline import MCDMPipeline
from talkingface_wild.models.mcdm.present_prior import PresentClipPrior
from talkingface_wild.models.mcdm.temporal_attention import MemoryTemporalAttention
from talkingface_wild.models.mcdm.unet import MCDMUNet

__all__ = [
    "PRESETS",
    "ArchivedClipPrior",
    "ExpressionEncoder",
    "HeadEncoder",
    "LipEncoder",
    "MCDMConfig",
    "MCDMParts",
    "MCDMPipeline",
    "MCDMUNet",
    "MemoryTemporalAttention",
    "PresentClipPrior",
    "preset",
]
