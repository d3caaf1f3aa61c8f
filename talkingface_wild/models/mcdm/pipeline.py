"""MCDM as a diffusers pipeline: a portrait and a sound in, frames out, one clip at a time.

Shapes: T frames, H W pixels (uint8 RGB), F frames of a clip, K motion tokens of a frame (head,
lips, expression), W T their width. Sound is mono at 16 kHz.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
import torch
from diffusers import DDIMScheduler, DiffusionPipeline
from torch import Tensor, nn

from talkingface_wild.core.arrays import Pictures
from talkingface_wild.core.errors import InputUnreadable, RecipeError, nearest
from talkingface_wild.core.generator import frame_count
from talkingface_wild.models.conditions.codec import to_unit
from talkingface_wild.models.conditions.pictures import portrait_tensor
from talkingface_wild.models.conditions.sound_features import Samples, mono_sound
from talkingface_wild.models.mcdm.config import MCDMConfig, SamplingConfig
from talkingface_wild.models.mcdm.drift_gate import DriftGate, Identity
from talkingface_wild.models.mcdm.networks import CONFIG_NAME, MCDMParts
from talkingface_wild.models.mcdm.rollout import Edit, GenerationState, MadeClip, Rollout
from talkingface_wild.models.samplers.noise import SOLVERS, make_solver


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


class MCDMPipeline(DiffusionPipeline):
    """All networks of a model, ready to make videos of any length.

    ``pipeline.parts`` are the same networks by name. What is kept between clips is one
    ``GenerationState``; nothing grows with the length of the video.
    """

    def __init__(
        self,
        scheduler: Any,
        prior_scheduler: Any,
        model_config: dict[str, Any] | None = None,
        **networks: nn.Module | None,
    ) -> None:
        """``networks`` are those of ``MCDMParts``, by name."""
        super().__init__()
        networks = {name: networks[name] for name in MCDMParts.networks()}
        config = MCDMConfig() if model_config is None else MCDMConfig.from_dict(model_config)
        self.parts = MCDMParts(config=config, **networks)  # type: ignore[arg-type]
        self.register_modules(**networks, scheduler=scheduler, prior_scheduler=prior_scheduler)
        self.register_to_config(model_config=config.to_dict())
        for network in self.parts.modules().values():
            network.eval()

    @classmethod
    def of(cls, parts: MCDMParts) -> MCDMPipeline:
        """The pipeline over networks that are there already."""
        pipeline = cls(
            parts.noise,
            parts.prior_noise,
            parts.config.to_dict(),
            **{name: getattr(parts, name) for name in parts.networks()},
        )
        pipeline.parts = parts
        return pipeline

    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls,
        folder: str | Path,
        *,
        torch_dtype: torch.dtype | None = None,
        device: torch.device | str = "cpu",
        compile: bool = False,
        channels_last: bool = False,
    ) -> MCDMPipeline:
        """Read what ``save_pretrained``, or ``tfw train`` into its ``--out``, wrote.

        ``compile`` has torch compile the denoising network (the first clip then takes minutes),
        ``channels_last`` lays its convolutions out as tensor cores like them. Raises
        InputUnreadable, RecipeError.
        """
        parts = MCDMParts.load(model_folder(Path(folder)), device).eval()
        parts.to(device, torch_dtype)
        if channels_last:
            parts.unet.to(memory_format=torch.channels_last)
        if compile:
            parts.unet.compile()
        return cls.of(parts)

    def save_pretrained(self, save_directory: str | Path, **_: Any) -> None:  # type: ignore[override]
        """Write every network and the configuration; the folder appears only when complete."""
        self.parts.save(Path(save_directory))

    def to(self, *args: Any, **kwargs: Any) -> MCDMPipeline:
        """Move the networks; a dtype is that of the networks that a clip runs through."""
        values = [*args, *kwargs.values()]
        dtype = next((value for value in values if isinstance(value, torch.dtype)), None)
        device = next((v for v in values if isinstance(v, str | torch.device)), self.parts.device)
        self.parts.to(device, dtype)
        return self

    def __call__(self, portrait: Any, sound: Any, **how: Unpack[GenerateOptions]) -> Pictures:
        """All frames (T, H, W, 3) of a video; ``stream`` gives them as they are made."""
        return np.concatenate(list(self.stream(portrait, sound, **how)))

    def stream(
        self, portrait: Any, sound: Any, **how: Unpack[GenerateOptions]
    ) -> Iterator[Pictures]:
        """The frames (T, H, W, 3) of one clip after another, each as soon as it is made."""
        for clip in self.clips(portrait, sound, **how):
            yield clip.frames_FHWC.cpu().numpy()

    def clips(
        self, portrait: Any, sound: Any, **how: Unpack[GenerateOptions]
    ) -> Iterator[MadeClip]:
        """One clip after another with its tokens and the state after it.

        ``portrait`` is a square picture of a face (array or PIL), ``sound`` int16, or float in
        [-1, 1]. The last clip is made whole and cut to the frames that are asked for. Raises
        InputUnreadable for what is no picture or sound, RecipeError for options that cannot be.
        """
        heard = mono_sound(sound)
        sampling = self.sampling(how)
        rollout = Rollout(self.parts, sampling)
        gate = DriftGate(identity=how.get("identity")) if sampling.drift_gate else None
        state = how.get("state") or self.start(portrait, how.get("seed", 0), gate)
        count = how.get("frames") or frame_count(len(heard), self.parts.config.picture.fps)
        while state.position < count:
            clip = self._clip(rollout, gate, state, heard, how)
            clip.frames_FHWC = clip.frames_FHWC[: count - state.position]
            state = clip.state
            yield clip

    def start(self, portrait: Any, seed: int, gate: DriftGate | None = None) -> GenerationState:
        """The state before the first clip of a video."""
        picture = portrait_tensor(portrait, self.parts.config.picture.side)
        state = Rollout(self.parts).start(picture, seed)
        if gate is not None:
            gate.start(state, self.parts.codec.decode(state.reference_CHW[None]))
        return state

    def sampling(self, options: Mapping[str, Any]) -> SamplingConfig:
        """The model's sampling with the options that are given. Raises RecipeError."""
        swapped = [
            name
            for name, kind in SOLVERS.items()
            if type(self.scheduler) is kind and kind is not DDIMScheduler
        ]
        names = {field.name for field in dataclasses.fields(SamplingConfig)}
        changes: dict[str, Any] = {"solver": swapped[0]} if swapped else {}
        changes |= {name: value for name, value in options.items() if name in names}
        sampling = dataclasses.replace(self.parts.config.sampling, **changes)
        if sampling.solver not in SOLVERS:
            raise RecipeError(
                f"Expected a solver of {', '.join(SOLVERS)}, found {sampling.solver!r}"
                f"{nearest(sampling.solver, SOLVERS)}."
            )
        prior = ("ddim", sampling.prior_steps, "prior steps")
        for solver, steps, name in ((sampling.solver, sampling.steps, "steps"), prior):
            try:
                make_solver(solver, self.parts.noise, steps)
            except (ValueError, ZeroDivisionError, IndexError) as error:
                most = 50 if solver == "lcm" else self.parts.noise.config.num_train_timesteps
                raise RecipeError(
                    f"Expected 1 to {most} {name} for the solver {solver}, found {steps}."
                ) from error
        return sampling

    @torch.no_grad()
    def head_tokens(self, driving: Any) -> Tensor:
        """Head tokens (T, K, W) of a driving video, for the option ``head``.

        ``driving`` is landmarks (T, P, 2) in [0, 1] of the face's crop, or crops (T, S, S, 3)
        uint8 where ``present.head`` is ``face_crop``.
        """
        parts = self.parts
        if parts.config.present.kind != "prior":
            raise RecipeError("Expected a model with motion tokens, found one that has none.")
        if parts.config.present.head == "landmarks":
            if parts.landmark_guider is None:
                raise InputUnreadable("Expected the model to have its landmark_guider, found none.")
            return parts.landmark_guider(np.asarray(driving, dtype=np.float32)).cpu()
        if parts.head_encoder is None:
            raise InputUnreadable("Expected the model to have its head_encoder, found none.")
        crops_TSSC = torch.as_tensor(driving)
        batches = [to_unit(part.to(parts.device))[:, None] for part in crops_TSSC.split(64)]
        return torch.cat([parts.head_encoder(batch).cpu() for batch in batches])

    @torch.no_grad()
    def _clip(
        self,
        rollout: Rollout,
        gate: DriftGate | None,
        state: GenerationState,
        sound: Samples,
        how: GenerateOptions,
    ) -> MadeClip:
        parts, present = self.parts, self.parts.config.present
        windows_FWE = rollout.heard(sound, state.position)
        head_FKW, edit = None, how.get("edit")
        if (head := how.get("head")) is not None:
            rows = torch.arange(parts.prior_frames) + state.position - present.overlap
            head_FKW = head[rows.clamp(0, len(head) - 1)]
            if present.head == "face_crop":
                # Such a prior was never shown a given head: it takes the predicted one's place.
                edit, head_FKW = with_head(head_FKW[present.overlap :], edit), None

        def make(attempt: int) -> MadeClip:
            return rollout.clip(
                state, windows_FWE, landmarks_FHT=head_FKW, attempt=attempt, edit=edit
            )

        return make(0) if gate is None else gate.clip(state, make)


# Diffusers reads from the signature which components there are.
MCDMPipeline.__init__.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
    [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)]
    + [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY)
        for name in (*MCDMParts.networks(), "scheduler", "prior_scheduler")
    ]
    + [inspect.Parameter("model_config", inspect.Parameter.KEYWORD_ONLY, default=None)]
)


def model_folder(checkpoint: Path) -> Path:
    """The folder with the networks: ``checkpoint`` itself, or ``model`` in a training's folder."""
    inner = checkpoint / "model"
    trained = (inner / CONFIG_NAME).is_file() and not (checkpoint / CONFIG_NAME).is_file()
    return inner if trained else checkpoint
