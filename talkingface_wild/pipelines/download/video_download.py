"""Fetches one video: complete, probed, hashed and only then under its name. Decides no gate."""

import contextlib
import fcntl
import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import TfwError
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.paths import disk_full, sync_file, write_text
from talkingface_wild.pipelines.download import taxonomy
from talkingface_wild.pipelines.download.formats import track_note
from talkingface_wild.pipelines.download.politeness import Politeness
from talkingface_wild.pipelines.download.video_attempts import Job
from talkingface_wild.pipelines.download.ytdlp_options import Access, DownloadOptions
from talkingface_wild.pipelines.sources.address import canonical, offline_forbids

_STALE_SECONDS = 24 * 3600.0
"""Age after which a partial file is not resumed: the address may hold another video by now."""


@dataclass(frozen=True)
class Downloaded:
    """A complete file and what its host says of it; ``attempts`` is 0 when it was there already."""

    path: Path
    bytes: int
    sha256: str
    format_note: str
    title: str | None
    channel: str | None
    upload_date: str | None
    """As YYYYMMDD."""
    audio_track: str | None
    """Language of the sound track, and whether it is marked as the original."""
    attempts: int


def fetch(
    url: str,
    folder: Path,
    name: str,
    options: DownloadOptions | None = None,
    *,
    probe: Callable[[Path], object],
    politeness: Politeness | None = None,
    access: Access | None = None,
) -> Downloaded:
    """Fetch the video at ``url`` as ``folder/name.<suffix>`` (mp4 where streams are merged).

    ``name`` is our own id. ``probe`` is called with the complete file and raises ItemRejected or
    ItemFailed when it is no usable video. A file that an earlier call completed is taken as it is;
    one that broke off is resumed. Raises ItemRejected or ItemFailed with a reason of the closed
    list, DiskFull when the disk is full (no item is to blame), UsageError for unreadable cookies.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", name):
        raise ValueError(f"{name!r} cannot name a download: expected letters, digits, - and _")
    options, access = options or DownloadOptions(), access or Access()
    try:
        address = canonical(url)[1]
    except ValueError as error:
        raise ItemRejected("not_a_video", access.clean(str(error))) from None
    with _locked(folder / ".parts" / name) as parts:
        done = _completed(folder, name)
        if done is not None:
            return done
        if offline_forbids(address):
            raise ItemFailed("network", "TFW_OFFLINE=1 forbids every host but this machine")
        job = Job(address, parts, options, politeness or Politeness(), access)
        try:
            info, attempts = job.run()
            done = _finish(info, parts, folder, name, probe, attempts)
        except (ItemFailed, TfwError):
            raise
        except ItemRejected:
            shutil.rmtree(parts, ignore_errors=True)
            raise
        except OSError as error:
            if taxonomy.is_disk_full(error):
                raise disk_full(folder / name) from error
            raise
    shutil.rmtree(parts, ignore_errors=True)
    return done


def _finish(
    info: dict[str, Any],
    parts: Path,
    folder: Path,
    name: str,
    probe: Callable[[Path], object],
    attempts: int,
) -> Downloaded:
    """Probe and hash the complete file, and give it its name and its record."""
    download = (info.get("requested_downloads") or [{}])[0]
    held = Path(str(download.get("filepath") or ""))
    if held.parent != parts.absolute() or not held.is_file():
        raise ItemFailed("network", "the download ended without a file")
    try:
        if held.stat().st_size == 0:
            raise ItemRejected("empty_file", "the download has zero bytes")
        probe(held)
    except (ItemRejected, ItemFailed):
        held.unlink(missing_ok=True)
        raise
    sha256 = file_sha256(held)
    final = folder / f"{name}{held.suffix.lower()}"
    sync_file(held)
    os.replace(held, final)
    sync_file(folder)
    streams = download.get("requested_formats") or [download]
    sounding = [item for item in streams if item.get("acodec") != "none"]
    done = Downloaded(
        path=final,
        bytes=final.stat().st_size,
        sha256=sha256,
        format_note=_note(streams),
        title=_text(info.get("title")),
        channel=_text(info.get("channel") or info.get("uploader")),
        upload_date=_text(info.get("upload_date")),
        audio_track=track_note(sounding[0]) if sounding else None,
        attempts=attempts,
    )
    record = {**asdict(done), "path": final.name}
    write_text(folder / f"{name}.download.json", json.dumps(record, sort_keys=True))
    return done


def _completed(folder: Path, name: str) -> Downloaded | None:
    """The file that an earlier call completed, if it is still the same; its hash is checked."""
    try:
        record = json.loads((folder / f"{name}.download.json").read_text(encoding="utf-8"))
        path = folder / Path(record["path"]).name
        if path.stat().st_size != record["bytes"] or file_sha256(path) != record["sha256"]:
            return None
        return Downloaded(**{**record, "path": path, "attempts": 0})
    except (OSError, ValueError, KeyError, TypeError):
        return None


@contextlib.contextmanager
def _locked(parts: Path) -> Iterator[Path]:
    """The folder of one video's parts, held by one worker at a time; stale parts are dropped."""
    parts.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(parts.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        if parts.is_dir() and time.time() - parts.stat().st_mtime > _STALE_SECONDS:
            shutil.rmtree(parts, ignore_errors=True)
        parts.mkdir(exist_ok=True)
        yield parts
    finally:
        os.close(handle)


def _note(streams: list[Mapping[str, Any]]) -> str:
    """The formats in short, such as ``137 1920x1080 avc1 + 140 mp4a``."""
    words = []
    for item in streams:
        size = f"{item['width']}x{item['height']}" if item.get("height") else ""
        codecs = (str(item.get(kind) or "").split(".")[0] for kind in ("vcodec", "acodec"))
        shown = [str(item.get("format_id") or ""), size, *(c for c in codecs if c != "none")]
        words.append(" ".join(word for word in shown if word))
    return " + ".join(words)[:200]


def _text(value: object) -> str | None:
    """A stranger's text on one line, at most 200 characters; None when there is none."""
    if not isinstance(value, str):
        return None
    plain = "".join(letter if letter.isprintable() else " " for letter in value)
    return " ".join(plain.split())[:200] or None
