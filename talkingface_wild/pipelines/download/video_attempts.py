"""The attempts at one video: waits its turn, runs yt-dlp, and rules on what goes wrong."""

import random
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from talkingface_wild.core.errors import TfwError
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.paths import disk_full
from talkingface_wild.core.terminal import children_away
from talkingface_wild.pipelines.download import taxonomy
from talkingface_wild.pipelines.download.formats import ORDER, selector
from talkingface_wild.pipelines.download.politeness import Politeness
from talkingface_wild.pipelines.download.session import Listener, ffmpeg_folder, open_session
from talkingface_wild.pipelines.download.ytdlp_options import Access, DownloadOptions
from talkingface_wild.pipelines.sources.address import host_of


class Job:
    """The attempts at one video: waits its turn, asks, and rules on what goes wrong."""

    def __init__(
        self,
        address: str,
        parts: Path,
        options: DownloadOptions,
        politeness: Politeness,
        access: Access,
    ) -> None:
        self.address, self.parts, self.options = address, parts, options
        self.politeness, self.access = politeness, access
        self.host = host_of(address)

    def run(self) -> tuple[dict[str, Any], int]:
        """yt-dlp's account of the finished download, and how many attempts it took."""
        pause = self.options.pause_seconds
        for attempt in range(1, self.options.attempts + 1):
            self.politeness.wait(self.host, self.options.most_wait_seconds)
            listener = Listener(self.access)
            try:
                return self._attempt(listener), attempt
            except (KeyboardInterrupt, TfwError, ItemFailed):
                raise
            except ItemRejected as error:
                self._raise_if_crippled(listener, error.outcome.reason, error.outcome.detail)
                raise
            except Exception as error:
                if taxonomy.is_disk_full(error):
                    raise disk_full(self.parts) from error
                ruling = taxonomy.rule(error)
                detail = self._detail(error)
                self._raise_if_crippled(listener, ruling.reason, detail)
                if ruling.reason == "bot_check":
                    self.politeness.stop(self.host, detail)
                if not ruling.again or attempt == self.options.attempts:
                    raise taxonomy.outcome(ruling, f"{detail} (attempt {attempt})") from None
                self._rest(ruling, pause)
                pause *= 2
        raise ItemFailed("network", "no attempt was allowed")

    def _attempt(self, listener: Listener) -> dict[str, Any]:
        """One run of yt-dlp over the address."""
        session = open_session(self.host, self.access, listener, self._parameters())
        # yt-dlp starts ffmpeg, and a JavaScript runtime, with this process's standard input.
        with children_away(), session:
            info = session.extract_info(self.address, download=True)
        if not isinstance(info, dict):
            raise ItemRejected("not_a_video", "the address holds no video")
        if info.get("_type", "video") != "video":
            raise ItemRejected("not_a_video", "the address is a list of videos, not one video")
        return info

    def _parameters(self) -> dict[str, Any]:
        options, deadline = self.options, time.monotonic() + self.options.longest_minutes * 60
        return {
            "paths": {"home": str(self.parts.absolute())},
            "outtmpl": {"default": "media.%(format_id).60s.%(ext)s"},
            "restrictfilenames": True,
            "windowsfilenames": True,
            "cachedir": str(self.parts.parent.absolute() / ".cache"),
            "format": selector(options.max_height, options.min_height),
            "format_sort": list(ORDER),
            "merge_output_format": "mp4",
            "ffmpeg_location": ffmpeg_folder(),
            "match_filter": lambda info, **_: _check(info, options),
            "progress_hooks": [lambda _: _check_time(deadline, options)],
            "extract_flat": "in_playlist",
            "continuedl": True,
            "updatetime": False,
            "socket_timeout": options.timeout_seconds,
            "retries": options.resumptions,
            "fragment_retries": options.resumptions,
            "retry_sleep_functions": {
                kind: lambda n: min(30.0, options.pause_seconds * 2**n) * random.uniform(0.5, 1.0)
                for kind in ("http", "fragment")
            },
        }

    def _rest(self, ruling: taxonomy.ErrorMeaning, pause: float) -> None:
        """Wait before the next attempt: alone, or with everyone when the host asked for it."""
        if ruling.reason == "rate_limited":
            seconds = ruling.retry_after_seconds
            self.politeness.pause(self.host, pause if seconds is None else seconds)
        else:
            time.sleep(pause * random.uniform(0.5, 1.0))

    def _raise_if_crippled(self, listener: Listener, reason: str, detail: str) -> None:
        """What this machine cannot see is no fault of the video: failed, not rejected."""
        weak = reason in ("no_format", "low_resolution") and taxonomy.is_crippled(listener.warnings)
        if weak:
            raise ItemFailed(
                "crash",
                f"yt-dlp does not see all formats here ({detail}); install a JavaScript runtime "
                "such as deno and 'pip install -U yt-dlp[default]'",
            )

    def _detail(self, error: Exception) -> str:
        text = re.sub(r"\x1b\[[0-9;]*m", "", self.access.clean(str(error)))
        return " ".join(text.removeprefix("ERROR: ").split())[:240]


def _check(info: Mapping[str, Any], options: DownloadOptions) -> None:
    """Refuse, before anything is fetched, what is live or too long."""
    if info.get("is_live") or info.get("live_status") in ("is_live", "is_upcoming", "post_live"):
        raise ItemRejected("live", f"it is {info.get('live_status') or 'live'}")
    seconds = info.get("duration")
    if options.max_minutes and seconds and float(seconds) > options.max_minutes * 60:
        raise ItemRejected(
            "too_long", f"it lasts {float(seconds) / 60:.1f} of {options.max_minutes:g} minutes"
        )


def _check_time(deadline: float, options: DownloadOptions) -> None:
    if time.monotonic() > deadline:
        raise ItemFailed("timeout", f"it took longer than {options.longest_minutes:g} minutes")
