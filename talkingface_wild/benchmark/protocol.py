"""A protocol: which frames, which crop, which resize, which networks. Read from YAML; does no work.

Two numbers may be compared when the same protocol made them. ``protocols/*.yaml`` hold the known
ones; each field's meaning stands here, and nowhere else.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, NonNegativeInt
from pydantic.dataclasses import dataclass

from talkingface_wild.core.config import Count, Document, build, read_yaml, read_yaml_file
from talkingface_wild.core.errors import RecipeError, UsageError, nearest
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.media.recode import check_step


@dataclass(frozen=True)
class Frames:
    """Which frames are looked at: ``first``, then every ``stride``-th, at most ``most``."""

    first: NonNegativeInt = 1
    """Index of the first one; frame 0 is the reference picture and excluded in tfw-v1."""
    stride: Count = 1
    most: Count | None = None

    def indices(self, count: int) -> list[int]:
        """The indices within a clip of ``count`` frames."""
        return list(range(self.first, count, self.stride)[: self.most])


@dataclass(frozen=True)
class FidSettings(Frames):
    """FID and KID."""

    stride: Count = 5
    resize: Literal["clean", "torch-fidelity", "pytorch-fid"] = "clean"
    """How a frame becomes 299 x 299; FID changes by this alone."""
    network: str = "inception_fid"
    """Name of the weight."""


@dataclass(frozen=True)
class FvdSettings:
    """FVD and KVD: windows of consecutive frames through I3D."""

    first: NonNegativeInt = 1
    window: Count = 16
    step: Count = 16
    most: Count | None = None
    """Most windows of a clip."""
    geometry: Literal["tfw", "stylegan-v", "videogpt", "cd-fvd", "latentsync"] = "tfw"
    ddof: int = 1
    """1: unbiased covariance; 0: CD-FVD's."""
    network: str = "i3d_kinetics400"
    faces: bool = False
    """Crop every frame to its own face box first (LatentSync)."""
    detector: str = "scrfd_2.5g"
    """What finds those boxes, where ``faces`` is set."""


@dataclass(frozen=True)
class SyncSettings:
    """SyncNet: what is done to the frames before the network sees them."""

    pipeline: Literal["tracked", "whole"] = "tracked"
    """tracked: S3FD, tracks, smoothed crops; whole: every frame resized to 224 x 224 as it is."""
    first: int = 1
    tracks: Literal["longest", "mean"] = "longest"
    """Which tracks count: the longest, or the mean over all."""
    least_track: int = 6
    """A track has more detections than this."""
    least_side: float = 0.0
    """Pixels that a track's mean width or height exceeds."""
    recode: tuple[str, ...] = ()
    """Lossy steps of the reference that are part of its number, in order: ``mpeg4`` (ffmpeg
    -qscale:v 2) before detection, ``crop-mpeg4`` for the written crops, ``jpeg`` (-qscale:v 2)
    for extracted frames."""


@dataclass(frozen=True)
class SimilaritySettings(Frames):
    """SSIM and PSNR, frame to frame."""

    window: Literal["gaussian", "uniform"] = "gaussian"
    channels: Literal["rgb", "luma"] = "rgb"


@dataclass(frozen=True)
class ExpressionSettings(Frames):
    """E-FID: expression coefficients of Deep3DFaceRecon."""

    stride: Count = 5
    most: Count | None = 75
    detector: str = "scrfd_2.5g"
    """What gives the five points."""
    most_unmeasured: float = 0.02
    """Share of frames without a face above which there is no value."""


@dataclass(frozen=True)
class IdentitySettings(Frames):
    """CSIM: ArcFace of aligned faces."""

    stride: Count = 5
    most: Count | None = None
    detector: str = "scrfd_2.5g"
    network: Literal[
        "r100", "arcface_glint360k_r100", "arcface_r100", "arcface_r50", "arcface_w600k_r50"
    ] = "r100"
    """r100: InsightFace's Glint360K file where it is here, else arcface_torch's; the signature
    names the one that was used."""


@dataclass(frozen=True)
class DriftSettings:
    """The curve over long videos (the paper's Fig. 5)."""

    at: tuple[int, ...] = (30, 300, 1800, 3600, 7200)
    around: int = 12
    """Frames on each side that are averaged."""
    failure_seconds: float = 5.0
    failure_ratio: float = 0.8
    """A window's mean CSIM under this share of the first window's is the failure."""


@dataclass(frozen=True)
class Protocol:
    """A named, versioned set of choices."""

    name: str
    summary: str
    """One sentence: whose computation this is."""
    source: str = ""
    """Where it is published: a paper, a repository and its revision."""
    fps: Annotated[int, Field(ge=1, le=120)] = 25
    canvas: Annotated[int, Field(ge=0, le=2048)] = 512
    """Side of the square on which both videos are compared, in pixels; 0: the real video's size."""
    frames: NonNegativeInt = 375
    """Most frames of a clip, from its start, 0 for all; a list may say fewer or more."""
    recode: str = ""
    """A step of ``media.recode`` through which both sides go before scoring; empty: none."""
    metrics: tuple[str, ...] = ()
    """What it measures by default."""
    fid: FidSettings = field(default_factory=FidSettings)
    fvd: FvdSettings = field(default_factory=FvdSettings)
    sync: SyncSettings = field(default_factory=SyncSettings)
    similarity: SimilaritySettings = field(default_factory=SimilaritySettings)
    expression: ExpressionSettings = field(default_factory=ExpressionSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    drift: DriftSettings = field(default_factory=DriftSettings)
    autocast: bool = False
    """Inception and I3D in bfloat16; named in the signature."""
    unknowns: tuple[str, ...] = ()
    """What its source does not say, and what was taken instead."""

    def to_json(self) -> dict[str, Any]:
        """Plain data; ``from_json`` gives the protocol back."""
        return dataclasses.asdict(self)


def from_json(data: Mapping[str, Any], document: Document | None = None) -> Protocol:
    """A protocol from plain data. RecipeError names an unknown field, its nearest and the line."""
    return build(Protocol, data, document or Document("the protocol", dict(data)))


def names() -> list[str]:
    """The protocols that come with the package, tfw-v1 first."""
    folder = resources.files("talkingface_wild.benchmark") / "protocols"
    files = [path.name for path in folder.iterdir() if path.name.endswith(".yaml")]
    protocols = [name.removesuffix(".yaml") for name in files]
    return sorted(protocols, key=lambda name: (name != "tfw-v1", name))


def load_protocol(name: str) -> Protocol:
    """The protocol called ``name``, or the one in the YAML file ``name``.

    Raises UsageError for an unknown name, RecipeError for a file that is not a protocol.
    """
    if name.endswith((".yaml", ".yml")):
        document = read_yaml_file(Path(name))
    elif name in names():
        document = _packaged(name)
    else:
        raise UsageError(
            f"Expected a protocol, found {name!r}{nearest(name, names())}; "
            f"known are {', '.join(names())}, or give a YAML file."
        )
    protocol = from_json(document.data, document)
    _check(protocol, document.name)
    if protocol.name in names() and protocol != from_json(_packaged(protocol.name).data):
        own = digest(protocol.to_json(), 6)
        return dataclasses.replace(protocol, name=f"{protocol.name}~{own}")
    return protocol


def _packaged(name: str) -> Document:
    folder = resources.files("talkingface_wild.benchmark") / "protocols"
    return read_yaml((folder / f"{name}.yaml").read_text("utf-8"), f"{name}.yaml")


def _check(protocol: Protocol, where: str) -> None:
    """Raise RecipeError for values that no run could be made with."""
    steps = [protocol.recode] if protocol.recode else []
    steps += [step.removeprefix("crop-") for step in protocol.sync.recode]
    try:
        for step in steps:
            check_step(step)
    except UsageError as error:
        raise RecipeError(f"{where}: {error}") from None
    if protocol.frames == 1:
        raise RecipeError(f"{where}: expected frames 0 or at least 2, found 1; mend that line.")
    heard = [name for name in protocol.metrics if name.startswith("sync") or name == "nsync"]
    if heard and protocol.fps != 25:
        raise RecipeError(
            f"{where}: expected fps 25 with {', '.join(heard)}, found {protocol.fps}: "
            "SyncNet knows no other rate; take those metrics out."
        )
