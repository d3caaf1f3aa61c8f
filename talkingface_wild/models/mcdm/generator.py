"""MCDM behind ``core.generator.Generator``: what the benchmark hands a portrait and a sound.

Shapes: T frames, H W pixels (uint8 RGB).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.models.conditions.pictures import padded_square, resized
from talkingface_wild.models.mcdm.config import SamplingConfig
from talkingface_wild.models.mcdm.options import GenerateOptions
from talkingface_wild.models.mcdm.pipeline import MCDMPipeline, model_folder
from talkingface_wild.models.out_of_memory import memory_told
from talkingface_wild.models.provenance import tensors_sha256, weights_sha256

VERSION = 1
"""Raised when the same weights and settings would give other frames: stored outputs are remade."""
ADVICE = (
    "set sampling.guidance=1 or run with bf16 weights, which take less, or close what else uses it"
)


class MCDMGenerator:
    """A model with its weights, as the benchmark calls it. The seed changes the frames."""

    name = "mcdm"
    stochastic = True

    def __init__(self, pipeline: MCDMPipeline, weights: str = "", **how: object) -> None:
        """``weights`` is their sha256, taken from the tensors where it is not given."""
        self.pipeline = pipeline
        self.weights = weights or tensors_sha256(pipeline.parts.modules())
        self.how: GenerateOptions = how  # type: ignore[assignment]
        self.sampling: SamplingConfig = pipeline.sampling(self.how)

    @classmethod
    def open(cls, checkpoint: Path | None, device: str = "auto") -> MCDMGenerator:
        """From a checkpoint's folder, or the ``--out`` of ``tfw train``; bf16 where a GPU is.

        Raises UsageError without one, InputUnreadable, RecipeError.
        """
        if checkpoint is None:
            raise UsageError(
                "Expected a checkpoint for the model mcdm, found none; give --checkpoint DIR with "
                "the --out of 'tfw train'."
            )
        place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        dtype = torch.bfloat16 if torch.device(place).type == "cuda" else None
        folder = model_folder(checkpoint)
        pipeline = MCDMPipeline.from_pretrained(folder, device=place, torch_dtype=dtype)
        return cls(pipeline, weights_sha256(folder))

    def fingerprint(self) -> str:
        """Names configuration, weights, sampling and the precision they are used in."""
        config = {k: v for k, v in self.pipeline.parts.config.to_dict().items() if k != "training"}
        sampling = dataclasses.asdict(self.sampling)
        precision = str(self.pipeline.parts.unet.dtype)
        return digest([self.name, VERSION, config, self.weights, sampling, precision])

    def frames(
        self,
        portrait_HWC: npt.NDArray[np.uint8],
        sound: npt.NDArray[np.int16],
        count: int,
        seed: int,
    ) -> Iterator[npt.NDArray[np.uint8]]:
        """``count`` frames (T, H, W, 3) of the portrait's own size, a clip at a time.

        The portrait is brought to the model's side and the frames back to its size; one that is
        not square lies on a black square meanwhile. Past its end the sound is silence.
        """
        portrait = torch.from_numpy(np.array(portrait_HWC))
        height, width = portrait.shape[:2]
        square, (top, left) = padded_square(portrait)
        heard = sound if len(sound) else np.zeros(1, dtype=np.int16)
        how: GenerateOptions = {**self.how, "frames": count, "seed": seed}
        with memory_told(self.pipeline.parts.device, ADVICE):
            for chunk in self.pipeline.stream(square.numpy(), heard, **how):
                frames = resized(torch.from_numpy(chunk), len(square), len(square))
                yield frames[:, top : top + height, left : left + width].numpy()
