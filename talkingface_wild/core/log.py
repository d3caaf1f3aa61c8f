"""One logger for talk on stderr; data go to stdout through the cli alone. Secrets are taken out here."""

from __future__ import annotations

import logging
import re
import sys

LOGGER = logging.getLogger("talkingface_wild")

_SECRETS = re.compile(r"(?i)((?:cookie|authorization|password|token|passwd)[^\s:=]*\s*[:=]\s*)\S+")
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s:@]+(?::[^/\s@]*)?@")


def redact(text: str) -> str:
    """``text`` without credentials: user:password in URLs, cookie and token values."""
    return _SECRETS.sub(r"\1…", _USERINFO.sub(r"\1…@", text))


def talk_to_stderr(verbose: bool = False) -> None:
    """Send the project's log to stderr, plainly."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    LOGGER.propagate = False
