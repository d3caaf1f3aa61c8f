"""One file over the network: https, resumed after a break, never longer than it should be.

It knows addresses and bytes; what the bytes must be is its caller's affair.
"""

import base64
import errno
import http.client
import shutil
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO

from talkingface_wild.core.errors import DiskFull
from talkingface_wild.core.paths import disk_full

Progress = Callable[[int, int | None], None]
"""Called with the bytes that are there and the bytes in all, where the server says how many."""

_PIECE = 1 << 18
_AGAIN = {408, 429, 500, 502, 503, 504}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class DeliveryError(Exception):
    """An address did not deliver this time; ``again`` says whether another try may help."""

    def __init__(self, reason: str, again: bool) -> None:
        super().__init__(reason)
        self.again = again


def download(
    url: str,
    part: Path,
    most: int,
    progress: Progress | None = None,
    tries: int = 4,
    pause_seconds: float = 1.0,
) -> None:
    """Bring ``part`` to the whole of what ``url`` names, at most ``most`` bytes.

    Raises DeliveryError when ``tries`` are used up, or where another try cannot help.
    """
    for attempt in range(1, tries + 1):
        try:
            _download(url, part, most, progress)
            return
        except DeliveryError as error:
            if not error.again or attempt == tries:
                raise
            time.sleep(pause_seconds * 2 ** (attempt - 1))


def page(url: str, most: int, accept: str) -> tuple[bytes, str, str]:
    """A small page: its bytes, its content type, and the address that it came from in the end."""
    request = _request(url, {"Accept": accept})
    try:
        with _opener().open(request, timeout=30) as answer:
            body = answer.read(most + 1)
            kind, address = answer.headers.get_content_type(), answer.geturl()
    except urllib.error.HTTPError as error:
        raise DeliveryError(f"HTTP {error.code} {error.reason}", error.code in _AGAIN) from error
    except (http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", None) or type(error).__name__
        raise DeliveryError(f"the connection failed ({reason})", again=True) from error
    if len(body) > most:
        raise DeliveryError(f"it sends more than the {most:,} bytes expected", again=False)
    return body, kind, address


def _download(url: str, part: Path, most: int, progress: Progress | None) -> None:
    """One try; goes on where an earlier one broke off."""
    have = part.stat().st_size if part.exists() else 0
    headers, tag = {"Accept-Encoding": "identity"}, tag_file(part)
    if have and tag.exists():
        headers |= {"Range": f"bytes={have}-", "If-Range": tag.read_text(encoding="utf-8")}
    request = _request(url, headers)
    try:
        with _opener().open(request, timeout=60) as answer:
            if answer.status != 206:
                have = 0
            elif not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
                part.unlink(missing_ok=True)
                raise DeliveryError(
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
            raise DeliveryError(
                "the server no longer has the rest of the file", again=True
            ) from error
        raise DeliveryError(
            f"HTTP {error.code} {error.reason}", again=error.code in _AGAIN
        ) from error
    except (http.client.HTTPException, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOSPC:
            raise disk_full(part) from error
        reason = getattr(error, "reason", None) or type(error).__name__
        raise DeliveryError(f"the connection failed ({reason})", again=True) from error


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
        raise DeliveryError(f"it sends more than the {most:,} bytes expected", again=False)
    if total is not None and have < total:
        raise DeliveryError(
            f"the connection broke off after {have:,} of {total:,} bytes", again=True
        )


def tag_file(part: Path) -> Path:
    """Where the ETag stands that says whether a resumed file is still the same one."""
    return part.with_suffix(".etag")


def _check_room(part: Path, have: int, total: int | None, most: int) -> None:
    """Refuse before the first byte what is too long, or will not fit on the disk twice."""
    if total is None:
        return
    if total > most:
        raise DeliveryError(f"it is {total:,} bytes long instead of {most:,}", again=False)
    free = shutil.disk_usage(part.parent).free
    if 2 * total - have > free:
        raise DiskFull(
            f"Expected {2 * total - have:,} bytes free in {part.parent} for the download and its "
            f"checked copy, found {free:,}; free some space and run the same command again."
        )


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_CheckedRedirects())


def _request(url: str, headers: dict[str, str]) -> urllib.request.Request:
    """A request; a name and password in the address become the header that they stand for."""
    _check_scheme(url)
    parts = urllib.parse.urlsplit(url)
    headers = {"User-Agent": "talkingface-wild", **headers}
    if parts.username is not None:
        words = (urllib.parse.unquote(word or "") for word in (parts.username, parts.password))
        headers["Authorization"] = f"Basic {base64.b64encode(':'.join(words).encode()).decode()}"
        host = parts.netloc.rpartition("@")[2]
        url = urllib.parse.urlunsplit(parts._replace(netloc=host))
    return urllib.request.Request(url, headers=headers)


def _check_scheme(url: str) -> None:
    """Https alone, and plain http from this machine itself."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise DeliveryError(f"the address {url} is not https", again=False)


class _CheckedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects as urllib does, never away from https; a password stays with its host."""

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
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and following.host != req.host:
            following.remove_header("Authorization")
        return following
