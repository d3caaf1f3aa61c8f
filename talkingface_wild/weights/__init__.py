"""Where trained numbers come from: the manifest, the store that verifies, fetch, import by hash."""

from pathlib import Path

from talkingface_wild.weights.manifest import Weight, entries, entry
from talkingface_wild.weights.store import Store, default_store

__all__ = ["Store", "Weight", "default_store", "entries", "entry", "find", "path", "sha256"]


def path(name: str) -> Path:
    """The verified file of the weight ``name``; WeightMissing says how to get it."""
    return default_store().path(name)


def find(name: str) -> Path | None:
    """The verified file of the weight ``name``, or None when it is absent or differs."""
    return default_store().find(name)


def sha256(name: str) -> str | None:
    """The sha256 of the verified file of the weight ``name``, or None when there is none."""
    return default_store().sha256(name)
