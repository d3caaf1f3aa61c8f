"""What the command line of ``tfw curate`` asks for, as plain data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """What the command line asks for; ``recipe`` None means the folder's own, else the default."""

    out: Path
    languages: tuple[str, ...] | None = None
    recipe: str | None = None
    sources: tuple[str, ...] = ()
    engine: str = "ray"
    workers: int | None = None
    limit: int | None = None
    settings: tuple[str, ...] = ()
    retry_failed: bool = False
    score_all: bool = False
    fresh: bool = False
    compact: bool | None = None
    """Leave columns without any value out of clips/; None: as the folder's latest commit did."""
