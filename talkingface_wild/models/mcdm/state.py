"""All that a generation carries from clip to clip, as one small safetensors file.

Shapes: A archived frames, C H W a latent, K motion tokens, T their width, E image features.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.models.mcdm.context import Carried

FORMAT = "tfw-mcdm-state-1"


@dataclass
class GenerationState:
    """Everything the next clip depends on, beside the sound and the weights."""

    reference_CHW: Tensor
    image_SE: Tensor
    archive_ACHW: Tensor
    seed: int
    position: int = 0
    """Frames made so far."""
    tokens_FKT: Tensor | None = None
    """The motion tokens of the clip before, which the prior goes on from."""
    memory: dict[int, Carried] = field(default_factory=dict)
    """Motion memory by denoising step and block."""
    look: dict[str, float] = field(default_factory=dict)
    """What the drift gate compares with: statistics of the reference and the first clip."""
    retries: int = 0
    """Clips that the drift gate made again."""

    def to(self, device: torch.device | str) -> GenerationState:
        """The same on another device."""
        tokens = None if self.tokens_FKT is None else self.tokens_FKT.to(device)
        return dataclasses.replace(
            self,
            reference_CHW=self.reference_CHW.to(device),
            image_SE=self.image_SE.to(device),
            archive_ACHW=self.archive_ACHW.to(device),
            tokens_FKT=tokens,
            memory={
                step: {number: rows.to(device) for number, rows in blocks.items()}
                for step, blocks in self.memory.items()
            },
        )

    def save(self, path: Path, notes: dict[str, str] | None = None) -> None:
        """Write the state in one step; ``notes`` are the caller's own words, kept beside it."""
        tensors = {
            "reference": self.reference_CHW,
            "image": self.image_SE,
            "archive": self.archive_ACHW,
        }
        if self.tokens_FKT is not None:
            tensors["tokens"] = self.tokens_FKT
        for step, blocks in self.memory.items():
            for number, rows in blocks.items():
                tensors[f"memory.{step}.{number}"] = rows
        header = {
            "format": FORMAT,
            "seed": str(self.seed),
            "position": str(self.position),
            "retries": str(self.retries),
            "look": json.dumps(self.look),
            "notes": json.dumps(notes or {}),
        }
        with atomic_path(path) as temporary:
            plain = {name: rows.detach().cpu().contiguous() for name, rows in tensors.items()}
            save_file(plain, temporary, header)

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> tuple[GenerationState, dict]:
        """The state and the caller's notes. Raises InputUnreadable for what is none."""
        try:
            with safe_open(path, "pt", str(device)) as file:
                header = file.metadata() or {}
                if header.get("format") != FORMAT:
                    raise InputUnreadable(
                        f"Expected a state of tfw generate in {path}, found another file; "
                        "start anew with --fresh."
                    )
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            memory: dict[int, Carried] = {}
            for name, rows in tensors.items():
                if name.startswith("memory."):
                    _, step, number = name.split(".")
                    memory.setdefault(int(step), {})[int(number)] = rows
            state = cls(
                reference_CHW=tensors["reference"],
                image_SE=tensors["image"],
                archive_ACHW=tensors["archive"],
                seed=int(header["seed"]),
                position=int(header["position"]),
                tokens_FKT=tensors.get("tokens"),
                memory=memory,
                look=json.loads(header["look"]),
                retries=int(header["retries"]),
            )
            return state, json.loads(header["notes"])
        except (SafetensorError, OSError, KeyError, ValueError) as error:
            raise InputUnreadable(
                f"Expected a state of tfw generate in {path}, found none that can be read "
                f"({type(error).__name__}); start anew with --fresh."
            ) from error
