"""Finds a checkpoint's file of weights: in a folder on this machine, or on the Hugging Face hub.

The hub is asked only for what is not on this machine, and not at all under TFW_OFFLINE=1.
"""

import errno
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from talkingface_wild.core.errors import (
    ExtraMissing,
    InputUnreadable,
    NetworkUnavailable,
    WeightMissing,
)
from talkingface_wild.core.paths import disk_full
from talkingface_wild.models.loading.tensor_files import INDEX, SUFFIXES

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_SAFE, _PICKLED, _HALF = (".safetensors",), (".bin",), (".fp16.safetensors", ".fp16.bin")


@dataclass(frozen=True)
class FileLayout:
    """Where a project's folder has one network's weights."""

    what: str
    """The network, as a sentence names it."""
    stems: tuple[str, ...] = ()
    """File names without ending, such as ``diffusion_pytorch_model``."""
    folders: tuple[str, ...] = ("",)
    """Folders that may hold it, the likeliest first."""
    files: tuple[str, ...] = ()
    """Other names that the project has published it under."""
    guess: bool = True
    """A folder's only file of weights may have any name."""

    def stages(self) -> Iterator[list[str]]:
        """Relative names, in the order they are looked for; one stage is enough."""
        for endings in (_SAFE, _PICKLED, _HALF):
            if self.stems:
                yield [
                    f"{folder}/{stem}{ending}{index}".lstrip("/")
                    for folder in self.folders
                    for stem in self.stems
                    for ending in endings
                    for index in ("", INDEX)
                ]
        for name in self.files:
            yield [name]


class Located(NamedTuple):
    """A file of weights, or the index of its shards, and how a sentence names it."""

    path: Path
    shown: str


def locate(source: str, layout: FileLayout) -> Located:
    """Where ``source`` has the weights.

    Raises:
        WeightMissing: the folder is there, but not this network's file.
        InputUnreadable: nothing is there, or files of which none is the obvious one.
        NetworkUnavailable: it would have to come from the hub, which can't be reached.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return Located(path, source)
    if path.is_dir():
        file = _inside(path, layout)
        if file is None and layout.guess:
            file = _only_file(path)
        if file is None:
            raise WeightMissing(
                f"Expected {layout.what} in {path}, found no {_names(layout)}; give the folder or "
                "file that has it."
            )
        return Located(file, str(file))
    if not _HUB_ID.fullmatch(source):
        raise InputUnreadable(
            f"Expected {layout.what} at {source}, found nothing there; give a folder, a file, or "
            "the name of a repository on the Hugging Face hub."
        )
    return _from_hub(source, layout)


def _inside(folder: Path, layout: FileLayout) -> Path | None:
    names = (name for stage in layout.stages() for name in stage)
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _only_file(folder: Path) -> Path | None:
    """The file of tensors of a folder that has just one. Raises InputUnreadable for several."""
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if len(files) > 1:
        raise InputUnreadable(
            f"Expected one file of weights in {folder}, found {len(files)}, such as "
            f"{files[0].name} and {files[1].name}; give the file itself."
        )
    return files[0] if files else None


def _names(layout: FileLayout) -> str:
    names = [stage[0] for stage in layout.stages()]
    return " or ".join(names[:1] + names[-1:]) if len(names) > 1 else names[0]


def _from_hub(source: str, layout: FileLayout) -> Located:
    """Fetch no more than the files of one stage, and the configuration."""
    configurations = [f"{folder}/config.json".lstrip("/") for folder in layout.folders]
    unreached: NetworkUnavailable | None = None
    for stage in layout.stages():
        shards = [name.removesuffix(INDEX) for name in stage if name.endswith(INDEX)]
        patterns = [*stage, *("-*-of-*".join(os.path.splitext(name)) for name in shards)]
        try:
            folder = _snapshot(source, layout.what, [*patterns, *configurations])
        except NetworkUnavailable as error:
            unreached = error
            continue
        if (path := _inside(folder, layout)) is not None:
            return Located(path, f"{source}: {path.relative_to(folder)}")
    if unreached is not None:
        raise unreached
    raise WeightMissing(
        f"Expected {layout.what} in the repository {source}, found no {_names(layout)}; give "
        "another repository, or a folder."
    )


def _snapshot(source: str, what: str, patterns: list[str]) -> Path:
    """The folder of a repository's files that match; those that were fetched before are kept."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.constants import HF_HUB_CACHE
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the package huggingface_hub to fetch {source}, found none; run "
            "pip install -c constraints.txt 'talkingface-wild[models]', or give a folder."
        ) from error
    offline = os.environ.get("TFW_OFFLINE") == "1"
    repository, _, revision = source.partition("@")
    try:
        return Path(
            snapshot_download(
                repository,
                revision=revision or None,
                allow_patterns=patterns,
                local_files_only=offline,
            )
        )
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise InputUnreadable(
            f"Expected {what} at {source}, found neither a folder nor a repository of the Hugging "
            "Face hub that is open to you; check the name."
        ) from error
    except Exception as error:
        # What a broken connection raises depends on the hub's own HTTP library.
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise disk_full(Path(HF_HUB_CACHE, repository)) from error
        reason = "TFW_OFFLINE=1" if offline else type(error).__name__
        raise NetworkUnavailable(
            f"Expected {what} at {source}, found no folder of this name, and the hub was not "
            f"reached ({reason}); give a folder, or run it again with a network."
        ) from error
