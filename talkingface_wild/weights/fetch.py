"""Weights over the network: https, resumed after a break, checked by hash before any use.

Nothing is fetched unless it is asked for by name, and nothing at all under TFW_OFFLINE=1.
"""

import errno
import hashlib
import http.client
import os
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from talkingface_wild.core.errors import (
    CheckFailed,
    DiskFull,
    InputUnreadable,
    NetworkUnavailable,
    WeightMissing,
)
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.log import redact
from talkingface_wild.core.paths import disk_full
from talkingface_wild.weights.archives import MOST_BYTES, extract_member
from talkingface_wild.weights.manifest import Origin, Weight
from talkingface_wild.weights.store import Store

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes in all, where the server says how many."""

_PIECE = 1 << 18
_AGAIN = {408, 429, 500, 502, 503, 504}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class _DeliveryError(Exception):
    """An address did not deliver this time; ``again`` says whether another try may help."""

    def __init__(self, reason: str, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def fetch(
    store: Store,
    name: str,
    progress: Progress | None = None,
    tries: int = 4,
    pause_seconds: float = 1.0,
) -> Path:
    """Fetch one weight into the store, unless its verified file is there already.

    Raises:
        NetworkUnavailable: TFW_OFFLINE is set, or no address answered.
        WeightMissing: no address is known; the sentence says how a person gets the file.
        CheckFailed: what came is not the published file; it was not kept.
    """
    if (present := store.find(name)) is not None:
        return present
    weight = store.entry(name)
    if not weight.sources:
        raise WeightMissing(f"Expected an address for {name}, found none. {weight.note}")
    if os.environ.get("TFW_OFFLINE") == "1":
        raise NetworkUnavailable(
            f"Expected a network to fetch {name}, found TFW_OFFLINE=1; unset it, or run "
            "'tfw weights import DIR' with a copy of the file."
        )
    failures = []
    for origin in weight.sources:
        try:
            return _fetch_from(store, weight, origin, progress, tries, pause_seconds)
        except (_DeliveryError, CheckFailed, InputUnreadable) as error:
            failures.append(error)
    for failure in failures:
        if isinstance(failure, CheckFailed):
            raise failure
    reasons = "; ".join(f"{o.url}: {f}" for o, f in zip(weight.sources, failures, strict=True))
    raise NetworkUnavailable(
        redact(f"Expected to fetch {name}, found no address that delivers it ({reasons}); ")
        + "run the same command again later: what has come is kept and resumed."
    )


def _fetch_from(
    store: Store,
    weight: Weight,
    origin: Origin,
    progress: Progress | None,
    tries: int,
    pause_seconds: float,
) -> Path:
    """Download from one address, take the member out of an archive, check, and place the file."""
    folder = store.folder / ".partial"
    folder.mkdir(parents=True, exist_ok=True)
    stem = hashlib.sha256(origin.url.encode()).hexdigest()[:16]
    part, taken = folder / f"{stem}.part", folder / f"{stem}.{weight.name}.member"
    most = weight.size if weight.size and not origin.member else MOST_BYTES
    for attempt in range(1, tries + 1):
        try:
            _download(origin.url, part, most, progress)
            break
        except _DeliveryError as error:
            if not error.again or attempt == tries:
                raise
            time.sleep(pause_seconds * 2 ** (attempt - 1))
    file = part
    try:
        if origin.member is not None:
            extract_member(part, origin.member, taken, most_bytes=weight.size or MOST_BYTES)
            file = taken
        sha256 = file_sha256(file)
        if weight.sha256 is not None and sha256 != weight.sha256:
            raise CheckFailed(
                f"Expected sha256 {weight.sha256} for {weight.name}, found {sha256} from "
                f"{origin.url}; the file was not kept, get it from another source and run "
                "'tfw weights import FILE'."
            )
        how = "fetched, published sha256" if weight.sha256 else "first fetch, hash recorded"
        return store.place(weight.name, file, f"{how}: {origin.url}")
    finally:
        for leftover in (part, taken, _tag_file(part)):
            leftover.unlink(missing_ok=True)


def _download(url: str, part: Path, most: int, progress: Progress | None) -> None:
    """Bring ``part`` to the whole of what ``url`` names; goes on where an earlier try broke off."""
    _check_scheme(url)
    have = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "talkingface-wild", "Accept-Encoding": "identity"}
    tag = _tag_file(part)
    if have and tag.exists():
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text(encoding="utf-8")}
    request = urllib.request.Request(url, headers=headers)
    opener = urllib.request.build_opener(_CheckedRedirects())
    try:
        with opener.open(request, timeout=60) as answer:
            if answer.status != 206:
                have = 0
            elif not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
                part.unlink(missing_ok=True)
                raise _DeliveryError(
                    "the server answered with another range than asked for", again=True
                )
            etag = answer.headers.get("ETag") or ""
            if etag and not etag.startswith("W/"):
                tag.write_text(etag, encoding="utf-8")
            elif have == 0:
                tag.unlink(missing_ok=True)
            length = answer.headers.get("Content-Length")
            total = have + int(length) if length is not None else None
            _check_room(part, have, total, most)
            _receive(answer, part, have, total, most, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            part.unlink(missing_ok=True)
            raise _DeliveryError(
                "the server no longer has the rest of the file", again=True
            ) from error
        raise _DeliveryError(
            f"HTTP {error.code} {error.reason}", again=error.code in _AGAIN
        ) from error
    except (http.client.HTTPException, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise disk_full(part) from error
        reason = getattr(error, "reason", None) or type(error).__name__
        raise _DeliveryError(f"the connection failed ({reason})", again=True) from error


def _receive(
    answer: http.client.HTTPResponse,
    part: Path,
    have: int,
    total: int | None,
    most: int,
    progress: Progress | None,
) -> None:
    """Write the answer's body after the first ``have`` bytes; a short one is broken, not done."""
    with part.open("ab" if have else "wb") as stream:
        while piece := answer.read(_PIECE):
            have += len(piece)
            if have > most:
                break
            stream.write(piece)
            if progress is not None:
                progress(have, total)
    if have > most:
        part.unlink(missing_ok=True)
        raise _DeliveryError(f"it sends more than the {most:,} bytes expected", again=False)
    if total is not None and have < total:
        raise _DeliveryError(
            f"the connection broke off after {have:,} of {total:,} bytes", again=True
        )


def _tag_file(part: Path) -> Path:
    """Where the ETag stands that says whether a resumed file is still the same one."""
    return part.with_suffix(".etag")


def _check_room(part: Path, have: int, total: int | None, most: int) -> None:
    """Refuse before the first byte what is too long, or will not fit on the disk twice."""
    if total is None:
        return
    if total > most:
        raise _DeliveryError(f"it is {total:,} bytes long instead of {most:,}", again=False)
    free = shutil.disk_usage(part.parent).free
    if 2 * total - have > free:
        raise DiskFull(
            f"Expected {2 * total - have:,} bytes free in {part.parent} for the download and its "
            f"checked copy, found {free:,}; free some space and run the same command again."
        )


def _check_scheme(url: str) -> None:
    """Https alone, and plain http from this machine itself."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise _DeliveryError(f"the address {url} is not https", again=False)


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects as urllib does, but never away from https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The next request, or a refusal when it would leave https."""
        _check_scheme(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)
