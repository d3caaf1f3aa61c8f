"""MCDM behind ``core.generator.Generator``: its checkpoint, its state, a clip at each step.

Shapes: T frames, H W pixels (uint8 RGB), K W head tokens, S side of a crop.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from torch import Tensor

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.errors import CheckFailed, InputUnreadable, UsageError, WeightMissing
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.generator import Drive, Facts, Generator, Poses, State
from talkingface_wild.models import need_packages
from talkingface_wild.models.conditions.crops import crop_windows
from talkingface_wild.models.conditions.pictures import padded_square, resized
from talkingface_wild.models.mcdm.config import MCDMConfig
from talkingface_wild.models.mcdm.drift_gate import DriftGate
from talkingface_wild.models.mcdm.networks import CONFIG_NAME, crop_sides
from talkingface_wild.models.mcdm.pipeline import MCDMPipeline, model_folder
from talkingface_wild.models.mcdm.rollout import GenerationState
from talkingface_wild.models.mcdm.variants import SMALL, VARIANTS, Checkpoint, cautions, varied
from talkingface_wild.models.out_of_memory import memory_told
from talkingface_wild.models.training.training_clip import TrainingClip
from talkingface_wild.models.weights_hash import tensors_sha256, weights_sha256

VERSION = 1
"""Raised when the same weights and settings would give other frames: stored outputs are remade."""
SMALL_SIDE = 64
"""Up to it one thread is faster than several, which wait for one another."""
ADVICE = (
    "lower it by guidance=1 (--cfg 1) or --precision bf16 or fewer --steps (the motion memory is "
    "kept for each), with --fresh, or close what else uses it"
)


class MCDMGenerator(Generator):
    """A model with its weights. The seed changes the frames."""

    name = "mcdm"
    drives = ("sound", "poses")
    options = ("steps", "prior_steps", "guidance", "solver", "drift_gate")

    def __init__(self, pipeline: MCDMPipeline, weights: str = "", precision: str = "fp32") -> None:
        """``weights`` is their sha256, taken from the tensors where it is not given."""
        self.pipeline, self.precision = pipeline, precision
        self.weights_sha256 = weights or tensors_sha256(pipeline.parts.modules())
        self.device = str(pipeline.parts.device)
        self.facts = _facts(pipeline.parts.config, pipeline.parts.facts, None, "The model")
        self._on_cpu = pipeline.parts.device.type != "cuda"
        self._small = self._on_cpu and self.facts.side <= SMALL_SIDE
        with self._steady():
            self.machine = _machine(pipeline.parts.device)

    @classmethod
    def open(
        cls,
        checkpoint: Path | None,
        device: str = "auto",
        precision: str = "auto",
        compiled: bool = False,
    ) -> MCDMGenerator:
        """From a checkpoint's folder, or the ``--out`` of ``tfw train``; bf16 where a GPU is.

        Raises UsageError without one, InputUnreadable, RecipeError, OutOfMemory.
        """
        folder = model_folder(_needed(checkpoint))
        for library in (diffusers, transformers):
            library.utils.logging.set_verbosity_error()
            library.utils.logging.disable_progress_bar()
        place = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        on_gpu = place == "cuda"
        if precision == "auto":
            precision = "bf16" if on_gpu else "fp32"
        kinds: dict[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}
        with memory_told(place, "give --precision bf16, or close what else uses it"):
            pipeline = MCDMPipeline.from_pretrained(
                folder,
                torch_dtype=kinds.get(precision),
                device=place,
                compile=compiled,
                channels_last=on_gpu,
            )
        return cls(pipeline, weights_sha256(folder), precision)

    @classmethod
    def read_facts(cls, checkpoint: Path | None, label: str = "The model") -> Facts:
        """What ``mcdm.json`` says. Raises UsageError without a checkpoint, InputUnreadable."""
        folder = Checkpoint.find(_needed(checkpoint)).model
        path = folder / CONFIG_NAME
        try:
            content = json.loads(path.read_text("utf-8"))
            config = MCDMConfig.from_dict(content["config"], str(path))
            return _facts(config, dict(content.get("facts", {})), folder, label)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputUnreadable(
                f"Expected an MCDM checkpoint in {folder}, found none that can be read "
                f"({type(error).__name__}); give the --out of `tfw train --model mcdm`."
            ) from error

    @classmethod
    def variants(cls, checkpoint: Path) -> tuple[Path, dict[str, Path]]:
        """The training's folder, and the variants that were trained in it."""
        trained = Checkpoint.find(checkpoint)
        folders = {name: trained.variant_folder(name) for name in VARIANTS}
        return trained.training, {name: path for name, path in folders.items() if path is not None}

    @classmethod
    def variant_config(cls, config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """The model's configuration with a variant's own settings."""
        return varied(MCDMConfig.from_dict(config), name).to_dict()

    @classmethod
    def trainer(cls) -> Any:
        """Training in stages."""
        need_packages("accelerate", "diffusers")
        from talkingface_wild.models.mcdm.training.mcdm_trainer import MCDMTrainer

        return MCDMTrainer

    def settings(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The checkpoint's sampling with these options. Raises RecipeError."""
        return {"sampling": dataclasses.asdict(self.pipeline.sampling(options))}

    def fingerprint(self, options: Mapping[str, Any]) -> str:
        """Names configuration, weights, sampling and the precision they are used in."""
        config = {k: v for k, v in self.pipeline.parts.config.to_dict().items() if k != "training"}
        sampling, dtype = self.settings(options)["sampling"], str(self.pipeline.parts.unet.dtype)
        return digest([self.name, VERSION, config, self.weights_sha256, sampling, dtype])

    def encode(self, drive: Drive) -> Drive:
        """Poses as head tokens (T, K, W). Raises WeightMissing where they lack landmarks."""
        if drive.poses is None:
            return drive
        with self._steady():
            return dataclasses.replace(drive, encoded=self._head_tokens(drive.poses))

    def start(
        self, portrait_HWC: Pictures, drive: Drive, options: Mapping[str, Any], seed: int
    ) -> State:
        """The portrait is brought to the model's side, on a black square if it is none."""
        portrait = torch.from_numpy(np.array(portrait_HWC))
        square, _ = padded_square(portrait)
        gate = None
        if self.pipeline.sampling(options).drift_gate:
            gate = DriftGate(identity=options.get("identity"))
        with self._steady(), memory_told(self.device, ADVICE):
            before = self.pipeline.start(square.numpy(), seed, gate)
        size = {"height": portrait.shape[0], "width": portrait.shape[1]}
        return _state(before, size, drive, options)

    def step(self, state: State) -> tuple[Pictures, State]:
        """One clip, cut to the frames that are asked for. Past its end the sound is silence."""
        sound = state.drive.sound
        if sound is None or not len(sound):
            sound = np.zeros(1, dtype=np.int16)
        arguments = {**state.options, "frames": state.drive.frames}
        if state.drive.encoded is not None:
            arguments["head"] = state.drive.encoded
        before = GenerationState.unpacked(state).to(self.pipeline.parts.device)
        with self._steady(), memory_told(self.device, ADVICE):
            clip = next(self.pipeline.clips(None, sound, **arguments, state=before))
        if not bool(clip.latents_FCHW.isfinite().all()):
            raise CheckFailed(
                f"Expected finite numbers in the clip before frame {clip.state.position}, found "
                "some that are not; run again with --precision fp32 --fresh."
            )
        size = {name: state.scalars[name] for name in ("height", "width") if name in state.scalars}
        frames_THWC = _of_size(clip.frames_FHWC.cpu(), size)
        return frames_THWC.numpy(), _state(clip.state, size, state.drive, state.options)

    @contextlib.contextmanager
    def _steady(self) -> Iterator[None]:
        """A video that goes on must get the bits that one in one go would have got."""
        threads, deterministic = torch.get_num_threads(), torch.backends.cudnn.deterministic
        if self._small:
            torch.set_num_threads(1)
        torch.backends.cudnn.deterministic = True
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            torch.backends.cudnn.deterministic = deterministic

    def _head_tokens(self, poses: Poses) -> Tensor:
        config = self.pipeline.parts.config
        if config.present.head == "landmarks":
            if poses.points_T52 is None:
                raise WeightMissing(
                    "Expected a face detector that gives landmarks, found the Haar cascades; get "
                    "one with 'tfw weights fetch scrfd_2.5g', or leave --landmarks out."
                )
            return self.pipeline.head_tokens(poses.points_T52)
        clip = TrainingClip(
            "driving",
            lambda: iter(()),
            lambda: np.zeros(0, np.int16),
            face_boxes_T4=poses.boxes_T4,
            points_TP2=poses.points_T52,
        )
        windows, sides, crops, first = crop_windows(clip), crop_sides(config), list[Tensor](), 0
        for chunk in poses.pictures(config.picture.side):
            crops.append(windows.crops(torch.from_numpy(chunk), first, sides)["head"])
            first += len(chunk)
        return self.pipeline.head_tokens(torch.cat(crops))


def _needed(checkpoint: Path | None) -> Path:
    """The checkpoint. Raises UsageError without one, ExtraMissing where nothing can read it."""
    if checkpoint is not None:
        need_packages("diffusers", "transformers")
        return checkpoint
    raise UsageError(
        "Expected a checkpoint for the model mcdm, found none; train one with `tfw train --model "
        "mcdm --preset tiny --stage all --data DATASET --out runs/tiny` and give --checkpoint "
        "runs/tiny."
    )


def _facts(
    config: MCDMConfig, trained: Mapping[str, Any], folder: Path | None, label: str
) -> Facts:
    content = config.to_dict()
    shaping = {k: v for k, v in content.items() if k not in ("training", "sampling")}
    return Facts(
        side=config.picture.side,
        fps=config.picture.fps,
        folder=folder,
        preset=config.name,
        config=content,
        config_sha256=digest(shaping, 64),
        trained=trained,
        cautions=tuple(cautions(SMALL, {label: trained})),
    )


def _machine(device: torch.device) -> str:
    threads = f"{platform.machine()}, {torch.get_num_threads()} threads"
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else threads
    return f"{device.type} ({name}), torch {torch.__version__}"


def _of_size(frames_THWC: Tensor, size: Mapping[str, Any]) -> Tensor:
    """Frames at the portrait's size: enlarged, and cut out of the black square."""
    if not size:
        return frames_THWC
    height, width = int(size["height"]), int(size["width"])
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    return resized(frames_THWC, side, side)[:, top : top + height, left : left + width]


def _state(
    state: GenerationState, size: Mapping[str, Any], drive: Drive, options: Mapping[str, Any]
) -> State:
    """MCDM's own state, the portrait's size beside it."""
    packed = state.packed()
    return dataclasses.replace(
        packed, scalars={**packed.scalars, **size}, drive=drive, options=options
    )
