"""Single members out of zip and tar archives, by their own file name.

The paths inside are not trusted: nothing is ever extracted to a path that an archive names.
"""

import contextlib
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.paths import atomic_path

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")
MOST_MEMBERS = 10_000
"""An archive with more entries than this is no pack of weights."""

MOST_BYTES = 4 << 30
"""No weight of this project comes near this many bytes."""

_PIECE = 1 << 20
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, RuntimeError, ValueError)


def is_archive(path: Path) -> bool:
    """Whether the name says archive; torch checkpoints are zip files too, but are not called so."""
    return path.name.lower().endswith(SUFFIXES)


def members(archive: Path) -> list[tuple[str, int]]:
    """File name and stated size in bytes of each regular file inside; no folders, no links."""
    with _opened(archive) as entries:
        return [(_own(path), size) for path, size, _ in entries]


def paths(archive: Path) -> list[str]:
    """The whole name of each regular file inside, as the archive has it. Raises InputUnreadable."""
    with _opened(archive) as entries:
        return [path for path, _, _ in entries]


def extract_member(archive: Path, member: str, final: Path, most_bytes: int) -> None:
    """Write the one regular file called ``member`` to ``final``, at most ``most_bytes`` long.

    ``member`` is a file's own name, or, with a slash in it, its whole path in the archive.

    Raises:
        InputUnreadable: the archive is broken, holds no or several such files, or a larger one.
    """
    with _opened(archive) as entries:
        whole = "/" in member
        matches = [
            (size, source)
            for path, size, source in entries
            if member == (path if whole else _own(path))
        ]
        if len(matches) != 1:
            raise InputUnreadable(
                f"Expected one regular file {member} in {archive}, found {len(matches)}; "
                "get the archive again from its official source."
            )
        size, source = matches[0]
        with atomic_path(final) as temporary, source() as read, temporary.open("wb") as write:
            written = 0
            while piece := read.read(_PIECE):
                written += len(piece)
                if max(written, size) > most_bytes:
                    raise InputUnreadable(
                        f"Expected at most {most_bytes:,} bytes of {member} in {archive}, found "
                        "more; get the archive again from its official source."
                    )
                write.write(piece)


Member = tuple[str, int, Callable[[], Any]]
"""Path inside, stated size in bytes, and what opens it for reading, as bytes."""


@contextlib.contextmanager
def _opened(archive: Path) -> Iterator[list[Member]]:
    """Every regular file of the archive; breakage is InputUnreadable."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as zipped:
                yield _listed(
                    (_zip_name(i), i.file_size, partial(zipped.open, i)) for i in zipped.infolist()
                )
        else:
            with tarfile.open(archive) as tarred:
                infos = (info for info in tarred if info.isreg())
                yield _listed((i.name, i.size, partial(tarred.extractfile, i)) for i in infos)
    except _BROKEN as error:
        raise InputUnreadable(
            f"Expected a zip or tar archive that can be read, found {archive}: {error}; "
            "get it again from its official source."
        ) from error


def _zip_name(info: zipfile.ZipInfo) -> str:
    """The member's path, or an empty one for folders and links."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    return "" if info.is_dir() or kind not in (0, stat.S_IFREG) else info.filename


def _listed(entries: Iterable[Member]) -> list[Member]:
    """The entries that are files; too many are refused before they unfold."""
    listed = []
    for count, (name, size, source) in enumerate(entries, start=1):
        if count > MOST_MEMBERS:
            raise ValueError(f"more than {MOST_MEMBERS} members")
        if _own(name):
            listed.append((name, size, source))
    return listed


def _own(path: str) -> str:
    """The last part of a path inside an archive."""
    return PurePosixPath(path.replace("\\", "/")).name
