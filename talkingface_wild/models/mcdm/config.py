"""What an MCDM is: every reading of the paper (R1-R33 of docs/mcdm.md) as one field.

The defaults are the preset ``paper``. Other presets are YAML files beside this one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

from talkingface_wild.core.config import Document, build, read_yaml, scalar
from talkingface_wild.core.errors import RecipeError, nearest
from talkingface_wild.models.conditions.pictures import PictureConfig
from talkingface_wild.models.networks.trunk import TrunkConfig
from talkingface_wild.models.samplers.noise import DiffusionConfig


@dataclass(frozen=True)
class ClipConfig:
    """The window that the network makes at once, and the window it remembers."""

    frames: int = 16
    """f, present frames."""
    archive_frames: int = 16
    """a, archived frames (R1)."""


@dataclass(frozen=True)
class ArchivedConfig:
    """The archived-clip motion prior, section 3.2."""

    kind: Literal["frame_aligned", "none", "qformer", "reference_unet"] = "frame_aligned"
    """``none`` is w/o F_a (the reference alone), ``qformer`` B1, ``reference_unet`` B2."""
    queries: int = 16
    """n, learned queries."""
    patch: int = 4
    """Latents on a side for one token; m = (latent side / patch)^2 (R2)."""
    heads: int = 1
    """Heads of frame-aligned attention; the equation has one."""
    context: Literal["all", "aligned"] = "all"
    """Every frame reads all a*n tokens, or frame i those of archived frame i (R12)."""
    policy: Literal["last", "strided", "reservoir"] = "last"
    """Which generated frames stay in the archive (R5)."""
    source: Literal["reencode", "latent"] = "reencode"
    """The archive holds pixels sent through the VAE again, or the latents themselves (A.7)."""
    anchor_reference: bool = False
    """Slot 0 of the archive is always the reference (R4)."""
    qformer_layers: int = 2
    """Layers of the Q-Former variant."""


@dataclass(frozen=True)
class PresentConfig:
    """The present-clip motion-prior diffusion model, section 3.3."""

    kind: Literal["prior", "audio_attention"] = "prior"
    """``audio_attention`` is w/o F_pc: the present attention reads sound features."""
    head_tokens: int = 4
    lip_tokens: int = 4
    expression_tokens: int = 4
    token_width: int = 256
    """Width of a motion token."""
    width: int = 768
    """Width of the transformer."""
    layers: int = 8
    """L."""
    heads: int = 12
    """Attention heads of the transformer."""
    audio: Literal["wav2vec2", "mel"] = "wav2vec2"
    """Sound features; ``mel`` needs no weights."""
    audio_window: int = 2
    """Feature frames on either side of a video frame that it sees."""
    audio_tokens: int = 4
    """k_a, sound tokens a frame."""
    audio_width: int = 768
    """Width of a sound feature."""
    image: Literal["clip", "latent"] = "clip"
    """Features of the reference; ``latent`` pools its latents and needs no weights."""
    image_tokens: int = 4
    """Image tokens beside the pooled one."""
    image_width: int = 1024
    """Width of the image features."""
    film: Literal["image_modulates_audio", "audio_modulates_image"] = "image_modulates_audio"
    """Direction of FiLM (R29)."""
    image_in_sequence: bool = False
    """Image tokens stand in the sequence beside the correlation tokens (R30)."""
    readout: Literal["noised", "query"] = "noised"
    """Where predictions are read (R28)."""
    causal_axis: Literal["token", "time"] = "token"
    """What "multimodal causal" runs along (R13)."""
    head: Literal["landmarks", "face_crop"] = "landmarks"
    """What head tokens are made of; ``face_crop`` needs no landmark model."""
    landmarks: Literal["eyes_nose", "contour", "full"] = "eyes_nose"
    """Which landmarks the guider draws (R31)."""
    overlap: int = 4
    """Frames of the clip before whose tokens the prior goes on from (A.7); 0 is the paper."""
    audio_to_unet: bool = False
    """Sound tokens reach the present attention beside the motion tokens (R32)."""

    @property
    def tokens(self) -> int:
        """k, motion tokens a frame."""
        return self.head_tokens + self.lip_tokens + self.expression_tokens


@dataclass(frozen=True)
class TemporalConfig:
    """Memory-efficient temporal attention, section 3.4."""

    kind: Literal["memory", "standard"] = "memory"
    """``standard`` is w/o MTA: softmax attention over the present frames (R26)."""
    attention: Literal["favor", "softmax"] = "favor"
    """FAVOR+ as the paper, or exact softmax."""
    features: int = 0
    """r, random features; 0 is floor(d_h ln d_h)."""
    alpha: float = 0.1
    """Weight of the past in eq. 5."""
    streams: Literal["symmetric", "residual", "attn_only"] = "symmetric"
    """What memory and present rows are made of (R6)."""
    carry: Literal["last", "reset", "full"] = "last"
    """What of the memory goes on to the next clip (R8)."""
    carry_from_level: int = 0
    """The first level whose blocks carry memory; 1 leaves out the widest maps."""
    output: Literal["present", "memory"] = "present"
    """Which half of the rows is read (R9)."""
    qk_norm: bool = True
    """Unit-norm queries and keys times a learned scale of at most 1.2; FAVOR+ needs it."""
    causal: bool = False
    """Rows see no later rows (R10)."""


@dataclass(frozen=True)
class StageConfig:
    """One training stage."""

    iterations: int = 30_000
    batch: int = 4
    """Clips an iteration and process (R19)."""
    rate: float = 1e-5
    warmup: int = 0
    schedule: Literal["constant", "cosine"] = "constant"


@dataclass(frozen=True)
class TrainingConfig:
    """How the stages are trained, section 3.5 and A.6."""

    encoders: StageConfig = field(default_factory=StageConfig)
    stage1: StageConfig = field(default_factory=StageConfig)
    stage2: StageConfig = field(default_factory=StageConfig)
    stage3: StageConfig = field(default_factory=StageConfig)
    accumulation: int = 1
    weight_decay: float = 1e-2
    clip_norm: float = 1.0
    ema: float = 0.0
    """Decay of the moving average of the weights; 0 is none."""
    precision: Literal["no", "bf16"] = "no"
    gradient_checkpointing: bool = False
    stage1_scope: Literal["trunk", "archived_only"] = "trunk"
    """Stage 1 trains the whole trunk, or what reads the archive alone (R18)."""
    reference_distance: int = 10
    """Least frames between the reference and the present clip."""
    first_clip: float = 0.2
    """Share of samples whose archive is the reference, as at the start of a video."""
    landmark_drop: float = 0.5
    """Share of clips whose landmarks are dropped whole (R23)."""
    carried: float = 0.0
    """Share of stage-3 batches whose motion memory comes from the clip before, as at inference."""
    token_noise: float = 0.1
    """Noise on the motion tokens in stage 3 (R17)."""
    predicted_tokens: float = 0.5
    """Share of stage-3 samples whose tokens the prior predicted (R17)."""
    checkpoint_every: int = 1000
    validate_every: int = 1000
    sample_every: int = 0
    """Iterations between sample videos; 0 is only at the end of stage 3."""
    seed: int = 0


@dataclass(frozen=True)
class SamplingConfig:
    """How videos are made, A.7."""

    solver: Literal["ddim", "dpm++", "unipc", "lcm"] = "ddim"
    steps: int = 25
    """R25."""
    prior_steps: int = 25
    guidance: float = 1.0
    """1 is off (R22)."""
    drift_gate: bool = False
    """A clip that drifts from the reference is made once more from the state before it."""


@dataclass(frozen=True)
class MCDMConfig:
    """Everything. ``preset()`` reads one by name."""

    name: str = "paper"
    picture: PictureConfig = field(default_factory=PictureConfig)
    clip: ClipConfig = field(default_factory=ClipConfig)
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    archived: ArchivedConfig = field(default_factory=ArchivedConfig)
    present: PresentConfig = field(default_factory=PresentConfig)
    temporal: TemporalConfig = field(default_factory=TemporalConfig)
    diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    prior_diffusion: DiffusionConfig = field(default_factory=DiffusionConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    sampling: SamplingConfig = field(default_factory=SamplingConfig)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        _refuse_counts_below_one(self)
        if self.picture.side % self.picture.shrink:
            raise ValueError(f"picture.side must be a multiple of {self.picture.shrink}")
        if self.picture.latent_side % self.archived.patch:
            raise ValueError("archived.patch must divide the latent's side")
        deepest = 2 ** (len(self.trunk.channels) - 1)
        if self.picture.latent_side % deepest:
            raise ValueError(f"the latent's side must be a multiple of {deepest}")
        if not 0 <= self.temporal.alpha < 1 or math.isnan(self.temporal.alpha):
            raise ValueError("temporal.alpha must be in [0, 1)")
        if self.archived.context == "aligned" and self.clip.frames != self.clip.archive_frames:
            raise ValueError("archived.context=aligned needs as many archived as present frames")
        if self.archived.context == "aligned" and self.archived.kind in ("none", "reference_unet"):
            raise ValueError("archived.context=aligned needs an archive, which this kind has not")
        if not 0 <= self.present.overlap < self.clip.frames:
            raise ValueError("present.overlap must be fewer frames than a clip has")
        if len(self.trunk.channels) != len(self.trunk.attention):
            raise ValueError("trunk.channels and trunk.attention must be as many")
        for width in self.trunk.channels:
            if width % self.trunk.heads or width % self.trunk.groups:
                raise ValueError("trunk.heads and trunk.groups must divide every trunk.channels")
        if self.trunk.context_width % self.archived.heads:
            raise ValueError("archived.heads must divide trunk.context_width")
        if self.present.width % self.present.heads:
            raise ValueError("present.heads must divide present.width")
        numbers = 3 * self.picture.shrink**2
        if self.picture.codec == "pca" and self.picture.latent_channels > numbers:
            raise ValueError(
                f"picture.latent_channels must be at most {numbers}, a patch's numbers"
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, as ``from_dict`` takes it."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], name: str = "config") -> MCDMConfig:
        """From plain data; RecipeError for an unknown or ill-typed field."""
        return _build(data, Document(name, dict(data)))

    def changed(self, settings: Sequence[str]) -> MCDMConfig:
        """With ``section.field=value`` settings applied; RecipeError where one is wrong."""
        data = self.to_dict()
        for setting in settings:
            key, equals, value = setting.partition("=")
            if not equals:
                raise RecipeError(f"Expected --set section.field=value, found {setting!r}.")
            _put(data, key.strip(), scalar(value))
        return MCDMConfig.from_dict(data, "--set")


PRESETS = ("paper", "robust", "tiny")


def preset(name: str) -> MCDMConfig:
    """A preset by name; RecipeError names the nearest."""
    if name not in PRESETS:
        raise RecipeError(
            f"Expected a preset of {', '.join(PRESETS)}, found {name!r}{nearest(name, PRESETS)}."
        )
    if name == "paper":
        return MCDMConfig()
    text = (resources.files(__package__) / "presets" / f"{name}.yaml").read_text("utf-8")
    document = read_yaml(text, f"{name}.yaml")
    return _build(_merged(MCDMConfig().to_dict(), document.data), document)


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        inner = isinstance(value, Mapping) and isinstance(base.get(key), dict)
        result[key] = _merged(base[key], value) if inner else value
    return result


_MAY_BE_ZERO = ("audio_window", "features", "overlap", "carry_from_level")
"""Counts that may be 0."""


def _refuse_counts_below_one(config: MCDMConfig) -> None:
    """ValueError for a count or a size that nothing could be built with."""
    for section in ("picture", "clip", "trunk", "archived", "present", "temporal"):
        for name, value in vars(getattr(config, section)).items():
            numbers = value if isinstance(value, tuple) else (value,)
            counted = all(type(number) is int for number in numbers)
            least = 0 if name in _MAY_BE_ZERO else 1
            if counted and (not numbers or min(numbers) < least):
                raise ValueError(f"{section}.{name} must be at least {least}, found {value}")
    training = config.training
    for stage in ("encoders", "stage1", "stage2", "stage3"):
        settings: StageConfig = getattr(training, stage)
        if settings.batch < 1 or settings.iterations < 1 or not settings.rate > 0:
            raise ValueError(f"training.{stage} needs a batch, iterations and a rate above 0")
    if min(training.accumulation, training.checkpoint_every, training.validate_every) < 1:
        raise ValueError("training's accumulation, checkpoint_every, validate_every are 1 or more")
    if min(config.sampling.steps, config.sampling.prior_steps) < 1:
        raise ValueError("sampling's steps and prior_steps are 1 or more")


def _put(data: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    here: Any = data
    for name in (*sections, last):
        settings = here if isinstance(here, dict) else {}
        if name not in settings:
            raise RecipeError(f"--set: {key!r} is no known setting{nearest(name, settings)}.")
        parent, here = settings, settings[name]
    parent[last] = value


def _build(data: Mapping[str, Any], document: Document) -> MCDMConfig:
    return _nested(MCDMConfig, data, document, ())


def _nested(cls: Any, data: Mapping[str, Any], document: Document, path: tuple[str, ...]) -> Any:
    """``core.config.build`` for dataclasses that hold dataclasses."""
    kinds = {
        f.name: f.default_factory
        for f in dataclasses.fields(cls)
        if dataclasses.is_dataclass(f.default_factory)
    }
    values = dict(data)
    for key, kind in kinds.items():
        if key in values and not isinstance(values[key], Mapping):
            raise RecipeError(
                f"{document.where((*path, key))}: {'.'.join((*path, key))} expects a mapping of "
                f"settings, found {values[key]!r}."
            )
        if key in values:
            values[key] = _nested(kind, values[key], document, (*path, key))
    return build(cls, values, document, path)
