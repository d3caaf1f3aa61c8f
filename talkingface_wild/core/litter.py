"""What a refused command made is taken back. Never used around work that a person would miss."""

import contextlib
import shutil
from collections.abc import Iterator, Sequence
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
def nothing_left(folder: Path, names: Sequence[str]) -> Iterator[None]:
    """Remove what the block made of ``names`` in ``folder`` when it ends in a refusal.

    Of a folder among them that was there before, what is new in it goes. Nothing of another name
    is touched: it may be the user's, put there meanwhile.
    """
    before = set(_entries(folder, names))
    try:
        yield
    except _REFUSALS:
        for path in _entries(folder, names):
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


def _entries(folder: Path, names: Sequence[str]) -> list[Path]:
    """Those of ``names`` that lie in a folder, and what lies in them."""
    first = [folder / name for name in names if (folder / name).exists()]
    inner = [path for path in first if path.is_dir() and not path.is_symlink()]
    return [*first, *(path for outer in inner for path in sorted(outer.iterdir()))]


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
