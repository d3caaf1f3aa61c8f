"""Files that appear under their final name only when complete. The project's one atomic writer."""

import contextlib
import errno
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from talkingface_wild.core.errors import DiskFull

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""Error numbers of a full disk and of a used-up quota."""


@contextlib.contextmanager
def atomic_path(final: Path) -> Iterator[Path]:
    """A temporary path beside ``final``, moved onto it when the block ends well, else removed.

    The temporary name is unique to this call (two workers never share one) and keeps the suffix,
    so that encoders choose the right container. The data are fsynced before the move.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = final.with_name(f".{uuid.uuid4().hex}.tmp{final.suffix}")
    try:
        yield temporary
        sync_file(temporary)
        os.replace(temporary, final)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(final) from error
        raise
    except Exception as error:
        # Some libraries tell of a full disk in an error of their own.
        if "No space left on device" in str(error):
            raise disk_full(final) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def disk_full(path: Path) -> DiskFull:
    """The error of a full disk, in one sentence."""
    return DiskFull(
        f"The disk that holds {path.parent} is full: expected room for {path.name}, found none; "
        "free some space and run the same command again, nothing that was done is lost."
    )


def write_text(final: Path, text: str) -> None:
    """Write ``text`` as UTF-8 under its final name in one step."""
    with atomic_path(final) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(final: Path, data: bytes) -> None:
    """Write ``data`` under its final name in one step."""
    with atomic_path(final) as temporary:
        temporary.write_bytes(data)


def sync_file(path: Path) -> None:
    """Force a file's (or folder's) data to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def atomic_symlink(link: Path, target: str) -> None:
    """Point ``link`` at ``target`` by one atomic replace."""
    temporary = link.with_name(f".{uuid.uuid4().hex}.tmp")
    temporary.symlink_to(target)
    os.replace(temporary, link)
    sync_file(link.parent)
