"""Media keys of local files; hashes are remembered, so that a second call opens no file."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.paths import write_text

_SAVE_EVERY = 50
"""Newly hashed files after which the cache is written, so that an interrupted call loses little."""


class HashCache:
    """sha256 of files by real path, size and mtime, in one JSON file (None: in memory alone)."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known: dict[str, list[Any]] = {}
        self._fresh = 0
        if file is not None and file.exists():
            try:
                data = json.loads(file.read_text(encoding="utf-8"))
                self._known = dict(data)
            except (ValueError, OSError, TypeError):
                self._known = {}

    def media_key(self, file: Path) -> str:
        """``sha256:…`` of a regular file; ``path:…`` of one that is missing or cannot be read."""
        place = os.path.realpath(file)
        try:
            facts = os.stat(place)
            if not stat.S_ISREG(facts.st_mode):
                return f"path:{place}"
            known = self._known.get(place)
            if known is not None and known[:2] == [facts.st_size, facts.st_mtime_ns]:
                return f"sha256:{known[2]}"
            value = file_sha256(Path(place))
        except (OSError, ValueError):
            return f"path:{place}"
        self._known[place] = [facts.st_size, facts.st_mtime_ns, value]
        self._fresh += 1
        if self._fresh % _SAVE_EVERY == 0:
            self.save()
        return f"sha256:{value}"

    def save(self) -> None:
        """Write the cache, if anything was learnt."""
        if self._file is not None and self._fresh:
            write_text(self._file, json.dumps(self._known, indent=0, sort_keys=True))


class KnownHashes(HashCache):
    """The same without reading a file or writing the cache: what is not in it is ``path:…``."""

    def media_key(self, file: Path) -> str:
        """``sha256:…`` of a file that the cache knows unchanged; ``path:…`` of any other."""
        place = os.path.realpath(file)
        try:
            facts = os.stat(place)
        except (OSError, ValueError):
            return f"path:{place}"
        known = self._known.get(place)
        if known is not None and known[:2] == [facts.st_size, facts.st_mtime_ns]:
            return f"sha256:{known[2]}"
        return f"path:{place}"
