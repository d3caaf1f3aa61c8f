"""Freeing the disk: files of the store that no commit keeps, and what killed runs left there."""

import contextlib
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from talkingface_wild.dataset.clip_store import is_stored, is_temporary, stored_files
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import link_media, links_of


@dataclass(frozen=True)
class Purge:
    """What may go: paths below the output folder, and the bytes that their removal frees.

    ``files`` are finished clips that no commit keeps, ``left_over`` what killed runs left: half
    written files of the store and half written or half removed commits.
    """

    files: list[str] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    bytes: int = 0


def to_purge(layout: Layout) -> Purge:
    """Look for what no commit's clips/ names. Changes nothing.

    A rejected clip's file counts as not kept: should a later recut keep that clip, the next
    ``tfw curate`` encodes it again. Raises InputUnreadable for a commit of foreign paths.
    """
    kept = {
        name for number in layout.numbers() for name in links_of(layout.commit(number)).values()
    }
    purge, size = Purge(), 0
    for name, entry in stored_files(layout.out):
        if is_temporary(name):
            purge.left_over.append(name)
        elif is_stored(name) and name not in kept:
            purge.files.append(name)
        else:
            continue
        size += entry.stat(follow_symlinks=False).st_size
    for folder in layout.half_written():
        purge.left_over.append(folder.relative_to(layout.out).as_posix())
        size += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Purge(sorted(purge.files), sorted(purge.left_over), size)


def purge(layout: Layout, going: Purge) -> None:
    """Remove what ``to_purge`` gave, media/ brought in step before. Call under the lock."""
    link_media(layout, warn=False)
    for name in (*going.files, *going.left_over):
        path = layout.out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for folder in _folders(layout.store):
        with contextlib.suppress(OSError):
            folder.rmdir()


def _folders(store: Path) -> list[Path]:
    return [path for path in store.iterdir() if path.is_dir()] if store.is_dir() else []
