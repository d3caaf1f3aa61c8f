"""What a call of ``tfw bench`` asks for, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class BenchRequest:
    """One method on one list under one protocol. Either ``model`` and ``dataset``, or pairs."""

    out: Path
    model: str = ""
    """A floor, a generator's name, or an adapter's name or YAML file."""
    dataset: str = ""
    """A data set's folder, a list's name, or its CSV."""
    outputs: Path | None = None
    reference: Path | None = None
    pairs: Path | None = None
    videos: Path | None = None
    """Where a list's videos lie, for rows that name no file."""
    name: str = ""
    """What tables call the method; the model's name without it."""
    checkpoint: Path | None = None
    sampling: str = ""
    """How a generator samples, where that is not its checkpoint's own way."""
    seeds: int | None = None
    """Seeds of a stochastic method; the protocol's number without it."""
    split: str = "test"
    protocol: str = "tfw-v1"
    metrics: str | None = None
    limit: int | None = None
    skip_missing: bool = False
    engine: str = "local"
    workers: int | None = None
    device: str = "auto"
    features: Path | None = None
    """Where features are kept; ``out/features`` without it. Runs that share it share references."""
    run_command: bool = False
    """Let an adapter run its command for clips that have no output yet."""
    autocast: bool = False
    retry_failed: bool = False
    fresh: bool = False
