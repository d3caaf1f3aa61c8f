"""What yt-dlp says, in its own classes and words, and the one reason that it becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from talkingface_wild.core.reasons import ALL
from talkingface_wild.pipelines.download import taxonomy
from talkingface_wild.pipelines.download.session import Listener, open_session
from talkingface_wild.pipelines.download.ytdlp_options import Access
from tests.pipelines.loopback import Loopback, serving

MESSAGES = [
    (
        "Private video. Sign in if you've been granted access to this video. Use --cookies",
        "private",
    ),
    ("Video unavailable. This video is private", "private"),
    ("Join this channel to get access to members-only content like this video", "private"),
    (
        "This video is available to this channel's members on level: Gold (or any higher level)",
        "private",
    ),
    ("This video is only available to Music Premium members", "private"),
    ("This video requires payment to watch", "private"),
    ("Video unavailable", "gone"),
    ("Video unavailable. This video has been removed by the uploader", "gone"),
    ("This video has been removed for violating YouTube's Terms of Service", "gone"),
    (
        "Video unavailable. This video is no longer available because the YouTube "
        "account associated with this video has been terminated.",
        "gone",
    ),
    ("Video unavailable. This video is not available", "gone"),
    ("This content isn’t available.", "gone"),
    ("Unable to download webpage: HTTP Error 404: Not Found", "gone"),
    ("Unable to download JSON metadata: HTTP Error 410: Gone", "gone"),
    (
        "Sign in to confirm your age. This video may be inappropriate for some users. "
        "Use --cookies-from-browser or --cookies for the authentication.",
        "age",
    ),
    ("This video is age-restricted and only available on YouTube", "age"),
    (
        "Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies "
        "for the authentication.",
        "bot_check",
    ),
    ("Sign in to confirm you're not a bot", "bot_check"),
    ("Got HTTP Error 403 caused by Cloudflare anti-bot challenge; see https://x", "bot_check"),
    ("Please sign in. YouTube is requiring a captcha challenge before playback", "bot_check"),
    ("All player responses are invalid. Your IP is likely being blocked by Youtube", "bot_check"),
    (
        "The uploader has not made this video available in your country\nThis video is "
        "available in Japan.\nYou might want to use a VPN or a proxy server (with "
        "--proxy) to workaround.",
        "geo",
    ),
    (
        "Video unavailable. This video contains content from SME, who has blocked it in"
        " your country on copyright grounds",
        "geo",
    ),
    ("This video is not available from your location due to geo restriction", "geo"),
    (
        "Video unavailable. This content isn't available, try again later. The current "
        "session has been rate-limited by YouTube for up to an hour.",
        "rate_limited",
    ),
    ("Unable to download webpage: HTTP Error 429: Too Many Requests", "rate_limited"),
    ("This live event will begin in 3 hours.", "live"),
    ("Premieres in 20 hours", "live"),
    ("The channel is not currently live", "live"),
    ("This live stream recording is not available.", "live"),
    (
        "Requested format is not available. Use --list-formats for a list of available formats",
        "no_format",
    ),
    ("No video formats found!", "no_format"),
    ("This video is DRM protected", "no_format"),
    ("Unsupported URL: https://example.org/page", "not_a_video"),
    ("Did not get any data blocks", "empty_file"),
    ("unable to download video data: HTTP Error 403: Forbidden", "network"),
    ("Unable to download webpage: HTTP Error 502: Bad Gateway", "network"),
    ("Unable to download API page: [Errno -3] Temporary failure in name resolution", "network"),
    ("Unable to download webpage: The read operation timed out", "network"),
    (
        "[download] Got error: 4096 bytes read, 1000 more expected. Giving up after 3 retries",
        "network",
    ),
    (
        "unable to download video data: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed",
        "network",
    ),
    ("content too short (expected 100 bytes and served 50)", "network"),
    ("Unable to extract uploader id; please report this issue on https://github.com", "crash"),
]


@pytest.mark.parametrize(("message", "reason"), MESSAGES)
def test_messages_of_yt_dlp_have_one_reason(message: str, reason: str) -> None:
    from yt_dlp.utils import DownloadError, ExtractorError

    inner = ExtractorError(message, expected=True, video_id="dQw4w9WgXcQ", ie="youtube")
    error = DownloadError(f"ERROR: {inner}", (type(inner), inner, None))
    assert taxonomy.rule(error).reason == reason
    assert taxonomy.rule(DownloadError(f"ERROR: {message}")).reason == reason


def test_every_reason_of_the_table_is_in_the_closed_list() -> None:
    reasons = {reason for reason, _, _ in taxonomy.MESSAGES}
    reasons |= {reason for reason, _ in taxonomy.STATUSES.values()}
    assert reasons <= set(ALL)
    wanted = "gone private age geo bot_check rate_limited network no_format live not_a_video"
    assert set(wanted.split()) <= reasons


def test_exception_types_outrank_their_words() -> None:
    from yt_dlp.utils import GeoRestrictedError, UnsupportedError, UserNotLive

    assert taxonomy.rule(GeoRestrictedError("Video unavailable")).reason == "geo"
    assert taxonomy.rule(UserNotLive()).reason == "live"
    address = "https://example.org/captcha/rate-limit"
    assert taxonomy.rule(UnsupportedError(address)).reason == "not_a_video"


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    with serving() as server:
        _check_retry_after(server)


def _check_retry_after(server: Loopback) -> None:
    from yt_dlp.utils import DownloadError

    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for value, low, high in (("17", 17, 17), (moment, 80, 91), ("soon", None, None)):
        server.routes["/x"] = lambda request, _, value=value: request.answer(
            429, b"", "text/plain", Retry_After=value
        )
        opened = open_session("127.0.0.1", Access(), Listener(Access()), {})
        with opened as session, pytest.raises(DownloadError) as caught:
            session.extract_info(server.url("/x"), download=False)
        seconds = taxonomy.rule(caught.value).retry_after_seconds
        assert seconds is None if low is None else low <= seconds <= high


def test_missing_formats_of_this_machine_are_no_rejection() -> None:
    assert taxonomy.is_crippled(["n challenge solving failed: Some formats may be missing."])
    assert taxonomy.is_crippled(["No supported JavaScript runtime could be found."])
    assert not taxonomy.is_crippled(["Falling back on generic information extractor"])
