"""The store of finished clips: ``store/<first two characters>/<clip_id>-<sha256, 16 digits>.mp4``.

A name stands for its bytes: a file there is read-only and never becomes another, so every commit
that names it holds.
"""

import errno
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.paths import NO_ROOM, disk_full, sync_file

FOLDER = "store"
PATH_COLUMNS = {"media_path": "media_sha256", "audio_path": "audio_sha256"}
"""Columns of clips/ and items/ that name files of the store, and those with the files' hashes."""

_STORED = re.compile(rf"{FOLDER}/(c[0-9a-f])/\1[0-9a-f]{{14}}-[0-9a-f]{{16}}\.(?:mp4|wav)")
_LEFT_OVER = re.compile(rf"{FOLDER}/c[0-9a-f]/\.[0-9a-f-]+\.tmp\.(?:mp4|wav)")
_DIGITS = 16
_TEMPORARY = ".tmp"


def stored_name(clip_id: str, sha256: str, suffix: str) -> str:
    """Where a clip's file lies, relative to the output folder; the suffix is .mp4 or .wav."""
    return f"{FOLDER}/{clip_id[:2]}/{clip_id}-{sha256[:_DIGITS]}{suffix}"


def temporary_name(out: Path, clip_id: str, suffix: str) -> Path:
    """A path in the store, unique to this call, to write a clip's file to before it has a name."""
    folder = out / FOLDER / clip_id[:2]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f".{clip_id}-{uuid.uuid4().hex}{_TEMPORARY}{suffix}"


def move_in(out: Path, clip_id: str, file: Path) -> tuple[str, str]:
    """Give a finished file its name in the store: (path relative to ``out``, sha256).

    The file must be in the store already, under a temporary name.
    """
    sha256 = file_sha256(file)
    name = stored_name(clip_id, sha256, file.suffix)
    file.chmod(0o444)
    os.replace(file, out / name)
    return name, sha256


def adopt(out: Path, clip_id: str, file: Path) -> str:
    """Bring a finished file into the store, without copying it. Returns its path below ``out``.

    By a hard link, and where the disk has none by moving it; from another disk by a copy.
    """
    name = stored_name(clip_id, file_sha256(file), file.suffix)
    final = out / name
    final.parent.mkdir(parents=True, exist_ok=True)
    file.chmod(0o444)
    if final.exists():
        return name
    try:
        os.link(file, final)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(final) from error
        if error.errno == errno.EXDEV:
            place = temporary_name(out, clip_id, file.suffix)
            shutil.copyfile(file, place)
            sync_file(place)
            place.chmod(0o444)
            os.replace(place, final)
        else:
            os.replace(file, final)
    return name


def is_stored(name: str) -> bool:
    """Whether a path, relative to the output folder, is one that the store gives to its files."""
    return _STORED.fullmatch(name) is not None


def check_stored(name: str) -> str:
    """The path as it is. Raises InputUnreadable where it leads out of the store."""
    if not is_stored(name):
        raise InputUnreadable(
            f"Expected paths of the form {FOLDER}/xx/CLIP-HASH.mp4 in the data set's tables, found "
            f"{name!r}; this commit was not written by tfw: restore another with "
            "`tfw commits SET restore NUMBER`."
        )
    return name


def stored_files(out: Path) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Every file of the store by its path below ``out``, left-over temporary ones among them."""
    root = out / FOLDER
    if not root.is_dir():
        return
    for folder in sorted(root.iterdir()):
        if not folder.is_dir() or folder.is_symlink():
            continue
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_file(follow_symlinks=False):
                    yield f"{FOLDER}/{folder.name}/{entry.name}", entry


def is_temporary(name: str) -> bool:
    """Whether a file of the store was left by a run that was killed while it wrote it."""
    return _LEFT_OVER.fullmatch(name) is not None
