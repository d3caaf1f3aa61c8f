"""talkingface-wild: curate, score and generate talking-face video. Importing it is light."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from talkingface_wild.core.version import __version__

if TYPE_CHECKING:
    from talkingface_wild.dataset.load import load

__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from talkingface_wild.dataset.load import load

        return load
    raise AttributeError(f"module 'talkingface_wild' has no attribute {name!r}")
