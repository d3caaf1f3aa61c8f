"""talkingface-wild: curate, score and generate talking-face video. Importing it is light."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from talkingface_wild.core.version import __version__

if TYPE_CHECKING:
    from talkingface_wild.dataset.load import load
    from talkingface_wild.door import curate, generate, score

__all__ = ["__version__", "curate", "generate", "load", "score"]

_MODULES = {
    "load": "talkingface_wild.dataset.load",
    **dict.fromkeys(("curate", "generate", "score"), "talkingface_wild.door"),
}
"""Where each function stands that is imported when it is first asked for."""


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'talkingface_wild' has no attribute {name!r}")
