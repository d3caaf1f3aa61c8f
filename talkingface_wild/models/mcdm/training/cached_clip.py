"""One clip as training reads it: everything frozen networks say of it, in one safetensors file.

Shapes: T frames, C H W a latent, E width of sound or image features, P landmarks, S side of a crop,
K motion tokens, W their width.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import atomic_path

FORMAT = "tfw-mcdm-clip-1"
CROPS = ("lips", "face", "head")


@dataclass
class CachedClip:
    """Measured once by the stage ``features``; ``tokens`` by ``encoders``, ``predicted`` by 2."""

    clip_id: str
    latents_TCHW: Tensor
    sound_TE: Tensor
    """A row a frame; windows are cut by the sampler."""
    image_TE: Tensor
    """Image features of each frame: any may be the reference."""
    lips_TSSC: Tensor
    """Mouth crops, uint8."""
    face_TSSC: Tensor
    """Face crops whose mouth is masked, uint8."""
    head_TSSC: Tensor | None = None
    """Down-scaled face crops, uint8, where there are no landmarks."""
    landmarks_TP2: Tensor | None = None
    """Landmarks in [0, 1] of the picture."""
    head_TKW: Tensor | None = None
    """Head tokens of the landmark guider or the head encoder."""
    tokens_TKW: Tensor | None = None
    """Motion tokens of the encoders: head, lips, expression."""
    predicted_TKW: Tensor | None = None
    """Motion tokens that the prior predicted from the sound."""
    facts: dict[str, Any] = field(default_factory=dict)
    """``identity``, ``language``, ``split``, and what was done for want of something better."""

    @property
    def frames(self) -> int:
        """T."""
        return len(self.latents_TCHW)

    def save(self, path: Path) -> None:
        """Write the clip in one step."""
        tensors = {
            name: value.contiguous()
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        header = {"format": FORMAT, "clip": self.clip_id, "facts": json.dumps(self.facts)}
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, header)

    @classmethod
    def load(cls, path: Path, *, crops: bool = False) -> CachedClip:
        """Read a clip; crops, the bulk of it, only when asked for. Raises InputUnreadable."""
        try:
            with safe_open(path, "pt") as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise ValueError("another format")
                left_out = () if crops else ("lips_TSSC", "face_TSSC", "head_TSSC")
                tensors: dict[str, Any] = {
                    name: file.get_tensor(name)
                    for name in file.keys()  # noqa: SIM118
                    if name not in left_out
                }
            for name in ("lips_TSSC", "face_TSSC"):
                tensors.setdefault(name, torch.empty(0, dtype=torch.uint8))
            return cls(clip_id=header["clip"], facts=json.loads(header["facts"]), **tensors)
        except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
            raise InputUnreadable(
                f"Expected a clip's features in {path}, found none that can be read "
                f"({type(error).__name__}); delete it and run --stage features again."
            ) from error


def read_clips(folder: Path, *, split: str | None = None, crops: bool = False) -> list[CachedClip]:
    """All clips of a folder in the order of their names, of one split if asked for.

    Raises InputUnreadable when there are none.
    """
    clips = [CachedClip.load(path, crops=crops) for path in sorted(folder.glob("*.safetensors"))]
    chosen = [clip for clip in clips if split in (None, clip.facts.get("split"))]
    if not chosen:
        raise InputUnreadable(
            f"Expected clips' features in {folder}"
            + (f" of the split {split!r}" if split else "")
            + ", found none; run --stage features first."
        )
    return chosen
