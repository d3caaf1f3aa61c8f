"""The folder that an export writes: units appear whole, records say which are there, the manifest
comes last. What a killed export left is taken up again.
"""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import InputUnreadable, UsageError
from talkingface_wild.core.paths import NO_ROOM, disk_full, write_text

MANIFEST = "export.json"
_WORK = ".export"
_LOCKS = (".lock",)


class ExportFolder:
    """``out`` while it is written; ``key`` tells one export from another."""

    def __init__(self, out: Path, key: Mapping[str, Any]) -> None:
        self.out, self.key = out, json.loads(json.dumps(key))
        self._work = out / _WORK
        self._records = self._work / "records"

    def check(self) -> None:
        """Raise UsageError where something else stands there than this export or a part of it."""
        if self.out.exists() and not self.out.is_dir():
            raise UsageError(f"--out expects a folder, found the file {self.out}; name another.")
        owner = self._owner()
        if owner is None:
            names = [path.name for path in self._entries() if path.name not in (_WORK, *_LOCKS)]
            if names:
                raise UsageError(
                    f"--out expects an empty or a new folder, found {min(names)!r} in {self.out}; "
                    "name another."
                )
        elif owner != self.key:
            other = ", ".join(
                f"{name} {owner.get(name)!r} instead of {value!r}"
                for name, value in self.key.items()
                if owner.get(name) != value
            )
            raise UsageError(
                f"--out expects a folder of this very export, found another one in {self.out} "
                f"({other}); name another folder, or remove that one."
            )

    def begin(self) -> None:
        """Say whose folder this is, and clear what a killed export left half written."""
        shutil.rmtree(self._work / "staging", ignore_errors=True)
        self._records.mkdir(parents=True, exist_ok=True)
        write_text(self._work / "key.json", json.dumps(self.key, ensure_ascii=False))

    def manifest(self) -> dict[str, Any] | None:
        """The manifest of an export that came to its end; None before."""
        return _read(self.out / MANIFEST)

    def record(self, name: str) -> dict[str, Any] | None:
        """What was said of a unit that is there; None for one that is not."""
        return _read(self._records / f"{name}.json")

    @contextlib.contextmanager
    def staging(self) -> Iterator[Path]:
        """An empty folder to write a unit into, on the same disk. Raises DiskFull."""
        folder = self._work / "staging" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        except OSError as error:
            if error.errno in NO_ROOM:
                raise disk_full(self.out / MANIFEST) from error
            raise
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, name: str, folder: Path, moves: tuple[str, ...], facts: Any) -> None:
        """Give a unit's files their places, then write its record."""
        for relative in moves:
            final = self.out / relative
            final.parent.mkdir(parents=True, exist_ok=True)
            if final.is_dir():
                # A run that was killed before the record had put it there.
                shutil.rmtree(final)
            os.replace(folder / relative, final)
        write_text(self._records / f"{name}.json", json.dumps(facts))

    def finish(self, lists: Mapping[str, str], manifest: Mapping[str, Any]) -> None:
        """Write the lists and the manifest; nothing of the work stays."""
        for relative, text in lists.items():
            write_text(self.out / relative, text)
        text = json.dumps(manifest, ensure_ascii=False, indent=1)
        write_text(self.out / MANIFEST, text + "\n")
        self.clear()

    def clear(self) -> None:
        """Remove the records: a run may be killed after the manifest and before this."""
        shutil.rmtree(self._work, ignore_errors=True)

    def _owner(self) -> dict[str, Any] | None:
        manifest = self.manifest()
        if manifest is not None:
            key = manifest.get("key")
            return key if isinstance(key, dict) else {}
        return _read(self._work / "key.json")

    def _entries(self) -> list[Path]:
        return list(self.out.iterdir()) if self.out.is_dir() else []


def _read(path: Path) -> dict[str, Any] | None:
    """A JSON object. Raises InputUnreadable for what is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise InputUnreadable(
            f"Expected a JSON object in {path}, found none that can be read ({error}); remove the "
            "folder and export again."
        ) from error
    return content if isinstance(content, dict) else {}
