"""The registry of stages: short names and their classes. A new stage is one file, one line here."""

from __future__ import annotations

import importlib
from typing import Any

from talkingface_wild.core.errors import RecipeError, nearest

REGISTRY: dict[str, str] = {
    "download": "download:Download",
    "probe": "probe:ProbeStage",
    "shots": "shots:Shots",
    "speech": "speech:Speech",
    "language": "language:SpokenLanguage",
    "faces": "faces:Faces",
    "sharpness": "sharpness:Sharpness",
    "liveness": "liveness:Liveness",
    "quality": "quality:Quality",
    "sync": "sync:Sync",
    "identity": "identity:Identity",
    "prints": "prints:Prints",
    "languages": "languages:Languages",
    "identities": "identities:Identities",
    "duplicates": "duplicates:Duplicates",
    "balance": "balance:Balance",
    "split": "split:Split",
    "encode": "encode:Encode",
}


def stage_class(name: str) -> Any:
    """The class registered under ``name``. Raises RecipeError with the nearest name."""
    if name not in REGISTRY:
        raise RecipeError(
            f"{name!r} is no known stage{nearest(name, REGISTRY)}; `tfw schema` lists them."
        )
    module, cls = REGISTRY[name].split(":")
    return getattr(importlib.import_module(f"{__name__}.{module}"), cls)
