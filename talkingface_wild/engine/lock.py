"""One run at a time on an output folder. A lock whose process is gone is taken over, and said."""

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from talkingface_wild.core.errors import FolderLocked, UsageError
from talkingface_wild.core.litter import no_empty_folders
from talkingface_wild.core.log import LOGGER
from talkingface_wild.core.paths import disk_full


@contextlib.contextmanager
def folder_lock(out: Path) -> Iterator[None]:
    """Hold ``out/.lock`` for the block. FolderLocked names the holder's host, process and start.

    A folder that is made for it and stays empty goes again.
    """
    path = out / ".lock"
    own = json.dumps(
        {
            "host": socket.gethostname(),
            "process": os.getpid(),
            "process_started": _process_start(os.getpid()),
            "since": time.strftime("%Y-%m-%d %H:%M:%S"),
        }
    )
    with no_empty_folders(out):
        _check_writable(out)
        _take(path, own)
        try:
            yield
        finally:
            if path.exists() and path.read_text() == own:
                path.unlink()


def _check_writable(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / ".lock-probe").touch()
        (out / ".lock-probe").unlink(missing_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise disk_full(out / ".lock") from error
        raise UsageError(
            f"Expected a folder that can be written at {out}, found that it cannot "
            f"({error.strerror}); choose another --out."
        ) from error


def holder_of(out: Path) -> dict[str, object] | None:
    """Who works on the folder now: host, process and since; None when nobody does."""
    holder = _read(out / ".lock")
    return holder if holder is not None and _alive(holder) else None


def _take(path: Path, own: str) -> None:
    temporary = path.with_name(f".lock-{os.getpid()}")
    with _alone_in(path.parent):
        temporary.write_text(own)
        try:
            holder = _read(path)
            if holder is not None and _alive(holder):
                raise FolderLocked(_occupied(path, holder))
            if path.exists():
                LOGGER.warning("Took over %s: the run that held it is gone.", path.parent)
                path.unlink(missing_ok=True)
            os.link(temporary, path)
        except FileExistsError:
            raise FolderLocked(
                f"Expected {path.parent} to be free, found another run that starts on it at this "
                "moment; try again."
            ) from None
        finally:
            temporary.unlink(missing_ok=True)


def _occupied(path: Path, holder: dict[str, object]) -> str:
    sentence = (
        f"Expected {path.parent} to be free, found a run on it by process {holder['process']} on "
        f"{holder['host']} since {holder['since']}; wait for it, or choose another --out."
    )
    if holder["host"] != socket.gethostname():
        sentence += f" If that machine no longer runs it, delete {path}."
    return sentence


@contextlib.contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """One process of this machine at a time looks at the folder's lock and takes it over."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems cannot; there the hard link alone decides.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _read(path: Path) -> dict[str, object] | None:
    try:
        holder = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return (
        holder if isinstance(holder, dict) and {"host", "process", "since"} <= set(holder) else None
    )


def _alive(holder: dict[str, object]) -> bool:
    """Whether the holder still runs; on another host that cannot be seen, so it counts as alive."""
    if holder["host"] != socket.gethostname():
        return True
    process = int(str(holder["process"]))
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    started = holder.get("process_started")
    return started is None or started == _process_start(process)


def _process_start(process: int) -> str | None:
    """When a process started, in the kernel's ticks (numbers are reused); None if unknown."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[1].split()
    return None if fields[0] == "Z" else fields[19]
