"""What ``tfw generate`` was asked for, as plain data: the same data, the same frames.

A half-made file and a finished one's sidecar are held against it.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.fingerprint import digest, file_sha256

if TYPE_CHECKING:
    from talkingface_wild.models.mcdm import MCDMPipeline
    from talkingface_wild.models.mcdm.options import GenerateOptions
    from talkingface_wild.models.provenance import Provenance


@dataclass(frozen=True)
class Request:
    """The command line."""

    checkpoint: Path
    image: Path
    audio: Path
    out: Path
    landmarks: Path | None
    seconds: float | None
    seed: int
    sampling: Mapping[str, Any]
    """Only what is asked for otherwise than the model has it."""
    detector: str
    whole: bool
    device: str
    precision: str
    compiled: bool
    resume: bool
    fresh: bool

    @property
    def inputs(self) -> dict[str, Path]:
        """The files that are read, by the option that names them."""
        found = {"image": self.image, "audio": self.audio, "landmarks": self.landmarks}
        return {kind: path for kind, path in found.items() if path is not None}


def input_hashes(request: Request) -> dict[str, str]:
    """The sha256 of each input. Raises InputUnreadable, and UsageError where ``out`` is one."""
    found = {}
    for kind, path in request.inputs.items():
        if request.out.exists() and path.exists() and path.samefile(request.out):
            raise UsageError(
                f"Expected --out to be another file than the inputs, found {path} as --{kind}."
            )
        try:
            found[kind] = file_sha256(path)
        except OSError as error:
            raise InputUnreadable(
                f"Expected a file at {path}, found none that can be read ({error.strerror}); give "
                f"another by --{kind}."
            ) from error
    return found


def described(
    request: Request,
    pipeline: MCDMPipeline,
    folder: Path,
    precision: str,
    how: GenerateOptions,
    hashes: Mapping[str, str],
) -> tuple[dict[str, Any], Provenance]:
    """All that shapes the frames, as plain data, and what the files will say of it."""
    from talkingface_wild.models.provenance import Provenance, weights_sha256

    parts = pipeline.parts
    config = {k: v for k, v in parts.config.to_dict().items() if k not in ("training", "sampling")}
    settings = {
        "sampling": dataclasses.asdict(pipeline.sampling(how)),
        "frames": how["frames"],
        "precision": precision,
        "compile": request.compiled,
        "crop": [request.detector, request.whole],
        "fps": parts.config.picture.fps,
    }
    asked: dict[str, Any] = {
        "config": digest(config, 64),
        "weights": weights_sha256(folder),
        "seed": request.seed,
        **{kind: hashes.get(kind) for kind in ("image", "audio", "landmarks")},
        **settings,
    }
    provenance = Provenance(
        model="mcdm",
        preset=parts.config.name,
        config_sha256=asked["config"],
        weights_sha256=asked["weights"],
        trained_on=parts.facts.get("trained_on"),
        trained=parts.facts,
        seed=request.seed,
        settings=settings,
        inputs={
            kind: {"name": path.name, "sha256": hashes[kind]}
            for kind, path in request.inputs.items()
        },
        request=digest(asked),
    )
    return asked, provenance


def is_made(out: Path, request_digest: str) -> bool:
    """Whether ``out`` is there and its sidecar says that it was made of the same request."""
    from talkingface_wild.models.provenance import sidecar_path

    try:
        told = json.loads(sidecar_path(out).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return out.is_file() and told.get("request") == request_digest
