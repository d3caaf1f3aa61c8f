"""Finds a checkpoint's file of weights: in a folder on this machine, or on the Hugging Face hub.

The hub is asked only for what is not on this machine, and not at all under TFW_OFFLINE=1.
"""

import errno
import functools
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from talkingface_wild.core.errors import (
    CheckFailed,
    DiskFull,
    ExtraMissing,
    InputUnreadable,
    NetworkUnavailable,
    WeightMissing,
)
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.paths import disk_full
from talkingface_wild.weights.manifest import HubWeight
from talkingface_wild.weights.store import StoredWeight

_SHA256 = re.compile(r"[0-9a-f]{64}")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt", ".bin")
"""Endings of files that hold tensors."""
INDEX = ".index.json"
"""Ending of the file that says which shard holds which tensor."""
_SAFE, _PICKLED, _HALF = (".safetensors",), (".bin",), (".fp16.safetensors", ".fp16.bin")


class Located(NamedTuple):
    """A file of weights, or the index of its shards, and how a sentence names it."""

    path: Path
    shown: str


def locate(source: str, weight: HubWeight, guess: bool = True, here: bool = False) -> Located:
    """Where ``source`` (a folder, a file, or a hub name) has the weights.

    ``guess``: a folder's only file of weights may have any name; ``here``: nothing is fetched.

    Raises:
        WeightMissing: the folder is there, but not this network's file.
        InputUnreadable: nothing is there, or files of which none is the obvious one.
        NetworkUnavailable: it would have to come from the hub, which can't be reached.
    """
    path = Path(source).expanduser()
    if path.is_file():
        return Located(path, source)
    if path.is_dir():
        file = _inside(path, weight)
        if file is None and guess and not weight.companions:
            file = _only_file(path)
        if file is None:
            raise WeightMissing(
                f"Expected {weight.what} in {path}, found no {_names(weight)}; give the folder or "
                "file that has it."
            )
        return Located(file, str(file))
    if not _HUB_ID.fullmatch(source):
        raise InputUnreadable(
            f"Expected {weight.what} at {source}, found nothing there; give a folder, a file, or "
            "the name of a repository on the Hugging Face hub."
        )
    return _from_hub(source, weight, here)


def look(weight: HubWeight, fresh: bool = False) -> StoredWeight:
    """What of it is in the hub's cache, which names files by their sha256.

    ``fresh`` hashes the file and compares; nothing is fetched.
    """
    try:
        path = locate(weight.hub, weight, here=True).path
    except (WeightMissing, InputUnreadable, NetworkUnavailable, ExtraMissing):
        return StoredWeight("missing")
    blob = path.resolve().name
    named = _SHA256.fullmatch(blob) is not None
    expected = weight.sha256 or (blob if named else None)
    if expected is None:
        return StoredWeight("unknown", path)
    sha256 = blob if named and not fresh else file_sha256(path)
    return StoredWeight("present" if sha256 == expected else "differs", path, sha256)


def fetch(weight: HubWeight) -> Path:
    """Its file, fetched into the hub's cache unless it is there. Raises as ``locate``.

    Raises CheckFailed when another file came than the one that is meant.
    """
    path = locate(weight.hub, weight).path
    if weight.sha256 and (sha256 := file_sha256(path)) != weight.sha256:
        raise CheckFailed(
            f"Expected sha256 {weight.sha256} for {weight.name}, found {sha256} in {path}; delete "
            "that file and run the same command again, or report that the repository has changed."
        )
    return path


def cached(weight: HubWeight) -> Path:
    """Its file in the hub's cache; WeightMissing says how it gets there. Nothing is fetched."""
    here = look(weight)
    if here.path is None or here.state == "differs":
        fault = "none" if here.path is None else f"another file, {here.path}"
        raise WeightMissing(
            f"Expected {weight.what} in the hub's cache, found {fault}; run "
            f"'tfw weights fetch {weight.name}' (licence: {weight.licence})."
        )
    return here.path


def _stages(weight: HubWeight) -> Iterator[list[str]]:
    """Relative names, in the order they are looked for; one stage is enough."""
    for endings in (_SAFE, _PICKLED, _HALF):
        if weight.stems:
            yield [
                f"{folder}/{stem}{ending}{index}".lstrip("/")
                for folder in weight.folders
                for stem in weight.stems
                for ending in endings
                for index in ("", INDEX)
            ]
    for name in weight.files:
        yield [name]


def _inside(folder: Path, weight: HubWeight) -> Path | None:
    files = (folder / name for stage in _stages(weight) for name in stage)
    return next((file for file in files if file.is_file() and _complete(file, weight)), None)


def _complete(file: Path, weight: HubWeight) -> bool:
    """Whether all that it needs lies beside it."""
    return all((file.parent / name).is_file() for name in weight.companions)


def _only_file(folder: Path) -> Path | None:
    """The file of tensors of a folder that has just one. Raises InputUnreadable for several."""
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if len(files) > 1:
        raise InputUnreadable(
            f"Expected one file of weights in {folder}, found {len(files)}, such as "
            f"{files[0].name} and {files[1].name}; give the file itself."
        )
    return files[0] if files else None


def _names(weight: HubWeight) -> str:
    names = [stage[0] for stage in _stages(weight)]
    file = " or ".join(names[:1] + names[-1:]) if len(names) > 1 else names[0]
    return f"{file} with {', '.join(weight.companions)}" if weight.companions else file


def _from_hub(source: str, weight: HubWeight, here: bool) -> Located:
    """Fetch no more than the files of one stage, and the configuration."""
    configurations = [f"{folder}/config.json".lstrip("/") for folder in weight.folders]
    unreached: NetworkUnavailable | None = None
    for stage in _stages(weight):
        shards = [name.removesuffix(INDEX) for name in stage if name.endswith(INDEX)]
        patterns = [*stage, *("-*-of-*".join(os.path.splitext(name)) for name in shards)]
        patterns += weight.companions
        try:
            folder = _snapshot(source, weight.what, [*patterns, *configurations], here)
        except NetworkUnavailable as error:
            unreached = error
            continue
        if (path := _inside(folder, weight)) is not None:
            return Located(path, f"{source}: {path.relative_to(folder)}")
    if unreached is not None:
        raise unreached
    raise WeightMissing(
        f"Expected {weight.what} in the repository {source}, found no {_names(weight)}; give "
        "another repository, or a folder."
    )


def _snapshot(source: str, what: str, patterns: list[str], here: bool) -> Path:
    """The folder of a repository's files that match; those that were fetched before are kept."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.constants import HF_HUB_CACHE
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
        from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the package huggingface_hub to fetch {source}, found none; run "
            "pip install -c constraints.txt 'talkingface-wild[models]', or give a folder."
        ) from error
    offline = here or os.environ.get("TFW_OFFLINE") == "1"
    repository, _, revision = source.partition("@")
    try:
        call = functools.partial(
            snapshot_download,
            repository,
            revision=revision or None,
            allow_patterns=patterns,
            local_files_only=offline,
        )
        if not offline:
            disable_progress_bars()
            try:
                files: Any = call(dry_run=True)
            finally:
                enable_progress_bars()
            _check_room(Path(HF_HUB_CACHE), files)
        return Path(str(call()))
    except DiskFull:
        raise
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


def _check_room(cache: Path, files: Iterable[Any]) -> None:
    """Refuse before the first byte what will not fit; ``files`` are those of a dry run."""
    needed = sum(file.file_size or 0 for file in files if file.will_download)
    folder = next(path for path in (cache, *cache.parents) if path.exists())
    if needed > (free := shutil.disk_usage(folder).free):
        raise DiskFull(
            f"Expected {needed:,} bytes free in {cache} for the download, found {free:,}; free "
            "some space and run the same command again, or set HF_HOME to a folder on another disk."
        )
