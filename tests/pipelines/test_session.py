"""Cookies, proxy and yt-dlp's own configuration: used as told, and seen nowhere."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.container_probe import probe
from talkingface_wild.pipelines.download.politeness import Politeness
from talkingface_wild.pipelines.download.session import Listener, open_session
from talkingface_wild.pipelines.download.video_download import Downloaded, fetch
from talkingface_wild.pipelines.download.ytdlp_options import Access, DownloadOptions
from tests.pipelines.loopback import Loopback, serving

QUICK = DownloadOptions(attempts=3, resumptions=2, pause_seconds=0.02, timeout_seconds=5)


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
