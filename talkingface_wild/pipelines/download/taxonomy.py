"""What yt-dlp's errors mean, as one closed table: the reason, and whether to try again."""

import datetime
import email.utils
import errno
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.reasons import REJECTED


@dataclass(frozen=True)
class ErrorMeaning:
    """The reason (of ``core/reasons.py``), whether to try again, and the wait a server asks for."""

    reason: str
    again: bool = False
    retry_after_seconds: float | None = None


MESSAGES: tuple[tuple[str, str, bool], ...] = (
    ("bot_check", r"not a bot|suspected as a bot|anti-bot|captcha|unusual traffic", False),
    ("bot_check", r"your ip (address )?is likely being blocked|ip address is blocked", False),
    ("rate_limited", r"rate.?limit|too many requests|isn't available, try again later", True),
    ("age", r"confirm your age|age.restricted|verify your age|inappropriate for some", False),
    ("geo", r"available in your (country|region|location|area)|geo.?restrict", False),
    ("geo", r"in your country on copyright|available from your location|blocked in your", False),
    ("live", r"live event (will|has not|is scheduled|has ended)|not currently live", False),
    ("live", r"premieres? (in|will)|premiere will begin|live stream recording", False),
    ("live", r"live stream is (offline|not available)|video is a live stream", False),
    ("private", r"private video|is private|members.only|members on level|join this channel", False),
    ("private", r"(only available|available only) (to|for) .*(premium|member|registered)", False),
    ("private", r"requires (payment|purchase|a subscription)|login.required|log.?in to", False),
    ("private", r"login details are needed|account credentials|been granted access", False),
    ("gone", r"video (is )?(unavailable|not available)|has been (removed|deleted)", False),
    ("gone", r"no longer (available|exists?)|been terminated|does(n't| not) exist", False),
    ("gone", r"content (is )?(unavailable|not available|isn't available)", False),
    ("no_format", r"requested format is not available|no video formats|drm.protected", False),
    ("no_format", r"only images are available", False),
    ("not_a_video", r"unsupported url|not a valid url|no suitable extractor|no video could", False),
    ("not_a_video", r"extension .* is unusual", False),
    ("empty_file", r"did not get any data blocks", True),
    ("network", r"certificate.verify.failed|redirect loop", False),
    ("network", r"content too short|timed? ?out|name resolution|failed to resolve", True),
    ("network", r"getaddrinfo failed|connection (reset|refused|aborted)", True),
    ("network", r"bytes read, \d+ more expected|remote end closed|broken pipe", True),
    ("network", r"fragment .*not found|giving up after \d+ (fragment )?retries", True),
)
"""Reason, pattern in the message (lower case, straight apostrophes), retry; first match holds."""

STATUSES: dict[int, tuple[str, bool]] = {
    401: ("private", False),
    402: ("private", False),
    403: ("private", False),
    404: ("gone", False),
    408: ("network", True),
    410: ("gone", False),
    416: ("network", True),
    425: ("network", True),
    429: ("rate_limited", True),
    451: ("geo", False),
}
"""HTTP answers. A 403 on the page says that this visitor may not have it: ``private``, final."""

_TYPES = {
    "GeoRestrictedError": ErrorMeaning("geo"),
    "UserNotLive": ErrorMeaning("live"),
    "UnsupportedError": ErrorMeaning("not_a_video"),
    "CertificateVerifyError": ErrorMeaning("network"),
}
_CRIPPLED = re.compile(
    r"(?i)javascript runtime could be found|(challenge|signature) solving failed"
)


def rule(error: BaseException) -> ErrorMeaning:
    """The ruling on an error that yt-dlp raised; what no line of the table knows is a ``crash``."""
    chain = list(_chain(error))
    names = [kind.__name__ for item in chain for kind in type(item).__mro__]
    for name, ruling in _TYPES.items():
        if name in names:
            return ruling
    text = " ".join(str(item) for item in chain).lower().replace("\u2019", "'")
    for reason, pattern, again in MESSAGES:
        if re.search(pattern, text):
            return ErrorMeaning(reason, again, _retry_after(chain))
    status = next((code for item in chain if (code := _status(item))), None)
    if status is None:
        match = re.search(r"http error (\d{3})", text)
        status = int(match.group(1)) if match else None
    if status is not None:
        return _rule_status(status, "unable to download video data" in text, chain)
    if {"TransportError", "TimeoutError", "ConnectionError", "IncompleteRead"} & set(names):
        return ErrorMeaning("network", again=True)
    return ErrorMeaning("crash")


def outcome(ruling: ErrorMeaning, detail: str) -> ItemRejected | ItemFailed:
    """The exception that carries a ruling to the ledger."""
    short = " ".join(detail.split())[:300]
    if ruling.reason in REJECTED:
        return ItemRejected(ruling.reason, short)
    return ItemFailed(ruling.reason, short, transient=False)


def is_disk_full(error: BaseException) -> bool:
    """Whether the error, or one that caused it, is that of a full disk or quota."""
    return any(
        (isinstance(item, OSError) and item.errno in (errno.ENOSPC, errno.EDQUOT))
        or "No space left on device" in str(item)
        or "Disk quota exceeded" in str(item)
        for item in _chain(error)
    )


def is_crippled(warnings: Iterable[str]) -> bool:
    """Whether yt-dlp warned that this machine keeps it from seeing all formats of a video.

    What follows then (no format, too few lines) says nothing of the video, so it is no rejection.
    """
    return any(_CRIPPLED.search(warning) for warning in warnings)


def _rule_status(status: int, of_media: bool, chain: list[BaseException]) -> ErrorMeaning:
    """An HTTP answer; a media address is signed and expires, so its 403 is worth a new look-up."""
    if status == 403 and of_media:
        return ErrorMeaning("network", again=True)
    if status >= 500:
        return ErrorMeaning("network", True, _retry_after(chain))
    reason, again = STATUSES.get(status, ("network", False))
    return ErrorMeaning(reason, again, _retry_after(chain))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that caused it, by Python's links and by yt-dlp's own."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        held = getattr(item, "exc_info", None)
        queue += [held[1]] if isinstance(held, tuple) and len(held) > 1 else []
        queue += [getattr(item, "cause", None), item.__cause__, item.__context__]


def _status(item: BaseException) -> int | None:
    status = getattr(item, "status", None)
    return status if isinstance(status, int) and hasattr(item, "response") else None


def _retry_after(chain: list[BaseException]) -> float | None:
    """The seconds that a ``Retry-After`` header asks for, given as a number or as a date."""
    for item in chain:
        headers = getattr(getattr(item, "response", None), "headers", None)
        value = headers.get("Retry-After") if headers is not None else None
        if not value:
            continue
        if re.fullmatch(r"\d{1,9}", str(value).strip()):
            return float(value)
        try:
            moment = email.utils.parsedate_to_datetime(str(value))
        except ValueError:
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        return max(0.0, (moment - datetime.datetime.now(datetime.UTC)).total_seconds())
    return None
