"""The folder that holds weights. A file counts only under its published or recorded sha256.

The store reads and places files; it opens no network and judges no layout.
"""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from talkingface_wild.core.errors import DiskFull, InputUnreadable, WeightMissing
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.paths import atomic_path, write_text
from talkingface_wild.weights.manifest import Weight, entries, entry

State = Literal["present", "trusted", "missing", "differs", "unknown"]
"""present: the published or recorded file; trusted: another one that the user vouched for;
differs: not the file it should be; unknown: there is neither a published nor a recorded hash."""

TRUSTED = "taken on your word; it is not the published file"


def default_folder() -> Path:
    """``TFW_WEIGHTS``, or the platform's folder for user data."""
    if folder := os.environ.get("TFW_WEIGHTS"):
        return Path(folder).expanduser()
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "talkingface-wild" / "weights"


@dataclass(frozen=True)
class StoredWeight:
    """What the store has of one weight; ``sha256`` is that of the file at ``path``."""

    state: State
    path: Path | None = None
    sha256: str | None = None

    @property
    def verified(self) -> Path | None:
        """The file where it is the published one or vouched for."""
        return self.path if self.state in ("present", "trusted") else None


class Store:
    """The weights in one folder, under the entries of one manifest."""

    def __init__(
        self, folder: Path | None = None, manifest: Mapping[str, Weight] | None = None
    ) -> None:
        self.folder = default_folder() if folder is None else folder
        self.manifest = entries() if manifest is None else manifest

    def entry(self, name: str) -> Weight:
        """The manifest's entry; UsageError with the nearest name when there is none."""
        return entry(name, self.manifest)

    def look(self, name: str, fresh: bool = False) -> StoredWeight:
        """What is there of a weight; ``fresh`` hashes again instead of trusting size and time."""
        weight = self.entry(name)
        recorded = self.recorded().get(name, {}).get("sha256")
        worst = StoredWeight("missing")
        for file_name in weight.file_names:
            path = self.folder / file_name
            if not path.is_file():
                continue
            sha256 = self._hash(path, fresh)
            expected = weight.sha256 or recorded
            if sha256 == expected:
                return StoredWeight("present", path, sha256)
            if sha256 == recorded:
                return StoredWeight("trusted", path, sha256)
            worst = StoredWeight("differs" if expected else "unknown", path, sha256)
        return worst

    def find(self, name: str) -> Path | None:
        """The verified file, or None when it is absent or not what it should be."""
        return self.look(name).verified

    def sha256(self, name: str) -> str | None:
        """The sha256 of the verified file, or None when there is none."""
        stored = self.look(name)
        return stored.sha256 if stored.verified else None

    def path(self, name: str) -> Path:
        """The verified file.

        Raises:
            WeightMissing: the file is absent or differs; the sentence names the ways to get it.
        """
        stored = self.look(name)
        if stored.verified:
            return stored.verified
        weight = self.entry(name)
        fault = {
            "missing": f"no file {weight.file} in {self.folder}",
            "differs": f"{stored.path} with another sha256 ({str(stored.sha256)[:12]}…)",
        }.get(stored.state, f"{stored.path}, which no published or recorded hash vouches for")
        fetch = f"'tfw weights fetch {name}'"
        raise WeightMissing(
            f"Expected the weight {name}, found {fault}; "
            f"{f'run {fetch}' if weight.sources else f'{fetch} says where a person gets it'}, or "
            f"run 'tfw weights import DIR' if you have the file (licence: {weight.licence}), or "
            "set TFW_WEIGHTS to a folder that holds it."
        )

    def place(self, name: str, source: Path, how: str) -> Path:
        """Copy ``source`` into the store under its official name and record its hash.

        Raises:
            InputUnreadable: the copy's hash is not the source's (the file changed meanwhile).
        """
        weight = self.entry(name)
        expected = file_sha256(source)
        final = self.folder / weight.file
        with atomic_path(final) as temporary:
            shutil.copyfile(source, temporary)
            copied = file_sha256(temporary)
            if copied != expected:
                raise InputUnreadable(
                    f"Expected {source} to stay as it was while it was copied, found another hash "
                    "afterwards; run the same command again when nothing writes to it."
                )
        record = {"sha256": copied, "size": final.stat().st_size, "how": how}
        text = json.dumps({**self.recorded(), name: record}, indent=2, sort_keys=True)
        write_text(self.folder / "recorded.json", text + "\n")
        return final

    def recorded(self) -> dict[str, dict[str, Any]]:
        """What was recorded when files came in: sha256, size and how, by weight name."""
        return _read_json(self.folder / "recorded.json")

    def _hash(self, path: Path, fresh: bool) -> str:
        """The file's sha256, remembered by size and time of change where that can be written."""
        cache = self.folder / ".hashes.json"
        stat = path.stat()
        key = [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        hashes = _read_json(cache)
        remembered = hashes.get(path.name)
        if not fresh and isinstance(remembered, dict) and remembered.get("key") == key:
            return str(remembered["sha256"])
        sha256 = file_sha256(path)
        with contextlib.suppress(OSError, DiskFull):
            write_text(cache, json.dumps({**hashes, path.name: {"key": key, "sha256": sha256}}))
        return sha256


def default_store() -> Store:
    """The store in ``TFW_WEIGHTS`` or the user's data folder, under the package's manifest."""
    return Store()


def _read_json(path: Path) -> dict[str, Any]:
    """A small JSON object beside the weights; absent or unreadable counts as empty."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
