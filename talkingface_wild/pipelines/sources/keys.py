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

    def __init__(self, file: Path | None, look_only: bool = False) -> None:
        """``look_only`` reads no video and writes nothing: what is not known is ``path:…``."""
        self._file, self._look_only = file, look_only
        self._hashes: dict[str, list[Any]] = {}
        self._fresh = 0
        if file is not None and file.exists():
            try:
                data = json.loads(file.read_text(encoding="utf-8"))
                self._hashes = dict(data)
            except (ValueError, OSError, TypeError):
                self._hashes = {}

    def media_key(self, file: Path) -> str:
        """``sha256:…`` of a regular file; ``path:…`` of one that is missing or cannot be read."""
        place = os.path.realpath(file)
        try:
            facts = os.stat(place)
            if not stat.S_ISREG(facts.st_mode):
                return f"path:{place}"
            size, modified, value = self._hashes.get(place) or (None, None, None)
            if [size, modified] == [facts.st_size, facts.st_mtime_ns]:
                return f"sha256:{value}"
            if self._look_only:
                return f"path:{place}"
            value = file_sha256(Path(place))
        except (OSError, ValueError):
            return f"path:{place}"
        self._hashes[place] = [facts.st_size, facts.st_mtime_ns, value]
        self._fresh += 1
        if self._fresh % _SAVE_EVERY == 0:
            self.save()
        return f"sha256:{value}"

    def save(self) -> None:
        """Write the cache, if anything was learnt."""
        if self._file is not None and self._fresh:
            write_text(self._file, json.dumps(self._hashes, indent=0, sort_keys=True))
