"""External systems by YAML: how outputs are named, and optionally the command that makes them.

``adapters/*.yaml`` hold the known ones; ``adapters/template.yaml`` explains every field. Starts
nothing: ``program.py`` does.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic.dataclasses import dataclass

from talkingface_wild.core.config import Document, build, read_yaml, read_yaml_file
from talkingface_wild.core.errors import InputUnreadable, RecipeError, UsageError, nearest

NAMING = ("clip", "source", "seed")
"""What ``outputs`` may name."""
INPUTS = (
    "portrait",
    "audio",
    "output",
    "output_folder",
    "work",
    "clip",
    "source",
    "seed",
    "seconds",
    "frames",
    "checkpoint",
    "landmarks",
    "still",
)
"""What a command may name, beside the adapter's own ``variables``."""
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_TEMPLATE = "template"


@dataclass(frozen=True)
class AdapterCommand:
    """The command that makes one video, in the system's own environment."""

    command: tuple[str, ...]
    """The program and its arguments, one by one; never a shell line. Placeholders in braces are
    replaced: portrait (PNG), audio (WAV), output (the video to write), output_folder, work (an
    empty folder of this run), clip, source, seed, seconds, frames, checkpoint, landmarks, still (a
    video that shows the portrait for the length of the sound), and the names in variables."""
    cwd: str = "{work}"
    """Where it runs; placeholders as in command."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Further placeholders, each with the environment variable that gives its value."""
    links: str = ""
    """A folder whose entries are linked into work first, so that a program that writes beside its
    own files does so there; empty for none."""
    apart: tuple[str, ...] = ()
    """Entries of links that become empty folders instead: those that the program writes to."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Texts written into work first, by file name; a placeholder in them becomes a JSON string,
    which is also a YAML one."""
    writes: str = ""
    """Where below work the video appears (a glob; the newest counts); empty: it is output."""
    panel: tuple[int, ...] = ()
    """Left, top, width and height in pixels of the result within what was written; empty: all."""
    env: tuple[str, ...] = ()
    """Environment variables that are passed on, beside PATH, HOME, LANG, TMPDIR and their like."""
    timeout_seconds: float = 3600.0
    """For one clip; then the program and all that it started are ended."""
    environment: str = ""
    """What to install, for a person."""

    def __post_init__(self) -> None:
        if not self.command:
            raise ValueError("run.command expects a program and its arguments, found none")
        if not 0 < self.timeout_seconds < 1e7:
            raise ValueError(f"run.timeout_seconds expects seconds, found {self.timeout_seconds}")
        if self.panel and (len(self.panel) != 4 or min(self.panel) < 0 or 0 in self.panel[2:]):
            raise ValueError(f"run.panel expects left, top, width, height, found {self.panel}")
        for name in (*self.files, *self.apart):
            if name in ("", ".", "..") or name.startswith("-") or "/" in name:
                raise ValueError(f"run expects plain file names in work, found {name!r}")

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text that may hold placeholders, with the name of its field."""
        yield from (("command", argument) for argument in self.command)
        yield "cwd", self.cwd
        yield "links", self.links
        yield from (("files", text) for text in self.files.values())


@dataclass(frozen=True)
class Adapter:
    """One external system. Fields without a default are required."""

    name: str
    """As `--model` takes it: lower case, digits, hyphens."""
    title: str
    """As a table prints it."""
    outputs: str
    """How a finished video is called, relative to the outputs folder; {clip}, {source}, {seed}."""
    track: Literal["audio", "landmarks"] = "audio"
    """What drives it; tables keep the two apart."""
    stochastic: bool = True
    """Whether the seed changes the video; then the protocol asks for several."""
    reframes: bool = False
    """Whether it crops the face: its videos are then barred from SSIM, PSNR, TJE and drift."""
    repository: str = ""
    """Where the system comes from."""
    licence: str = ""
    """What its code and weights may be used for, as far as known."""
    tried: bool = False
    """Whether the command below has been run here with success; false: written from the source."""
    tried_with: str = ""
    """When, with which commit and which machine, where it has been tried."""
    note: str = ""
    """What a reader of its scores should know: it crops the face, another rate, another size."""
    run: AdapterCommand | None = None

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,62}", self.name):
            raise ValueError(f"name expects lower-case letters, digits and -, found {self.name!r}")
        _check_placeholders("outputs", self.outputs, NAMING)
        pattern = Path(self.outputs)
        if pattern.is_absolute() or ".." in pattern.parts or not pattern.suffix:
            raise ValueError(f"outputs expects a relative file name, found {self.outputs!r}")
        if self.tried and not self.tried_with:
            raise ValueError("tried: true expects tried_with: date, commit, machine")
        if self.run is not None:
            names = (*INPUTS, *self.run.variables)
            for name, text in self.run.texts():
                _check_placeholders(f"run.{name}", text, names)

    @property
    def row(self) -> str:
        """As a table prints it; what landmarks drive is said, for it is a track of its own."""
        return self.title + (" (landmarks)" if self.track == "landmarks" else "")

    @property
    def needs(self) -> frozenset[str]:
        """The placeholders that its command uses."""
        texts = self.run.texts() if self.run else ()
        return frozenset(name for _, text in texts for name in _PLACEHOLDER.findall(text))

    def output(self, outputs: Path, clip: str, source: str = "", seed: int = 0) -> Path:
        """Where the finished video of a clip lies below ``outputs``.

        Raises InputUnreadable when the clip's or the source's name leads out of the folder.
        """
        values = {"clip": clip, "source": source, "seed": str(seed)}
        name = filled(self.outputs, values)
        path = Path(name)
        if path.is_absolute() or ".." in path.parts or "\0" in name:
            raise InputUnreadable(
                f"Expected the output of clip {clip!r} inside {outputs}, found the name {name!r}; "
                "give the clip another id."
            )
        return outputs / path


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with each ``{name}`` replaced, once: what comes in is never replaced again."""
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def _check_placeholders(where: str, text: str, names: tuple[str, ...]) -> None:
    for name in _PLACEHOLDER.findall(text):
        if name not in names:
            raise ValueError(f"{where}: {{{name}}} is no known placeholder{nearest(name, names)}")


def adapter_names() -> list[str]:
    """The adapters that come with the package, sorted; the template is none of them."""
    files = (resources.files("talkingface_wild.benchmark") / "adapters").iterdir()
    names = {entry.name.removesuffix(".yaml") for entry in files if entry.name.endswith(".yaml")}
    return sorted(names - {_TEMPLATE})


def load_adapter(name: str) -> Adapter:
    """The adapter of that name, or of the YAML file at that path.

    Raises UsageError for an unknown name, RecipeError with the line of a bad field.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return _adapter(read_yaml_file(Path(name)))
    names = adapter_names()
    if name not in names:
        raise UsageError(
            f"Expected an adapter ({', '.join(names)}) or a YAML file, found {name!r}"
            f"{nearest(name, names)}; start from the template that `tfw bench list --adapters` "
            "names."
        )
    file = resources.files("talkingface_wild.benchmark") / "adapters" / f"{name}.yaml"
    return _adapter(read_yaml(file.read_text(encoding="utf-8"), f"{name}.yaml"))


def template_path() -> Path:
    """The file that explains every field."""
    return Path(str(resources.files("talkingface_wild.benchmark"))) / "adapters/template.yaml"


def _adapter(document: Document) -> Adapter:
    data = dict(document.data)
    if isinstance(data.get("run"), Mapping):
        data["run"] = {name: value for name, value in data["run"].items() if value is not None}
        for name in ("command", "apart", "env", "panel"):
            value = data["run"].get(name, [])
            if not isinstance(value, list):
                raise RecipeError(
                    f"{document.where(('run', name))}: 'run.{name}' expects a list, found "
                    f"{value!r}; write each argument as an item of its own, never a shell line."
                )
    return build(Adapter, data, document)
