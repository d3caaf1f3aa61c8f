"""Where trained numbers come from: the manifest, the store that verifies, fetch, import by hash."""

from pathlib import Path

from talkingface_wild.weights import hub
from talkingface_wild.weights.manifest import HubWeight, Weight, entries, hub_entries
from talkingface_wild.weights.manifest import entry as file_entry
from talkingface_wild.weights.store import Store, default_store

__all__ = [
    "HubWeight",
    "Store",
    "Weight",
    "default_store",
    "entries",
    "entry",
    "find",
    "path",
    "sha256",
]


def entry(name: str) -> Weight | HubWeight:
    """The manifest's entry; UsageError with the nearest known name when there is none."""
    return hub_entries().get(name) or file_entry(name)


def path(name: str) -> Path:
    """The verified file of the weight ``name``; WeightMissing says how to get it."""
    if (network := hub_entries().get(name)) is not None:
        return hub.cached(network)
    return default_store().path(name)


def find(name: str) -> Path | None:
    """The verified file of the weight ``name``, or None when it is absent or differs."""
    if (network := hub_entries().get(name)) is not None:
        return hub.look(network).verified
    return default_store().find(name)


def sha256(name: str) -> str | None:
    """The sha256 of the verified file of the weight ``name``, or None when there is none."""
    if (network := hub_entries().get(name)) is not None:
        here = hub.look(network)
        return here.sha256 if here.verified else None
    return default_store().sha256(name)
