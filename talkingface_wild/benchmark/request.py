"""What a call of ``tfw bench`` asks for, as plain data."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from talkingface_wild.core.request import Request


class BenchRequest(Request):
    """One method on one list under one protocol. Either ``model`` and ``dataset``, or pairs."""

    out: Path
    """Folder of this run. Default: bench/ and the names of model or outputs, data set, and protocol
    where it is not tfw-v1."""
    model: str = ""
    """groundtruth, static, shifted, crf28, halves; mcdm; or an adapter's name or YAML file."""
    dataset: str = ""
    """A curated data set's folder, a list's CSV, or hdtf, celebvhq, talkingface-wild, open-set and
    the other lists of 'tfw bench list'."""
    outputs: Path | None = None
    """Folder of a method's finished videos."""
    reference: Path | None = None
    """Folder of the real videos of the same names."""
    pairs: Path | None = None
    """CSV with columns generated, reference and, if wanted, clip, sound, identity, language."""
    videos: Path | None = None
    """Where a list's videos lie, if it does not say."""
    name: str = ""
    """What tables call the method."""
    checkpoint: Path | None = None
    """The generator's checkpoint, or the --out of 'tfw train'."""
    steps: int | None = Field(None, ge=1)
    """Sampling steps. Default: the checkpoint's."""
    cfg: float | None = None
    """Guidance; 1 is off. Default: the checkpoint's."""
    seeds: int | None = Field(None, ge=1)
    """Seeds of a stochastic method. Default: 3, as tfw-v1 asks."""
    split: str = "test"
    """train, val, test or all of a data set."""
    protocol: str = "tfw-v1"
    """A protocol's name or YAML file."""
    metrics: str | None = None
    """all, or such as ssim,psnr,fid. Default: the protocol's own."""
    limit: int | None = Field(None, ge=1)
    """The first so many clips."""
    skip_missing: bool = False
    """Leave out metrics whose weights are missing."""
    features: Path | None = None
    """Folder of stored features. Default: OUT/features; runs may share one."""
    engine: str = "local"
    """local or ray"""
    workers: int | None = Field(None, ge=1)
    """Workers of the ray engine."""
    device: str = "auto"
    """auto, cpu or cuda"""
    run_command: bool = False
    """Let the adapter's command make videos that are missing."""
    autocast: bool = False
    """Inception and I3D in bfloat16; named in the signature."""
    retry_failed: bool = False
    """Try again what failed."""
    fresh: bool = False
    """Forget results and measure anew."""

    @property
    def options(self) -> dict[str, int | float]:
        """How a generator samples where that is not its checkpoint's own way."""
        options = {"steps": self.steps, "guidance": self.cfg}
        return {name: value for name, value in options.items() if value is not None}

    @property
    def sampling(self) -> str:
        """The options in words; empty without any."""
        return ", ".join(f"{name} {value:g}" for name, value in self.options.items())
