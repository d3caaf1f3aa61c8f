"""What an MCDM is: every reading of the paper (R1-R33 of docs/mcdm.md) as one field.

The defaults are the preset ``paper``. Other presets are YAML files beside this one.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import field
from importlib import resources
from typing import Annotated, Any, Literal, Self

from pydantic import Field, NonNegativeInt
from pydantic.dataclasses import dataclass

from talkingface_wild.core.config import Count, Document, build, read_yaml, scalar
from talkingface_wild.core.errors import RecipeError, nearest
from talkingface_wild.models.conditions.pictures import PictureConfig
from talkingface_wild.models.networks.trunk import TrunkConfig
from talkingface_wild.models.samplers.noise import DiffusionConfig


@dataclass(frozen=True)
class ClipConfig:
    """The window that the network makes at once, and the window it remembers."""

    frames: Count = 16
    """f, present frames."""
    archive_frames: Count = 16
    """a, archived frames (R1)."""


@dataclass(frozen=True)
class ArchivedConfig:
    """The archived-clip motion prior, section 3.2."""

    kind: Literal["frame_aligned", "none", "qformer", "reference_unet"] = "frame_aligned"
    """``none`` is w/o F_a (the reference alone), ``qformer`` B1, ``reference_unet`` B2."""
    queries: Count = 16
    """n, learned queries."""
    patch: Count = 4
    """Latents on a side for one token; m = (latent side / patch)^2 (R2)."""
    heads: Count = 1
    """Heads of frame-aligned attention; the equation has one."""
    context: Literal["all", "aligned"] = "all"
    """Every frame reads all a*n tokens, or frame i those of archived frame i (R12)."""
    policy: Literal["last", "strided", "reservoir"] = "last"
    """Which generated frames stay in the archive (R5)."""
    source: Literal["reencode", "latent"] = "reencode"
    """The archive holds pixels sent through the VAE again, or the latents themselves (A.7)."""
    anchor_reference: bool = False
    """Slot 0 of the archive is always the reference (R4)."""
    qformer_layers: Count = 2
    """Layers of the Q-Former variant."""


@dataclass(frozen=True)
class PresentConfig:
    """The present-clip motion-prior diffusion model, section 3.3."""

    kind: Literal["prior", "audio_attention"] = "prior"
    """``audio_attention`` is w/o F_pc: the present attention reads sound features."""
    head_tokens: Count = 4
    lip_tokens: Count = 4
    expression_tokens: Count = 4
    token_width: Count = 256
    """Width of a motion token."""
    width: Count = 768
    """Width of the transformer."""
    layers: Count = 8
    """L."""
    heads: Count = 12
    """Attention heads of the transformer."""
    audio: Literal["wav2vec2", "mel"] = "wav2vec2"
    """Sound features; ``mel`` needs no weights."""
    audio_window: NonNegativeInt = 2
    """Feature frames on either side of a video frame that it sees."""
    audio_tokens: Count = 4
    """k_a, sound tokens a frame."""
    audio_width: Count = 768
    """Width of a sound feature."""
    image: Literal["clip", "latent"] = "clip"
    """Features of the reference; ``latent`` pools its latents and needs no weights."""
    image_tokens: Count = 4
    """Image tokens beside the pooled one."""
    image_width: Count = 1024
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
    overlap: NonNegativeInt = 4
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
    features: NonNegativeInt = 0
    """r, random features; 0 is floor(d_h ln d_h)."""
    alpha: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Weight of the past in eq. 5."""
    streams: Literal["symmetric", "residual", "attn_only"] = "symmetric"
    """What memory and present rows are made of (R6)."""
    carry: Literal["last", "reset", "full"] = "last"
    """What of the memory goes on to the next clip (R8)."""
    carry_from_level: NonNegativeInt = 0
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

    iterations: Count = 30_000
    batch: Count = 4
    """Clips an iteration and process (R19)."""
    rate: Annotated[float, Field(gt=0)] = 1e-5
    warmup: int = 0
    schedule: Literal["constant", "cosine"] = "constant"


@dataclass(frozen=True)
class TrainingConfig:
    """How the stages are trained, section 3.5 and A.6."""

    encoders: StageConfig = field(default_factory=StageConfig)
    stage1: StageConfig = field(default_factory=StageConfig)
    stage2: StageConfig = field(default_factory=StageConfig)
    stage3: StageConfig = field(default_factory=StageConfig)
    accumulation: Count = 1
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
    checkpoint_every: Count = 1000
    validate_every: Count = 1000
    sample_every: int = 0
    """Iterations between sample videos; 0 is only at the end of stage 3."""
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class SamplingConfig:
    """How videos are made, A.7."""

    solver: Literal["ddim", "dpm++", "unipc", "lcm"] = "ddim"
    steps: Count = 25
    """R25."""
    prior_steps: Count = 25
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
        if self.picture.side % self.picture.shrink:
            raise ValueError(f"picture.side must be a multiple of {self.picture.shrink}")
        if self.picture.latent_side % self.archived.patch:
            raise ValueError("archived.patch must divide the latent's side")
        deepest = 2 ** (len(self.trunk.channels) - 1)
        if self.picture.latent_side % deepest:
            raise ValueError(f"the latent's side must be a multiple of {deepest}")
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
    def from_dict(cls, data: Mapping[str, Any], name: str = "config") -> Self:
        """From plain data; RecipeError for an unknown or ill-typed field."""
        return build(cls, data, Document(name, dict(data)))

    def changed(self, settings: Sequence[str]) -> Self:
        """With ``section.field=value`` settings applied; RecipeError where one is wrong."""
        data = self.to_dict()
        for setting in settings:
            key, equals, value = setting.partition("=")
            if not equals:
                raise RecipeError(f"Expected --set section.field=value, found {setting!r}.")
            change = scalar(value)
            for name in reversed(key.strip().split(".")):
                change = {name: change}
            data = _merged(data, change)
        return self.from_dict(data, "--set")


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
    return build(MCDMConfig, _merged(MCDMConfig().to_dict(), document.data), document)


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        inner = isinstance(value, Mapping) and isinstance(base.get(key), dict)
        result[key] = _merged(base[key], value) if inner else value
    return result
