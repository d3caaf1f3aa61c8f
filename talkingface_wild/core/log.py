"""One logger for talk on stderr; data go to stdout through the cli alone. Takes secrets out."""

import logging
import re
import sys

LOGGER = logging.getLogger("talkingface_wild")

_HEADERS = re.compile(r"(?i)((?:cookie|authorization)[^\s:=]*\s*[:=]\s*)[^\r\n]+")
# Motion tokens (``present.lip_tokens=1``, ``token_width``) are no secrets.
_SECRETS = re.compile(
    r"(?i)((?:password|passwd|token(?!s\b|_width)|secret|api.?key)[^\s:=]*\s*[:=]\s*)\S+"
)
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s?#]+@")


def redact(text: str) -> str:
    """``text`` without credentials: those in URLs, cookie and authorization lines, and tokens."""
    plain = _USERINFO.sub(r"\1…@", text)
    return _SECRETS.sub(r"\1…", _HEADERS.sub(r"\1…", plain))


class _Stderr(logging.Handler):
    """Writes to whatever stderr is at that moment: it may be replaced, and the old one closed."""

    def emit(self, record: logging.LogRecord) -> None:
        """One line."""
        print(self.format(record), file=sys.stderr, flush=True)


def talk_to_stderr(verbose: bool = False) -> None:
    """Send the project's log to stderr, plainly."""
    handler = _Stderr()
    handler.setFormatter(logging.Formatter("%(message)s"))
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.DEBUG if verbose else logging.INFO)
    LOGGER.propagate = False
