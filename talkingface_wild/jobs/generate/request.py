"""What ``tfw generate`` is asked for, and what of it shapes the frames.

A half-made file and a finished one's sidecar are held against it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from talkingface_wild.core.errors import InputUnreadable, UsageError, nearest
from talkingface_wild.core.fingerprint import digest, file_sha256
from talkingface_wild.core.generator import Generator
from talkingface_wild.core.provenance import Provenance, provenance_of, sidecar_path
from talkingface_wild.core.request import OPTION, Request
from talkingface_wild.models import generator_class, registered

SOLVERS = ("ddim", "dpm++", "unipc", "lcm")
PRECISIONS = ("auto", "fp32", "bf16", "fp16")


class GenerateRequest(Request):
    """One video from a portrait and a sound."""

    EXAMPLES: ClassVar = (
        "tfw generate --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 --out v.mp4",
        "tfw generate --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 --out v.mp4 --resume",
        "tfw generate --checkpoint runs/tiny --image demo_out/corpus/es/es_talk.mp4 "
        "--audio demo_out/corpus/es/es_talk.mp4 --seconds 2 --solver dpm++ --steps 8 --seed 1 "
        "--out short.mp4 --json",
    )

    model: str = "mcdm"
    """Which generator: mcdm."""
    checkpoint: Path | None = None
    """The --out of 'tfw train', or a model's folder."""
    image: Path | None = None
    """A picture of one face; of a video, its first frame."""
    audio: Path | None = None
    """Speech: sound, or a video with sound, of any length."""
    out: Path | None = None
    """The video, an .mp4 file."""
    landmarks: Path | None = None
    """A video whose head's way the portrait takes over."""
    steps: int | None = Field(None, ge=1)
    """Denoising steps a clip. Default: the model's."""
    prior_steps: int | None = Field(None, ge=1)
    """Steps for the motion tokens. Default: the model's."""
    cfg: float | None = Field(None, ge=0)
    """Guidance; 1 is off and takes half. Default: the model's."""
    solver: str | None = None
    """ddim, dpm++, unipc or lcm. Default: the model's."""
    drift_gate: bool | None = None
    """Make a clip again that leaves the portrait's look. Default: the model's."""
    seed: int = Field(0, ge=0)
    """Another seed gives another video."""
    seconds: float | None = Field(None, ge=0.04)
    """Only so much of the sound."""
    resume: bool = False
    """Go on with a video that was not finished."""
    fresh: bool = False
    """Forget a video that was not finished."""
    device: str = "auto"
    """auto, cpu or cuda"""
    precision: str = "auto"
    """auto (bf16 on a GPU, else fp32), fp32, bf16 or fp16."""
    compiled: bool = Field(False, json_schema_extra={OPTION: "--compile"})
    """Compile the network: slow to begin, then faster."""
    detector: str = "auto"
    """Face detector: auto, haar, centerface, scrfd_10g, scrfd_2.5g, scrfd_500m."""
    whole: bool = False
    """Take the picture as it is; look for no face."""

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that are read, by the option that names them."""
        files = {"image": self.image, "audio": self.audio, "landmarks": self.landmarks}
        return {kind: path for kind, path in files.items() if path is not None}

    @property
    def sampling(self) -> dict[str, Any]:
        """The generator's options, where another value is asked for than its own."""
        options = {
            "steps": self.steps,
            "prior_steps": self.prior_steps,
            "guidance": self.cfg,
            "solver": self.solver,
            "drift_gate": self.drift_gate,
        }
        return {name: value for name, value in options.items() if value is not None}

    def check(self) -> None:
        """Raise UsageError for what can be seen from the request alone."""
        words = {
            "--model": (self.model, tuple(registered())),
            "--precision": (self.precision, PRECISIONS),
            "--solver": (self.solver, SOLVERS),
        }
        for option, (word, choices) in words.items():
            if word is not None and word not in choices:
                raise UsageError(
                    f"{option} expects {', '.join(choices)}, found {word!r}"
                    f"{nearest(word, choices)}."
                )
        paths = {"--image": self.image, "--audio": self.audio, "--out": self.out}
        lacking = [option for option, path in paths.items() if path is None]
        if self.checkpoint is None and generator_class(self.model).needs_checkpoint:
            lacking.insert(0, "--checkpoint")
        if lacking:
            raise UsageError(
                f"Expected {', '.join(lacking)}, found none; see 'tfw generate --help'."
            )
        if self.out is not None and self.out.suffix.lower() != ".mp4":
            raise UsageError(f"--out expects a file that ends in .mp4, found {self.out}.")
        if self.out is not None and self.out.is_dir():
            raise UsageError(f"--out expects a file, found the folder {self.out}.")
        if self.resume and self.fresh:
            raise UsageError("Expected --resume or --fresh, found both.")


def input_hashes(request: GenerateRequest, out: Path) -> dict[str, str]:
    """The sha256 of each input. Raises InputUnreadable, and UsageError where ``out`` is one."""
    hashes = {}
    for kind, path in request.inputs.items():
        if out.exists() and path.exists() and path.samefile(out):
            raise UsageError(
                f"Expected --out to be another file than the inputs, found {path} as --{kind}."
            )
        try:
            hashes[kind] = file_sha256(path)
        except OSError as error:
            raise InputUnreadable(
                f"Expected a file at {path}, found none that can be read ({error.strerror}); give "
                f"another by --{kind}."
            ) from error
    return hashes


def describe(
    request: GenerateRequest, generator: Generator, frames: int, hashes: Mapping[str, str]
) -> tuple[dict[str, Any], Provenance]:
    """All that shapes the frames, as plain data, and what the files will say of it."""
    settings = {
        **generator.settings(request.sampling),
        "frames": frames,
        "precision": generator.precision,
        "compile": request.compiled,
        "crop": [request.detector, request.whole],
        "fps": generator.facts.fps,
    }
    shaping: dict[str, Any] = {
        "config": generator.facts.config_sha256,
        "weights": generator.weights_sha256,
        "seed": request.seed,
        **{kind: hashes.get(kind) for kind in ("image", "audio", "landmarks")},
        **settings,
    }
    inputs = {
        kind: {"name": path.name, "sha256": hashes[kind]} for kind, path in request.inputs.items()
    }
    return shaping, provenance_of(generator, request.seed, settings, inputs, digest(shaping))


def is_complete(out: Path, request_digest: str) -> bool:
    """Whether ``out`` is there and its sidecar says that it was made of the same request."""
    try:
        content = json.loads(sidecar_path(out).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return out.is_file() and content.get("request") == request_digest
