"""What is logged holds no secrets, and goes to stderr."""

import logging

import pytest

from talkingface_wild.core.log import LOGGER, redact, talk_to_stderr


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ("proxy http://me:pa55@proxy.example:8080 refused", ["me", "pa55"]),
        ("socks5://me:p@55@proxy.example", ["p@55", "55"]),
        ("https://token@host.example/x", ["token@"]),
        ("Cookie: SID=abc123; HSID=def456", ["abc123", "def456"]),
        ("Authorization: Bearer abc.def.ghi", ["abc.def.ghi", "Bearer"]),
        ("set-cookie: a=b1c2; path=/", ["b1c2"]),
        ("password=hunter2 next", ["hunter2"]),
        ("access_token: xyz987", ["xyz987"]),
        ('{"token": "xyz987"}', ["xyz987"]),
        ("api_key=k3y", ["k3y"]),
    ],
)
def test_secrets_are_taken_out(text, secrets):
    plain = redact(text)
    assert not [secret for secret in secrets if secret in plain]
    assert "…" in plain


@pytest.mark.parametrize(
    "text",
    [
        "https://host.example/@channel/videos?v=1",
        "reading /data/cookies.txt now",
        "see https://host.example:8443/a and mail me@host.example",
        "tfw train --set present.lip_tokens=2 --set present.token_width=32",
    ],
)
def test_what_is_no_secret_stays(text):
    assert redact(text) == text


def test_talk_goes_to_stderr_alone(capsys):
    before = (LOGGER.handlers[:], LOGGER.level, LOGGER.propagate)
    try:
        talk_to_stderr()
        LOGGER.warning("hello")
        LOGGER.debug("too much")
    finally:
        LOGGER.handlers[:], LOGGER.propagate = before[0], before[2]
        LOGGER.setLevel(before[1] or logging.NOTSET)
    assert capsys.readouterr() == ("", "hello\n")


def test_talk_goes_to_the_stderr_of_the_moment(capsys, monkeypatch):
    """A handler that kept the first stderr wrote into a closed file once that was replaced."""
    import io
    import sys

    from talkingface_wild.core import log

    first = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", first)
        log.talk_to_stderr()
    first.close()
    log.LOGGER.warning("still heard")
    assert capsys.readouterr().err == "still heard\n"
