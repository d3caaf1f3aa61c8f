"""Web addresses in one form: the same video under two spellings is one key. Opens no connection."""

import ipaddress
import os
import re
import urllib.parse

from talkingface_wild.core.log import redact

_PORTS = {"http": 80, "https": 443}
_YOUTUBE = {"youtube.com", "youtu.be", "youtube-nocookie.com"}
_VIDEO_ID = re.compile(r"[A-Za-z0-9_-]{11}")
_VIDEO_FOLDERS = {"shorts", "embed", "live", "v", "e", "watch"}
_TRACKING = re.compile(
    r"utm_.*|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|ref_src|ref_url|spm|spm_id_from"
    r"|vd_source|share_source|_hsenc|_hsmi",
    re.IGNORECASE,
)


def canonical(address: str) -> tuple[str, str]:
    """The media key and the cleaned address of one video.

    A YouTube video in any of its forms gives ``youtube:ID``; for anything else the key is the
    address with scheme and host in lower case and without default port, fragment and tracking
    parameters. Raises ValueError, with a sentence, for what is no http(s) address, and for one
    that carries a user's name or password (they would end in tables).
    """
    parts = _split(address)
    host = host_of(address)
    if host == "youtube.com":
        video = _youtube_id(parts)
        if video is not None:
            return f"youtube:{video}", f"https://www.youtube.com/watch?v={video}"
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    name = _ascii_host(parts.hostname or "")
    path = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    kept = [pair for pair in parts.query.split("&") if pair and not _is_tracking(pair)]
    query = urllib.parse.quote("&".join(kept), safe="/%:@!$&'()*+,;=~-._?")
    url = urllib.parse.urlunsplit((parts.scheme, name + port, path, query, ""))
    return url, url


def host_of(address: str) -> str:
    """The host by which politeness counts: in lower case, without ``www.``, YouTube's as one."""
    host = _ascii_host(_split(address).hostname or "")
    for prefix in ("www.", "m.", "music."):
        host = host.removeprefix(prefix)
    return "youtube.com" if host in _YOUTUBE else host


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine by its literal name; names are not resolved."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_collection(address: str) -> bool:
    """Whether the address names a YouTube playlist or channel rather than one video."""
    if host_of(address) != "youtube.com":
        return False
    parts = _split(address)
    if _youtube_id(parts) is not None:
        return False
    first = parts.path.strip("/").split("/")[0]
    return first.startswith("@") or first in ("playlist", "channel", "c", "user")


def is_address(text: str) -> bool:
    """Whether ``text`` is meant as a web address and not as a path."""
    return re.match(r"(?i)https?://", text.strip()) is not None


def _split(address: str) -> urllib.parse.SplitResult:
    """The parts of an http(s) address, checked; see ``canonical`` for the errors."""
    text = address.strip()
    try:
        parts = urllib.parse.urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{redact(text)[:200]!r} is no web address ({error})") from None
    if parts.scheme.lower() not in _PORTS or not parts.hostname or port == 0:
        raise ValueError(f"{redact(text)[:200]!r} is no http or https address")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{redact(text)[:200]!r} carries a login; give cookies by option instead")
    if any(ord(letter) < 33 for letter in text):
        raise ValueError(f"{text[:200]!r} holds spaces or control characters")
    return parts


def _youtube_id(parts: urllib.parse.SplitResult) -> str | None:
    """The eleven characters of the video's id, if the address names a video."""
    folders = [part for part in parts.path.split("/") if part]
    video = urllib.parse.parse_qs(parts.query).get("v", [""])[0]
    if (parts.hostname or "").lower().endswith("youtu.be"):
        video = folders[0] if folders else ""
    elif folders and folders[0] in _VIDEO_FOLDERS and len(folders) > 1:
        video = folders[1]
    elif not folders or folders[0] != "watch":
        return None
    return video if _VIDEO_ID.fullmatch(video) else None


def _ascii_host(host: str) -> str:
    """The host in lower case, an international name in its ASCII form."""
    lowered = host.lower().rstrip(".")
    try:
        plain = lowered.encode("idna").decode("ascii") if not lowered.isascii() else lowered
    except UnicodeError:
        plain = lowered
    return f"[{plain}]" if ":" in plain else plain


def _is_tracking(pair: str) -> bool:
    return _TRACKING.fullmatch(pair.split("=", 1)[0]) is not None


def offline_forbids(address: str) -> bool:
    """Whether TFW_OFFLINE=1 forbids this address: it allows nothing but this machine itself."""
    if os.environ.get("TFW_OFFLINE") != "1":
        return False
    return not is_loopback(urllib.parse.urlsplit(address).hostname or "")
