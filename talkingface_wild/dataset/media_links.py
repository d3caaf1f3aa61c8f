"""``media/<language>/<clip_id>.{mp4,wav}``: links into the store for the kept clips of the latest
commit and no others, so that ``media/**/*.mp4`` equals ``clips/``. Touches what differs alone.
"""

import contextlib
import errno
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.dataset as ds

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.log import LOGGER
from talkingface_wild.core.paths import NO_ROOM, disk_full
from talkingface_wild.dataset.clip_store import (
    PATH_COLUMNS,
    check_stored,
    stored_files,
    stored_name,
)
from talkingface_wild.dataset.layout import Layout

OWN_NAME = re.compile(r"(?P<clip>c[0-9a-f]{15})(?P<suffix>\.(?:mp4|wav))")
"""Names of finished clips in media/."""

_NO_INODE = -1
_PLAIN = re.compile(r"\w[\w.-]*")
_TEMPORARY = re.compile(r"\.[0-9a-f]{32}\.tmp")


@dataclass
class Linked:
    """What was done to media/: names below it.

    ``missing`` are kept clips' files that the store lacks, ``foreign`` files that tfw never put
    there, ``in_the_way`` kept clips' names at which such a file, or a link to a folder, stands:
    both stay.
    """

    linked: int = 0
    removed: int = 0
    missing: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    in_the_way: list[str] = field(default_factory=list)


def link_media(layout: Layout, warn: bool = True) -> Linked:
    """Bring media/ in step with the latest commit; does nothing where there is none.

    ``warn`` says of missing and foreign files. Raises InputUnreadable for tables that name paths
    outside the store and where the disk has no links, DiskFull.
    """
    result = Linked()
    if not layout.has_commit():
        return result
    expected = links_of(layout.latest())
    inodes = {name: entry.inode() for name, entry in stored_files(layout.out)}
    if not on_one_disk(layout):
        # Numbers of another disk's files say nothing.
        inodes = dict.fromkeys(inodes, _NO_INODE)
    kept_inodes = frozenset(inodes.values())
    present = dict(_entries(layout.media))
    barred = {name.split("/")[0] for name in expected}
    barred = {name for name in barred if _is_barred(layout.media / name)}
    for name, target in expected.items():
        if target not in inodes:
            result.missing.append(name)
            continue
        if name.split("/")[0] in barred:
            result.in_the_way.append(name)
            continue
        entry = present.pop(name, None)
        store_file = layout.out / target
        if entry is not None and _leads_to(entry, inodes[target], store_file):
            continue
        if entry is not None and not _is_own(layout, name, entry, kept_inodes):
            result.in_the_way.append(name)
            continue
        _link(store_file, layout.media / name, replace=entry is not None)
        result.linked += 1
    for name, entry in present.items():
        if _is_own(layout, name, entry, kept_inodes):
            os.unlink(entry.path)
            result.removed += 1
        else:
            result.foreign.append(name)
    _remove_empty_folders(layout.media)
    if warn:
        _warn(layout, result)
    return result


def on_one_disk(layout: Layout) -> bool:
    """Whether media/ and store/ lie on the same disk, where files may have several names."""
    if not (layout.media.is_dir() and layout.store.is_dir()):
        return True
    return layout.media.stat().st_dev == layout.store.stat().st_dev


def _is_barred(folder: Path) -> bool:
    """Whether a language's folder is a link or a file: what lies behind it is not ours."""
    return folder.is_symlink() or (folder.exists() and not folder.is_dir())


def links_of(commit: Path) -> dict[str, str]:
    """The names below media/ that a commit gives, each with the store's file that it stands for."""
    clips = ds.dataset(commit / "clips", partitioning="hive")
    names = {"clip_id", "language", *PATH_COLUMNS} & set(clips.schema.names)
    rows = clips.to_table(columns=sorted(names)).to_pylist()
    links: dict[str, str] = {}
    for row in rows:
        for column in PATH_COLUMNS:
            if row.get(column):
                clip, language = str(row["clip_id"]), str(row["language"])
                target = check_stored(row[column])
                if not (_PLAIN.fullmatch(clip) and _PLAIN.fullmatch(language)):
                    raise InputUnreadable(
                        f"Expected a plain clip_id and language in {commit / 'clips'}, found "
                        f"{clip!r} and {language!r}; restore another commit with "
                        "`tfw commits SET restore NUMBER`."
                    )
                links[f"{language}/{clip}{Path(target).suffix}"] = target
    return links


def _entries(media: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file and link below media/, however deep, by its name relative to it."""
    waiting = [media] if media.is_dir() else []
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                else:
                    yield os.path.relpath(entry.path, media).replace(os.sep, "/"), entry


def _leads_to(entry: os.DirEntry[str], inode: int, store_file: Path) -> bool:
    if entry.is_symlink():
        return os.readlink(entry.path) == _relative(store_file, Path(entry.path))
    return entry.inode() == inode


def _relative(store_file: Path, link: Path) -> str:
    return os.path.relpath(store_file.resolve(), link.parent.resolve())


def _link(store_file: Path, link: Path, replace: bool) -> None:
    """A hard link, else a symbolic one; in place of what stands there by one atomic replace."""
    link.parent.mkdir(parents=True, exist_ok=True)
    place = link.with_name(f".{uuid.uuid4().hex}.tmp") if replace else link
    try:
        try:
            os.link(store_file, place)
        except OSError as error:
            if error.errno in (*NO_ROOM, errno.EEXIST):
                raise
            place.symlink_to(_relative(store_file, link))
        if replace:
            os.replace(place, link)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(link) from error
        if error.errno == errno.EEXIST:
            raise InputUnreadable(
                f"Expected nothing of another program at {link}, found a file there; move it away "
                "and run the same command again."
            ) from error
        raise InputUnreadable(
            f"Expected hard or symbolic links to be possible in {link.parent}, found neither "
            f"({error.strerror}); move the data set to a disk that has one of them."
        ) from error
    finally:
        if replace:
            place.unlink(missing_ok=True)


def _is_own(
    layout: Layout, name: str, entry: os.DirEntry[str], stored_inodes: frozenset[int]
) -> bool:
    """Whether tfw put this file into media/: a link into the store, or a copy of a file there."""
    parts = name.split("/")
    if _TEMPORARY.fullmatch(parts[-1]):
        return True
    match = OWN_NAME.fullmatch(parts[-1])
    if match is None or len(parts) != 2:
        return False
    path = Path(entry.path)
    if entry.is_symlink():
        folder = (path.parent.resolve() / os.readlink(path)).parent.resolve()
        return folder.is_relative_to(layout.store.resolve())
    if entry.inode() in stored_inodes:
        return True
    return (layout.out / stored_name(match["clip"], file_sha256(path), match["suffix"])).exists()


def _remove_empty_folders(media: Path) -> None:
    if media.is_dir():
        for folder in media.iterdir():
            if folder.is_dir() and not folder.is_symlink():
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _warn(layout: Layout, linked: Linked) -> None:
    sentences = {
        "%(count)d files of kept clips are not in %(store)s (the first: media/%(first)s); encode "
        "them again with `tfw curate --out %(out)s`.": linked.missing,
        "%(count)d kept clips' files are missing below %(media)s, since something else stands "
        "there (the first: %(first)s); move it elsewhere and run "
        "`tfw curate --out %(out)s`.": linked.in_the_way,
        "%(media)s holds %(count)d files that tfw did not put there (the first: %(first)s); they "
        "are left as they are, but media/ is then more than the kept clips: move them "
        "elsewhere.": linked.foreign,
    }
    places = {"store": layout.store, "media": layout.media, "out": layout.out}
    for sentence, names in sentences.items():
        if names:
            LOGGER.warning(sentence, {"count": len(names), "first": min(names), **places})
