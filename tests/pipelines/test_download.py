"""The real yt-dlp against a real server on this machine that misbehaves on demand."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talkingface_wild.core.errors import DiskFull
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.container_probe import probe
from talkingface_wild.pipelines.download.politeness import Politeness
from talkingface_wild.pipelines.download.video_download import Downloaded, fetch
from talkingface_wild.pipelines.download.ytdlp_options import DownloadOptions
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


def test_live_is_refused(server: Loopback, get: Any) -> None:
    live = manifest(["en"]).replace(b'type="static"', b'type="dynamic"')
    server.routes["/live.mpd"] = lambda request, _: request.serve(live, "application/dash+xml")
    with pytest.raises(ItemRejected) as caught:
        get("/live.mpd")
    assert caught.value.outcome.reason == "live"
    assert len(server.seen) == 1


def test_too_long_is_refused_before_it_is_fetched(server: Loopback, get: Any, video: bytes) -> None:
    about = {
        "@context": "https://schema.org",
        "@type": "VideoObject",
        "name": "A\u202etalk\n of three hours",
        "duration": "PT3H",
        "contentUrl": server.url("/talk.mp4"),
    }
    page = f'<html><script type="application/ld+json">{json.dumps(about)}</script></html>'
    server.routes["/talk"] = lambda request, _: request.serve(page.encode(), "text/html")
    server.routes["/talk.mp4"] = lambda request, _: request.serve(video)
    with pytest.raises(ItemRejected) as caught:
        get("/talk")
    assert caught.value.outcome.reason == "too_long"
    assert len(server.ranges("/talk.mp4")) == 1, "its address is looked up, its data are not"
    done = get("/talk", dataclasses.replace(QUICK, max_minutes=0))
    assert done.title == "A talk of three hours"


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


def test_hostile_names_cannot_name_a_download(tmp_path: Path) -> None:
    for name in ("../s1", "-s1", "", "a/b", "s1.mp4"):
        with pytest.raises(ValueError, match="cannot name"):
            fetch("http://127.0.0.1/x.mp4", tmp_path, name, probe=probe)
