"""What a refused command made is taken back. Never used around work that a person would miss."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from talkingface_wild.core.errors import (
    ExtraMissing,
    InputUnreadable,
    RecipeError,
    UsageError,
    WeightMissing,
)

_REFUSALS = (UsageError, RecipeError, WeightMissing, ExtraMissing, InputUnreadable)


@contextlib.contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """Remove what the block made in ``folder``, two levels deep, when it ends in a refusal.

    Files that were there before stay as the block left them. Hold the folder's lock around it:
    what others make there at the same time would go as well.
    """
    before = set(_entries(folder))
    try:
        yield
    except _REFUSALS:
        for path in _entries(folder):
            if path not in before:
                _remove(path)
        raise


@contextlib.contextmanager
def no_empty_folders(folder: Path) -> Iterator[None]:
    """When the block ends, remove those of ``folder`` and its parents that are new and empty."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        yield
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder and in its folders."""
    if not folder.is_dir():
        return []
    first = sorted(folder.iterdir())
    inner = [path for path in first if path.is_dir() and not path.is_symlink()]
    return [*first, *(path for outer in inner for path in sorted(outer.iterdir()))]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
