"""Opens yt-dlp with our own options alone: no configuration, no plugins, nothing run or printed."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import ExtraMissing
from talkingface_wild.core.log import LOGGER
from talkingface_wild.pipelines.download.ytdlp_options import Access
from talkingface_wild.pipelines.sources.address import is_loopback, offline_forbids

_EXTRACTOR_PAUSE_SECONDS = 0.75
"""Sleep between the requests that one video's page takes; yt-dlp's own advice."""


class Listener:
    """yt-dlp's log: shown for debugging alone, its warnings remembered, secrets taken out."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self.warnings: list[str] = []

    def debug(self, message: str) -> None:
        """Progress and details."""
        LOGGER.debug("yt-dlp: %s", self._access.clean(message))

    info = debug

    def warning(self, message: str) -> None:
        """A warning: remembered, since it may explain an error that follows."""
        self.warnings.append(self._access.clean(message)[:500])
        self.debug(message)

    def error(self, message: str) -> None:
        """An error: it is raised as well, so it is only noted here."""
        self.debug(message)


def open_session(
    host: str, access: Access, listener: Listener, parameters: Mapping[str, Any]
) -> Any:
    """A ``YoutubeDL`` for one host, to be used in a ``with`` block.

    The API reads no configuration file; plugins are switched off before the first use; cookies are
    handed over as text, so that yt-dlp does not write into the user's file.
    """
    try:
        import yt_dlp
        import yt_dlp.globals
    except ImportError as error:
        raise ExtraMissing(
            f"Expected the package yt-dlp, found none that imports ({error}); "
            "run 'pip install yt-dlp'."
        ) from error
    yt_dlp.globals.plugin_dirs.value = []
    text = access.cookie_text()
    browser = access.cookies_from_browser
    ours: dict[str, Any] = {
        "quiet": True,
        "noprogress": True,
        "logger": listener,
        "color": "no_color",
        "ignoreerrors": False,
        "default_search": "error",
        "enable_file_urls": False,
        "usenetrc": False,
        "geo_bypass": False,
        "noplaylist": True,
        "skip_unavailable_fragments": False,
        "sleep_interval_requests": 0 if is_loopback(host) else _EXTRACTOR_PAUSE_SECONDS,
        "cookiefile": io.StringIO(text) if text is not None else None,
        "cookiesfrombrowser": (browser,) if browser else None,
    }
    if access.proxy is not None or is_loopback(host):
        ours["proxy"] = access.proxy or ""
    return _bounded(yt_dlp.YoutubeDL)({**ours, **parameters})


def _bounded(base: Any) -> Any:
    """The class, refusing under TFW_OFFLINE to ask any host but this machine (redirects aside)."""

    class Bounded(base):  # type: ignore[misc]
        """yt-dlp within this machine's offline rule."""

        def urlopen(self, request: Any) -> Any:
            """Open a request that the rule allows."""
            from yt_dlp.networking.exceptions import TransportError

            address = request if isinstance(request, str) else request.url
            if offline_forbids(address):
                raise TransportError("TFW_OFFLINE=1 forbids every host but this machine")
            return super().urlopen(request)

    return Bounded


def ffmpeg_folder() -> str | None:
    """The ffmpeg that merges picture and sound, or None where there is none."""
    from talkingface_wild.media.ffmpeg import ffmpeg_binary

    try:
        return str(Path(ffmpeg_binary()))
    except ExtraMissing:
        return None
