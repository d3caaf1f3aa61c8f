"""Small files, lists and shorthands for the tests of sources."""

from __future__ import annotations

import hashlib
from pathlib import Path

from talkingface_wild.core.clip import Source


def video(path: Path, content: str = "") -> Path:
    """A file under a video's name; gathering reads its bytes and never decodes them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((content or path.name).encode())
    return path


def sha(content: str) -> str:
    return "sha256:" + hashlib.sha256(content.encode()).hexdigest()


def listed(folder: Path, text: str | bytes, name: str = "list.csv") -> str:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(folder / name)


def paths(sources: list[Source]) -> list[str | None]:
    return [source.path for source in sources]


def joined(notes: list[str]) -> str:
    return "\n".join(notes)
