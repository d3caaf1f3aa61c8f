"""Folders of version 0.3.0 and before, brought over: their media lay in media/ as files that a
later run wrote over, and their commits named those paths. Safe to break off and to run again.
"""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from talkingface_wild.core.log import LOGGER
from talkingface_wild.core.paths import atomic_path, sync_file, write_text
from talkingface_wild.dataset.clip_store import (
    PATH_COLUMNS,
    adopt,
    is_stored,
    stored_files,
    stored_name,
)
from talkingface_wild.dataset.commit import FORMAT, MANIFEST, manifest_of
from talkingface_wild.dataset.commits import note_brought_over
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import OWN_NAME, on_one_disk


def is_old(layout: Layout) -> bool:
    """Whether the folder holds commits, or media of a first run, as version 0.3.0 wrote them."""
    numbers = layout.numbers()
    if not numbers:
        return any(_old_media(layout.media))
    return any(_format_of(layout.commit(number)) < FORMAT for number in numbers)


def bring_over(layout: Layout) -> bool:
    """Move an old folder's finished clips into the store and name them there in every commit.

    Nothing is copied or encoded. Each file goes under the hash of what it holds now; what an
    earlier version wrote over is said, a sentence per commit. The caller holds the folder's lock.
    Returns whether there was anything to do. Raises DiskFull.
    """
    if not is_old(layout):
        return False
    LOGGER.info("Bringing %s over to the layout of this version; no clip is copied.", layout.out)
    inodes = {entry.inode() for _, entry in stored_files(layout.out) if on_one_disk(layout)}
    files = [entry for entry in _old_media(layout.media) if entry[1].stat().st_ino not in inodes]
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        list(pool.map(lambda entry: adopt(layout.out, *entry), files))
    for folder in layout.store.glob("*"):
        sync_file(folder)
    names = frozenset(name for name, _ in stored_files(layout.out))
    for number in layout.numbers():
        commit = layout.commit(number)
        if _format_of(commit) < FORMAT:
            _rewrite(layout, number, commit, names)
    return True


def _old_media(media: Path) -> Iterator[tuple[str, Path]]:
    """Finished clips that lie in media/ as files: (clip id, path)."""
    if not media.is_dir():
        return
    for folder in sorted(media.iterdir()):
        if folder.is_dir() and not folder.is_symlink():
            for path in sorted(folder.iterdir()):
                match = OWN_NAME.fullmatch(path.name)
                if match and path.is_file() and not path.is_symlink():
                    yield match["clip"], path


def _format_of(commit: Path) -> int:
    return int(json.loads((commit / MANIFEST).read_text())["format"])


def _rewrite(layout: Layout, number: int, commit: Path, names: frozenset[str]) -> None:
    """Name the store's files in one commit's tables; its manifest last, which ends the work."""
    for left_by_a_killed_run in commit.rglob(".*.tmp*"):
        left_by_a_killed_run.unlink()
    lost = total = 0
    for path in sorted(commit.glob("clips/**/*.parquet")):
        lost_here = _name_stored(path, names)
        lost, total = lost + lost_here, total + pq.read_metadata(path).num_rows
    for path in sorted(commit.glob("items/*.parquet")):
        _name_stored(path, names)
    note_brought_over(commit, lost)
    manifest = manifest_of(commit)
    write_text(commit / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True))
    if lost:
        LOGGER.warning(
            "Commit %d of %s: the files of %d of its %d clips are no longer those it was made of; "
            "an earlier version wrote over them, and only encoding again brings them back.",
            number,
            layout.out,
            lost,
            total,
        )


def _name_stored(path: Path, names: frozenset[str]) -> int:
    """Write one table anew with the store's paths; returns the rows whose files are not there."""
    table = pq.ParquetFile(path).read()
    present = [column for column in PATH_COLUMNS if column in table.column_names]
    if not present:
        return 0
    ids = table["clip_id" if "clip_id" in table.column_names else "item_id"].to_pylist()
    lost = [False] * len(ids)
    for column in present:
        hashes = table[PATH_COLUMNS[column]].to_pylist()
        paths = [
            _stored(clip, old, sha256)
            for clip, old, sha256 in zip(ids, table[column].to_pylist(), hashes, strict=True)
        ]
        lost = [
            was or (now is not None and now not in names)
            for was, now in zip(lost, paths, strict=True)
        ]
        place = table.column_names.index(column)
        table = table.set_column(place, table.schema.field(column), pa.array(paths, pa.string()))
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")
    return sum(lost)


def _stored(clip: str, path: str | None, sha256: str | None) -> str | None:
    if path is None or sha256 is None or is_stored(path):
        return path
    return stored_name(clip, sha256, Path(path).suffix)
