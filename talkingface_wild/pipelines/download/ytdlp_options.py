"""What a download may take and how it is tried; and, apart, the secrets that no output may hold."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass, field
from pathlib import Path

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.log import redact


@dataclass(frozen=True)
class DownloadOptions:
    """Settings of the download that belong in a recipe: none of them is a secret."""

    max_height: int = 1080
    """Lines of the largest picture that is asked for (the shorter side, for upright video)."""
    min_height: int = 0
    """Lines below which a video is rejected before it is fetched; 0 takes any."""
    max_minutes: float = 90.0
    """Longest video that is fetched; 0 takes any."""
    attempts: int = 4
    """How often a download is tried, the first time included, when a retry may help."""
    resumptions: int = 3
    """How often one attempt goes on after a broken connection, from where it broke off."""
    pause_seconds: float = 5.0
    """Sleep before the second attempt; doubled for each further one, with jitter."""
    timeout_seconds: float = 30.0
    """How long a connection may be silent."""
    longest_minutes: float = 120.0
    """How long one attempt may take in all."""
    most_wait_seconds: float = 900.0
    """The longest ``Retry-After`` that is waited for; a longer one fails the item for now."""


@dataclass(frozen=True)
class Access:
    """Cookies and proxy: given by option or environment, and in no output, log or table."""

    cookies: Path | None = field(default=None, repr=False)
    """A cookies.txt in Netscape's format; it is read, never written back."""
    cookies_from_browser: str | None = field(default=None, repr=False)
    """A browser's name, only when asked for."""
    proxy: str | None = field(default=None, repr=False)
    """A proxy's address, with its login if it needs one."""

    @classmethod
    def from_environment(cls) -> Access:
        """``TFW_COOKIES`` (a file), ``TFW_COOKIES_BROWSER`` and ``TFW_PROXY``."""
        cookies = os.environ.get("TFW_COOKIES")
        return cls(
            Path(cookies) if cookies else None,
            os.environ.get("TFW_COOKIES_BROWSER") or None,
            os.environ.get("TFW_PROXY") or None,
        )

    def cookie_text(self) -> str | None:
        """The cookie file's text. Raises UsageError when it cannot be read."""
        if self.cookies is None:
            return None
        try:
            return self.cookies.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise UsageError(
                "Expected a readable cookies.txt, found none under the name that was given; "
                "export the cookies again or leave the option out."
            ) from None

    @functools.cached_property
    def secrets(self) -> tuple[str, ...]:
        """Every text that must not be seen, the longest first."""
        texts = set()
        if self.proxy is not None:
            login = self.proxy.split("://")[-1].rpartition("@")[0]
            texts |= {self.proxy, login, *login.split(":", 1)}
        if self.cookies is not None:
            texts.add(str(self.cookies))
            for line in (self.cookie_text() or "").splitlines():
                cells = line.split("\t")
                if len(cells) == 7 and len(cells[6]) >= 6:
                    texts.add(cells[6])
        return tuple(sorted((text for text in texts if len(text) > 2), key=len, reverse=True))

    def clean(self, text: str) -> str:
        """``text`` without any of the secrets and without logins in addresses."""
        for secret in self.secrets:
            text = text.replace(secret, "…")
        return redact(text)
