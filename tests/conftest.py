"""Fixtures that several test folders share: where the real clips, weights and goldens lie."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
collect_ignore = ["plug_in"]
"""A package of its own, whose test runs where it is installed: see ``test_plug_in.py``."""

# Pages are as wide as $COLUMNS says; test runners set it for programs of theirs.
os.environ.pop("COLUMNS", None)

# Whoever runs the tests in the background (nohup, a script's &) has these ignored, and programs
# that the tests start would keep that: a stop would then never come to them.
for _number, _handler in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, _handler)


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if folder.is_dir():
        return folder
    message = f"{folder} is absent: set {variable} to the folder that holds it"
    if os.environ.get("TFW_REQUIRE_SHARED") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real clips (media/), detectors (weights/) and their labels."""
    return _folder("TFW_SHARED", ROOT.parent / "shared")


@pytest.fixture(scope="session")
def goldens() -> Path:
    """The folder with the reference networks' outputs, filler.py and state_dicts/."""
    return _folder("TFW_GOLDENS", ROOT.parent / "shared" / "goldens")


@pytest.fixture(scope="session")
def demo_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``make demo`` leaves, made once for all tests; a test that changes it copies it first.

    TFW_DEMO names a folder that holds one already.
    """
    ready = os.environ.get("TFW_DEMO")
    if ready:
        return Path(ready)
    from tests.pipelines.curated import tfw

    out = tmp_path_factory.mktemp("demo") / "demo_out"
    words = ("curate", "--langs", "all", "--recipe", "demo", "--engine", "local", "--out", out)
    code, _, said = tfw(*map(str, words))
    assert code == 0, said
    return out


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reaches the network or the user's own weights."""
    monkeypatch.setenv("TFW_OFFLINE", "1")
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path_factory.getbasetemp() / "weights"))


@pytest.fixture(autouse=True)
def _quiet_log() -> Iterator[None]:
    """A test that ran the command line leaves no handler behind for the next one."""
    yield
    logger = logging.getLogger("talkingface_wild")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)
    logger.propagate = True
