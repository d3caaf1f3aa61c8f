"""What a call of ``tfw bench`` asks for, as plain data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.request import OPTION, Request


def _default_out(values: Mapping[str, Any]) -> Path:
    """``bench/`` and a name that another run is not likely to have."""
    parts = [
        values["model"],
        str(values["checkpoint"] or ""),
        str(values["outputs"] or "") if not values["model"] else "",
        values["dataset"],
        "" if values["protocol"] == "tfw-v1" else values["protocol"],
        "ablations" * values["ablations"],
    ]
    names = [Path(part).stem for part in parts if part]
    return Path("bench") / ("-".join(name for name in names if name) or "pairs")


class BenchRequest(Request):
    """One method on one list under one protocol. Either ``model`` and ``dataset``, or pairs."""

    EXAMPLES: ClassVar = (
        "tfw bench --model groundtruth --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/real",
        "tfw bench --model static --dataset demo_out --split all --metrics ssim,psnr "
        "--out bench/still",
        "tfw bench table bench/real bench/still --reported",
        "tfw bench --model mcdm --checkpoint runs/tiny --dataset demo_out --skip-missing",
        "tfw bench selfcheck",
    )

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
    ablations: bool = False
    """Score CHECKPOINT and its variants of the paper's Tables 4 and 5 and print that table."""
    reported: bool = False
    """With --ablations: the paper's printed rows as well."""
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
    out: Path = Field(default_factory=_default_out)
    """Folder of this run. Default: bench/ and the names of model or outputs, data set, and protocol
    where it is not tfw-v1."""
    features: Path | None = None
    """Folder of stored features. Default: OUT/features; runs may share one."""
    engine: str = "local"
    """local or ray"""
    workers: int | None = Field(None, ge=1)
    """Workers of the ray engine."""
    device: str = "auto"
    """auto, cpu or cuda"""
    run_command: bool = Field(False, json_schema_extra={OPTION: "--run"})
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

    def check(self) -> None:
        """Raise UsageError for what can be seen from the request alone."""
        if self.engine not in ("ray", "local"):
            raise UsageError(f"--engine expects ray or local, found {self.engine!r}.")
        if self.split not in ("train", "val", "test", "all"):
            raise UsageError(f"--split expects train, val, test or all, found {self.split!r}.")
        if self.reported and not self.ablations:
            raise UsageError(
                "Expected --reported with --ablations, found it alone; for finished runs there is "
                "`tfw bench table RUN… --reported`."
            )
