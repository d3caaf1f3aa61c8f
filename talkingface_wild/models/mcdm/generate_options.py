"""What one generation may be asked for, and edits of motion tokens.

Shapes: F frames, K motion tokens of a frame (head, lips, expression), T W their width.
"""

from dataclasses import dataclass
from typing import TypedDict

import torch
from torch import Tensor

from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.drift_gate import Identity
from talkingface_wild.models.mcdm.rollout import Edit
from talkingface_wild.models.mcdm.state import GenerationState


class GenerateOptions(TypedDict, total=False):
    """Options of one generation; what is left out is as the model says."""

    frames: int
    """How many; as long as the sound."""
    seed: int
    """0."""
    steps: int
    prior_steps: int
    guidance: float
    solver: str
    """ddim, dpm++, unipc or lcm."""
    drift_gate: bool
    identity: Identity
    """Likeness to the portrait, for the drift gate."""
    head: Tensor
    """Head tokens (T, K, W) of a driving video (``head_tokens``); the last one stays."""
    edit: Edit
    """Changes motion tokens, such as a ``TokenScale``."""
    state: GenerationState
    """Goes on from it; portrait and seed are then those it began with."""


@dataclass(frozen=True)
class TokenScale:
    """Scales the streams of motion tokens: 0 mutes one (its mean stays), 2 exaggerates it."""

    config: MCDMConfig
    head: float = 1.0
    lips: float = 1.0
    expression: float = 1.0

    def __call__(self, tokens_FKT: Tensor) -> Tensor:
        """The scaled tokens."""
        present = self.config.present
        counts = (present.head_tokens, present.lip_tokens, present.expression_tokens)
        factors = (self.head, self.lips, self.expression)
        scale_K = torch.cat([torch.full((n,), f) for n, f in zip(counts, factors, strict=True)])
        return tokens_FKT * scale_K.to(tokens_FKT)[:, None]


def with_head(head_FKW: Tensor, edit: Edit | None) -> Edit:
    """An edit that puts head tokens in the place of the predicted ones, then makes the other."""

    def put(tokens_FKT: Tensor) -> Tensor:
        tokens = torch.cat([head_FKW.to(tokens_FKT), tokens_FKT[:, head_FKW.shape[1] :]], dim=1)
        return tokens if edit is None else edit(tokens)

    return put
