"""A small manifest of its own, so that weights' tests need no real weight and no network."""

import hashlib
from pathlib import Path

import pytest

from talkingface_wild.weights.manifest import Weight, WeightLayout
from talkingface_wild.weights.store import Store

CONTENT = bytes(range(256)) * 400
OTHER = b"another file altogether" * 100


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def make_store(tmp_path: Path):
    """``make_store(known={…fields})``: a store over a manifest with the entries given."""

    def make(**entries) -> Store:
        manifest = {}
        for name, fields in entries.items():
            given = {
                "file": f"{name}.bin",
                "licence": "MIT",
                "layout": WeightLayout("torch"),
                **fields,
            }
            manifest[name] = Weight(name=name, **given)
        return Store(tmp_path / "store", manifest)

    return make
