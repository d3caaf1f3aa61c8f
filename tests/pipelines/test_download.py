"""The real yt-dlp against a real server on this machine, and its error messages against the table."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import stat
import sys
from collections.abc import Iterator
from email.utils import format_datetime
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from talkingface_wild.core.errors import DiskFull, UsageError
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.core.reasons import ALL
from talkingface_wild.media.probe import probe
from talkingface_wild.pipelines.download import taxonomy
from talkingface_wild.pipelines.download.fetch import Downloaded, fetch
from talkingface_wild.pipelines.download.formats import choose
from talkingface_wild.pipelines.download.options import Access, DownloadOptions
from talkingface_wild.pipelines.download.politeness import Politeness
from talkingface_wild.pipelines.download.session import Listener, open_session
from tests.pipelines.loopback import Loopback, make_video, serving

QUICK = DownloadOptions(attempts=3, resumptions=2, pause_seconds=0.02, timeout_seconds=5)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_video(tmp_path_factory.mktemp("video") / "good.mp4").read_bytes()


@pytest.fixture
def server() -> Iterator[Loopback]:
    with serving() as running:
        yield running


@pytest.fixture
def get(server: Loopback, tmp_path: Path) -> Any:
    """Fetch one path of the server as clip ``s1``."""

    def run(path: str, options: DownloadOptions = QUICK, **more: Any) -> Downloaded:
        arguments: dict[str, Any] = {"probe": probe, "politeness": Politeness(tmp_path / "hosts")}
        arguments |= more
        return fetch(server.url(path), tmp_path / "out", "s1", options, **arguments)

    return run


def left(tmp_path: Path) -> list[str]:
    """The finished files; what is hidden is work in progress."""
    return sorted(item.name for item in (tmp_path / "out").iterdir() if item.name[0] != ".")


def test_good_file_is_complete_probed_hashed_and_named_by_id(
    server: Loopback, get: Any, video: bytes, tmp_path: Path
) -> None:
    server.routes["/some%20name.mp4"] = lambda request, _: request.serve(video)
    probed: list[Path] = []
    done = get("/some name.mp4".replace(" ", "%20"), probe=lambda path: probed.append(path))
    assert done.path == tmp_path / "out" / "s1.mp4"
    assert done.path.read_bytes() == video
    assert done.sha256 == hashlib.sha256(video).hexdigest()
    assert (done.bytes, done.attempts, len(probed)) == (len(video), 1, 1)
    assert left(tmp_path) == ["s1.download.json", "s1.mp4"]
    assert not (tmp_path / "out" / ".parts" / "s1").exists()


def test_completed_file_is_not_fetched_again_and_a_changed_one_is(
    server: Loopback, get: Any, video: bytes
) -> None:
    server.routes["/good.mp4"] = lambda request, _: request.serve(video)
    first = get("/good.mp4")
    asked = len(server.seen)
    again = get("/good.mp4")
    assert (again.attempts, len(server.seen)) == (0, asked)
    assert dataclasses.replace(again, attempts=1) == first
    first.path.write_bytes(video[:-1] + b"x")
    assert get("/good.mp4").path.read_bytes() == video
    assert len(server.seen) > asked


@pytest.mark.parametrize(
    ("status", "reason"),
    [(403, "private"), (401, "private"), (404, "gone"), (410, "gone"), (451, "geo")],
)
def test_final_answers_are_asked_for_once(
    server: Loopback, get: Any, tmp_path: Path, status: int, reason: str
) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.answer(status, b"no", "text/plain")
    with pytest.raises(ItemRejected) as caught:
        get("/x.mp4")
    assert caught.value.outcome.reason == reason
    assert str(status) in caught.value.outcome.detail
    assert len(server.seen) == 1
    assert left(tmp_path) == []


def test_media_that_answers_403_is_looked_up_again(
    server: Loopback, get: Any, video: bytes
) -> None:
    def expired(request: Any, count: int) -> None:
        if count == 2:
            request.answer(403, b"expired", "text/plain")
        else:
            request.serve(video)

    server.routes["/x.mp4"] = expired
    assert get("/x.mp4").attempts == 2


def test_429_waits_as_long_as_the_server_asks(
    server: Loopback, get: Any, video: bytes, tmp_path: Path
) -> None:
    def busy(request: Any, count: int) -> None:
        if count == 1:
            request.answer(429, b"slow down", "text/plain", Retry_After="41")
        else:
            request.serve(video)

    now = [1_000_000.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    server.routes["/x.mp4"] = busy
    polite = Politeness(tmp_path / "hosts", clock=lambda: now[0], sleep=sleep)
    assert get("/x.mp4", politeness=polite).attempts == 2
    assert sum(slept) == pytest.approx(41.0)


def test_429_with_a_long_wait_fails_for_now_and_pauses_the_host_for_all(
    server: Loopback, get: Any, tmp_path: Path
) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.answer(
        429, b"", "text/plain", Retry_After="86400"
    )
    for _ in range(2):
        with pytest.raises(ItemFailed) as caught:
            get("/x.mp4")
        assert caught.value.outcome.reason == "rate_limited"
    assert len(server.seen) == 1


def test_connection_reset_half_way_is_resumed_by_range(
    server: Loopback, get: Any, video: bytes
) -> None:
    half = len(video) // 2

    def broken(request: Any, _: int) -> None:
        if request.headers.get("Range"):
            request.serve(video)
        else:
            request.reset(video[:half], len(video))

    server.routes["/x.mp4"] = broken
    done = get("/x.mp4")
    assert done.path.read_bytes() == video
    starts = [int(held[6:-1]) for held in server.ranges("/x.mp4") if held]
    assert starts and 0 < starts[0] <= half


def test_a_second_call_resumes_what_the_first_left(
    server: Loopback, get: Any, video: bytes, tmp_path: Path
) -> None:
    half = len(video) // 2
    server.routes["/x.mp4"] = lambda request, _: request.reset(video[:half], len(video))
    once = dataclasses.replace(QUICK, attempts=1, resumptions=0)
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4", once)
    assert caught.value.outcome.reason == "network"
    assert left(tmp_path) == []
    server.seen.clear()
    server.routes["/x.mp4"] = lambda request, _: request.serve(video)
    assert get("/x.mp4").path.read_bytes() == video
    assert any(held for held in server.ranges("/x.mp4"))


@pytest.mark.parametrize("kind", ["video/mp4", "text/html"])
def test_html_named_mp4_is_not_a_video(
    server: Loopback, get: Any, tmp_path: Path, kind: str
) -> None:
    page = b"<!doctype html><html><title>Hello</title><body>no video</body></html>" * 20
    server.routes["/page.mp4"] = lambda request, _: request.serve(page, kind)
    with pytest.raises(ItemRejected) as caught:
        get("/page.mp4")
    assert caught.value.outcome.reason == "not_a_video"
    assert left(tmp_path) == []


def test_wrong_length_is_tried_again_and_never_counts(
    server: Loopback, get: Any, video: bytes, tmp_path: Path
) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.answer(200, video, length=len(video) + 999)
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4")
    assert caught.value.outcome.reason == "network"
    assert "attempt 3" in caught.value.outcome.detail
    assert left(tmp_path) == []


def test_redirect_loop_is_a_network_failure_at_once(server: Loopback, get: Any) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.answer(
        302, b"", "text/plain", Location=server.url("/x.mp4")
    )
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4")
    assert caught.value.outcome.reason == "network"
    assert "attempt 1" in caught.value.outcome.detail


def test_zero_bytes_is_an_empty_file(server: Loopback, get: Any, tmp_path: Path) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.answer(200, b"")
    with pytest.raises(ItemRejected) as caught:
        get("/x.mp4")
    assert caught.value.outcome.reason == "empty_file"
    assert left(tmp_path) == []


def test_a_server_that_falls_silent_is_a_network_failure(
    server: Loopback, get: Any, video: bytes
) -> None:
    def silent(request: Any, _: int) -> None:
        request.answer(200, video[:2000], length=len(video))
        server.release.wait(5)

    server.routes["/x.mp4"] = silent
    impatient = dataclasses.replace(QUICK, attempts=1, resumptions=0, timeout_seconds=0.3)
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4", impatient)
    assert caught.value.outcome.reason == "network"


def test_time_limit_of_one_attempt(server: Loopback, get: Any, video: bytes) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.serve(video)
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4", dataclasses.replace(QUICK, longest_minutes=0.0))
    assert caught.value.outcome.reason == "timeout"


def test_server_errors_pass(server: Loopback, get: Any, video: bytes) -> None:
    def shaky(request: Any, count: int) -> None:
        if count == 1:
            request.answer(503, b"", "text/plain")
        else:
            request.serve(video)

    server.routes["/x.mp4"] = shaky
    assert get("/x.mp4").attempts == 2


def test_bot_check_stops_the_host(server: Loopback, get: Any, video: bytes) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.answer(
        403, b"<title>Just a moment...</title>", "text/html", cf_mitigated="challenge"
    )
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4")
    assert caught.value.outcome.reason == "bot_check"
    server.routes["/good.mp4"] = lambda request, _: request.serve(video)
    asked = len(server.seen)
    with pytest.raises(ItemFailed) as caught:
        get("/good.mp4")
    assert caught.value.outcome.reason == "host_stopped"
    assert len(server.seen) == asked


def manifest(languages: list[str]) -> bytes:
    """A DASH manifest with one picture and one sound file for each language."""
    sounds = "".join(
        f'<AdaptationSet contentType="audio" mimeType="audio/mp4" lang="{tag}">'
        f'<Representation id="a-{tag}" bandwidth="64000" codecs="mp4a.40.2" '
        'audioSamplingRate="16000"><BaseURL>sound.m4a</BaseURL></Representation></AdaptationSet>'
        for tag in languages
    )
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT2S"><Period duration="PT2S">'
        '<AdaptationSet contentType="video" mimeType="video/mp4"><Representation id="v" '
        'bandwidth="800000" codecs="avc1.42c00c" width="160" height="120">'
        f"<BaseURL>picture.mp4</BaseURL></Representation></AdaptationSet>{sounds}"
        "</Period></MPD>"
    ).encode()


def serve_streams(server: Loopback, tmp_path: Path, languages: list[str]) -> None:
    picture = make_video(tmp_path / "picture.mp4", sound=False).read_bytes()
    sound = make_video(tmp_path / "sound.m4a", picture=False).read_bytes()
    server.routes |= {
        "/all.mpd": lambda request, _: request.serve(manifest(languages), "application/dash+xml"),
        "/picture.mp4": lambda request, _: request.serve(picture),
        "/sound.m4a": lambda request, _: request.serve(sound, "audio/mp4"),
    }


def test_picture_and_sound_are_merged_into_one_mp4(
    server: Loopback, get: Any, tmp_path: Path
) -> None:
    serve_streams(server, tmp_path, ["en"])
    done = get("/all.mpd")
    found = probe(done.path)
    assert done.path.suffix == ".mp4"
    assert (found.width, found.height) == (160, 120)
    assert found.audio_codec == "aac"
    assert done.audio_track == "en"
    assert left(tmp_path) == ["s1.download.json", "s1.mp4"]


def test_several_sound_tracks_without_an_original_are_refused_before_any_is_fetched(
    server: Loopback, get: Any, tmp_path: Path
) -> None:
    serve_streams(server, tmp_path, ["en", "de"])
    with pytest.raises(ItemRejected) as caught:
        get("/all.mpd")
    assert caught.value.outcome.reason == "dubbed_audio"
    assert not server.ranges("/picture.mp4")


def sound(tag: str | None, preference: int = -1, note: str = "", **more: Any) -> dict[str, Any]:
    base = {"format_id": f"a-{tag}-{preference}", "vcodec": "none", "acodec": "mp4a.40.2"}
    return {
        **base,
        "ext": "m4a",
        "language": tag,
        "language_preference": preference,
        "format_note": note,
        **more,
    }


def picture(height: int, **more: Any) -> dict[str, Any]:
    base = {"format_id": f"v{height}", "vcodec": "avc1", "acodec": "none", "ext": "mp4"}
    return {**base, "width": height * 16 // 9, "height": height, **more}


def chosen_ids(formats: list[dict[str, Any]], **bounds: int) -> list[str]:
    return [item["format_id"] for item in choose(formats, **{"max_height": 1080, **bounds})]


def test_the_original_track_wins_over_the_default_dub() -> None:
    tracks = [sound("fr", -1), sound("de", 10), sound("en", 5, "English (default)")]
    assert chosen_ids([*tracks, picture(1080)]) == ["v1080", "a-de-10"]
    noted = [sound("fr"), sound("ja", 5, "Japanese original (default)")]
    assert chosen_ids([*noted, picture(720)]) == ["v720", "a-ja-5"]


@pytest.mark.parametrize(
    "tracks",
    [
        [sound("en", 5, "English (default)"), sound("de", -1)],
        [sound("es", -1, "Spanish dubbed-auto")],
    ],
)
def test_a_default_track_is_no_proof_of_an_original(tracks: list[dict[str, Any]]) -> None:
    with pytest.raises(ItemRejected) as caught:
        choose([*tracks, picture(720)], 1080)
    assert caught.value.outcome.reason == "dubbed_audio"


def test_descriptions_for_the_blind_are_no_second_track() -> None:
    tracks = [sound("en-desc", -10, "English descriptive"), sound("en", -1)]
    assert chosen_ids([*tracks, picture(720)]) == ["v720", "a-en--1"]


def test_single_files_with_another_track_are_not_taken() -> None:
    both = picture(720, acodec="mp4a", format_id="both", language="en", language_preference=5)
    formats = [both, sound("de", 10), sound("en", 5), picture(360)]
    assert chosen_ids(formats) == ["v360", "a-de-10"]


def test_bounds_on_lines_hold_for_upright_video_too() -> None:
    upright = {**picture(1920), "width": 1080, "format_id": "upright"}
    assert chosen_ids([sound(None), upright, picture(1440)]) == ["upright", "a-None--1"]
    assert chosen_ids([sound(None), picture(1440)]) == []
    with pytest.raises(ItemRejected) as caught:
        choose([sound(None), picture(480)], 1080, 720)
    assert caught.value.outcome.reason == "low_resolution"
    with pytest.raises(ItemRejected) as caught:
        choose([sound("en")], 1080)
    assert caught.value.outcome.reason == "not_a_video"


def test_a_full_disk_stops_the_run_and_fails_no_item(
    server: Loopback, get: Any, video: bytes, tmp_path: Path
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    server.routes["/x.mp4"] = lambda request, _: request.serve(video)
    parts = tmp_path / "out" / ".parts" / "s1"
    parts.mkdir(parents=True)
    (parts / "media.mp4.mp4.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull, match="free some space"):
        get("/x.mp4")
    assert left(tmp_path) == []


def test_too_long_and_live_are_refused_by_what_the_site_says(server: Loopback, get: Any) -> None:
    body = manifest(["en"]).replace(b"PT2S", b"PT3H")
    server.routes["/all.mpd"] = lambda request, _: request.serve(body, "application/dash+xml")
    live = body.replace(b'type="static"', b'type="dynamic"')
    server.routes["/live.mpd"] = lambda request, _: request.serve(live, "application/dash+xml")
    with pytest.raises(ItemRejected) as caught:
        get("/live.mpd")
    assert caught.value.outcome.reason == "live"


def test_offline_forbids_every_host_but_this_machine(tmp_path: Path) -> None:
    with pytest.raises(ItemFailed) as caught:
        fetch(
            "https://www.youtube.com/watch?v=aaaaaaaaaaa",
            tmp_path,
            "s1",
            probe=probe,
            politeness=Politeness(tmp_path / "hosts"),
        )
    assert caught.value.outcome.reason == "network"
    assert "TFW_OFFLINE" in caught.value.outcome.detail


def test_offline_holds_for_redirects_out_of_this_machine(server: Loopback, get: Any) -> None:
    server.routes["/x.mp4"] = lambda request, _: request.answer(
        302, b"", "text/plain", Location="http://192.0.2.1/video.mp4"
    )
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4", dataclasses.replace(QUICK, attempts=1, timeout_seconds=1))
    assert caught.value.outcome.reason == "network"


def test_hostile_names_cannot_name_a_download(tmp_path: Path) -> None:
    for name in ("../s1", "-s1", "", "a/b", "s1.mp4"):
        with pytest.raises(ValueError, match="cannot name"):
            fetch("http://127.0.0.1/x.mp4", tmp_path, name, probe=probe)


def test_cookies_are_sent_read_only_and_appear_nowhere(
    server: Loopback,
    get: Any,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    cookies = tmp_path / "my-cookies.txt"
    text = (
        "# Netscape HTTP Cookie File\n"
        "127.0.0.1\tFALSE\t/\tFALSE\t4102444800\tsession\tverysecretvalue\n"
    )
    cookies.write_text(text)
    access = Access(cookies=cookies, proxy=None)
    server.routes["/x.mp4"] = lambda request, _: request.answer(
        404, b"", "text/plain", Set_Cookie="fresh=changed"
    )
    caplog.set_level(logging.DEBUG, "talkingface_wild")
    with pytest.raises(ItemRejected) as caught:
        get("/x.mp4", access=access)
    assert "session=verysecretvalue" in server.headers_seen[0]["Cookie"]
    assert cookies.read_text() == text
    captured = capfd.readouterr()
    shown = [str(caught.value), caplog.text, captured.out, captured.err, repr(access)]
    shown += [item.read_text() for item in tmp_path.rglob("*.json")]
    assert not [words for words in shown if "verysecret" in words or "my-cookies" in words]
    assert (captured.out, captured.err) == ("", "")


def test_proxy_and_its_login_appear_in_no_message(server: Loopback, get: Any) -> None:
    server.server_close()
    proxy = f"http://someone:hushhush@127.0.0.1:{server.server_address[1]}"
    with pytest.raises(ItemFailed) as caught:
        get("/x.mp4", dataclasses.replace(QUICK, attempts=1), access=Access(proxy=proxy))
    assert caught.value.outcome.reason == "network"
    assert "hushhush" not in str(caught.value)
    assert "someone" not in str(caught.value)
    cleaned = Access(proxy=proxy).clean(f"could not reach {proxy} with hushhush")
    assert "hush" not in cleaned


def test_unreadable_cookies_are_a_usage_error_that_does_not_name_them(
    get: Any, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        get("/x.mp4", access=Access(cookies=tmp_path / "absent.txt"))
    assert "absent" not in str(caught.value)


def test_yt_dlp_runs_without_configuration_plugins_or_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    plugin = home / ".config" / "yt-dlp" / "plugins" / "bad" / "yt_dlp_plugins" / "extractor"
    plugin.mkdir(parents=True)
    trace = tmp_path / "trace"
    (plugin / "bad.py").write_text(f"open({str(trace)!r}, 'w').write('loaded')\n")
    (home / ".config" / "yt-dlp" / "config").write_text("--exec 'touch /nowhere'\n--proxy x:1\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    from yt_dlp.globals import all_plugins_loaded

    monkeypatch.setattr(all_plugins_loaded, "value", False)
    access = Access()
    with open_session("127.0.0.1", access, Listener(access), {}) as session:
        assert session.params.get("proxy") == ""
        assert not any(session._pps.values())
    assert not trace.exists()


MESSAGES = [
    ("Private video. Sign in if you've been granted access to this video. Use --cookies", "private"),
    ("Video unavailable. This video is private", "private"),
    ("Join this channel to get access to members-only content like this video", "private"),
    ("This video is available to this channel's members on level: Gold (or any higher level)", "private"),
    ("This video is only available to Music Premium members", "private"),
    ("This video requires payment to watch", "private"),
    ("Video unavailable", "gone"),
    ("Video unavailable. This video has been removed by the uploader", "gone"),
    ("This video has been removed for violating YouTube's Terms of Service", "gone"),
    ("Video unavailable. This video is no longer available because the YouTube account associated with this video has been terminated.", "gone"),
    ("Video unavailable. This video is not available", "gone"),
    ("This content isn’t available.", "gone"),
    ("Unable to download webpage: HTTP Error 404: Not Found", "gone"),
    ("Unable to download JSON metadata: HTTP Error 410: Gone", "gone"),
    ("Sign in to confirm your age. This video may be inappropriate for some users. Use --cookies-from-browser or --cookies for the authentication.", "age"),
    ("This video is age-restricted and only available on YouTube", "age"),
    ("Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the authentication.", "bot_check"),
    ("Sign in to confirm you're not a bot", "bot_check"),
    ("Got HTTP Error 403 caused by Cloudflare anti-bot challenge; see https://x", "bot_check"),
    ("Please sign in. YouTube is requiring a captcha challenge before playback", "bot_check"),
    ("All player responses are invalid. Your IP is likely being blocked by Youtube", "bot_check"),
    ("The uploader has not made this video available in your country\nThis video is available in Japan.\nYou might want to use a VPN or a proxy server (with --proxy) to workaround.", "geo"),
    ("Video unavailable. This video contains content from SME, who has blocked it in your country on copyright grounds", "geo"),
    ("This video is not available from your location due to geo restriction", "geo"),
    ("Video unavailable. This content isn't available, try again later. The current session has been rate-limited by YouTube for up to an hour.", "rate_limited"),
    ("Unable to download webpage: HTTP Error 429: Too Many Requests", "rate_limited"),
    ("This live event will begin in 3 hours.", "live"),
    ("Premieres in 20 hours", "live"),
    ("The channel is not currently live", "live"),
    ("This live stream recording is not available.", "live"),
    ("Requested format is not available. Use --list-formats for a list of available formats", "no_format"),
    ("No video formats found!", "no_format"),
    ("This video is DRM protected", "no_format"),
    ("Unsupported URL: https://example.org/page", "not_a_video"),
    ("Did not get any data blocks", "empty_file"),
    ("unable to download video data: HTTP Error 403: Forbidden", "network"),
    ("Unable to download webpage: HTTP Error 502: Bad Gateway", "network"),
    ("Unable to download API page: [Errno -3] Temporary failure in name resolution", "network"),
    ("Unable to download webpage: The read operation timed out", "network"),
    ("[download] Got error: 4096 bytes read, 1000 more expected. Giving up after 3 retries", "network"),
    ("unable to download video data: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "network"),
    ("content too short (expected 100 bytes and served 50)", "network"),
    ("Unable to extract uploader id; please report this issue on https://github.com", "crash"),
]  # fmt: skip


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


def test_retry_after_is_read_as_seconds_and_as_a_date(server: Loopback) -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    for value, low, high in (("17", 17, 17), (moment, 80, 91), ("soon", None, None)):
        server.routes["/x"] = lambda request, _, value=value: request.answer(
            429, b"", "text/plain", Retry_After=value
        )
        with open_session("127.0.0.1", Access(), Listener(Access()), {}) as session:
            with pytest.raises(Exception) as caught:
                session.extract_info(server.url("/x"), download=False)
        seconds = taxonomy.rule(caught.value).retry_after_seconds
        assert seconds is None if low is None else low <= seconds <= high


def test_missing_formats_of_this_machine_are_no_rejection() -> None:
    assert taxonomy.is_crippled(["n challenge solving failed: Some formats may be missing."])
    assert taxonomy.is_crippled(["No supported JavaScript runtime could be found."])
    assert not taxonomy.is_crippled(["Falling back on generic information extractor"])
