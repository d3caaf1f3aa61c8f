"""Weights that are already on this machine: recognised by sha256, else by layout.

Nothing that is imported is executed, and nothing unknown is taken without the user's word.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.weights.archives import MOST_BYTES, extract_member, is_archive, members
from talkingface_wild.weights.layouts import misfit
from talkingface_wild.weights.manifest import Weight
from talkingface_wild.weights.store import Store

Result = Literal["imported", "already there", "refused"]


@dataclass(frozen=True)
class Imported:
    """What became of one recognised file; ``reason`` is a sentence for what was refused."""

    name: str
    source: Path
    result: Result
    reason: str = ""


def import_weights(store: Store, source: Path, trust: bool = False) -> list[Imported]:
    """Bring every weight of a folder, file or archive that the manifest knows into the store.

    ``trust`` takes files of the right name and layout whose hash is not the published one, too.

    Raises:
        InputUnreadable: the source is not there, or nothing in it is a known weight.
    """
    files = list(_files(source))
    results: list[Imported] = []
    for file in files:
        if is_archive(file):
            results += _import_archive(store, file, trust)
        elif (result := _import_file(store, file, file.name, trust, file)) is not None:
            results.append(result)
    if not results:
        raise InputUnreadable(
            f"Expected weights of the manifest in {source}, found {len(files)} files of which none "
            "has a known hash or name; run 'tfw weights list' to see what is looked for."
        )
    return results


def _files(source: Path) -> Iterator[Path]:
    """The regular files under ``source`` in a fixed order; InputUnreadable when it is not there."""
    if source.is_file():
        yield source
        return
    if not source.is_dir():
        raise InputUnreadable(
            f"Expected a folder or a file with weights, found nothing at {source}; check the path."
        )
    for folder, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            path = Path(folder, name)
            if path.is_file() and not name.startswith("."):
                yield path


def _candidates(store: Store, name: str, size: int) -> list[Weight]:
    """The entries that a file of this name and size could be."""
    return [
        weight
        for weight in store.manifest.values()
        if name in weight.file_names or (weight.sha256 and weight.size in (None, size))
    ]


def _import_file(store: Store, file: Path, name: str, trust: bool, shown: Path) -> Imported | None:
    """Place one file if it is a known weight; None when it is something else."""
    candidates = _candidates(store, name, file.stat().st_size)
    if not candidates:
        return None
    sha256 = file_sha256(file)
    for weight in candidates:
        recorded = store.recorded().get(weight.name, {}).get("sha256")
        if sha256 in (weight.sha256, recorded):
            if store.sha256(weight.name) == sha256:
                return Imported(weight.name, shown, "already there")
            store.place(weight.name, file, "recognised by its published sha256")
            return Imported(weight.name, shown, "imported")
    named = [weight for weight in candidates if name in weight.file_names]
    if not named:
        return None
    weight = named[0]
    wrong = misfit(file, weight.layout)
    if wrong is not None:
        reason = f"it is called like {weight.name}, but {wrong}; get it again from its source."
        return Imported(weight.name, shown, "refused", reason)
    if not trust:
        reason = (
            f"it has the layout of {weight.name}, but its sha256 {sha256[:12]}… is not a known "
            "one; add --trust if you know where it comes from."
        )
        return Imported(weight.name, shown, "refused", reason)
    store.place(weight.name, file, "trusted by the user")
    return Imported(weight.name, shown, "imported")


def _import_archive(store: Store, archive: Path, trust: bool) -> list[Imported]:
    """Look at the members that could be known weights, one at a time, in a temporary folder."""
    results = []
    try:
        inside = [(name, size) for name, size in members(archive) if _candidates(store, name, size)]
    except InputUnreadable:
        return []
    for name, size in inside:
        with tempfile.TemporaryDirectory(prefix="tfw-import-") as folder:
            file = Path(folder, "member" + Path(name).suffix)
            try:
                extract_member(archive, name, file, most_bytes=min(size, MOST_BYTES))
                result = _import_file(store, file, name, trust, archive / name)
            except InputUnreadable as error:
                result = Imported(name, archive, "refused", str(error))
            if result is not None:
                results.append(result)
    return results
