"""``tfw curate`` as a person runs it: at a terminal, with a keyboard, in a window that can close.

Each of these hung, or showed a traceback, or lost work, while every test ran in a pipe: a stage's
library started ffmpeg with the terminal as its input, and the kernel stopped the Ray workers.
"""

import re
import shutil
import time
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.pipelines.curated import clips_of, tfw, verdicts_of
from tests.terminal.screen import COLOUR, CTRL_C, tfw_in_terminal

TWO = ("curate", "--langs", "de,fr", "--recipe", "demo")
ALL = ("curate", "--langs", "all", "--recipe", "demo")
TEN = {"ar", "de", "en", "es", "fr", "hi", "ja", "ko", "ru", "zh"}
PATHS = ["source_path"]
ENGINES = [pytest.param("ray", marks=pytest.mark.long), "local"]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """A folder that has made its sources already, and has not begun to work on them."""
    out = tmp_path_factory.mktemp("terminal") / "corpus"
    terminal = tfw_in_terminal(*TWO, "--engine", "local", "--out", out)
    terminal.wait_for(lambda: results(out), 300)
    terminal.kill()
    for name in ("journal", "work", "commits", "media", "store"):
        shutil.rmtree(out / name, ignore_errors=True)
    return out


@pytest.fixture(scope="module")
def reference(corpus, tmp_path_factory) -> Path:
    """The same set, made in a pipe without a stop."""
    out = tmp_path_factory.mktemp("reference") / "set"
    shutil.copytree(corpus, out, symlinks=True)
    code, _, stderr = tfw(*TWO, "--engine", "local", "--out", out)
    assert code == 0, stderr
    return out


@pytest.fixture
def out(corpus, tmp_path) -> Path:
    shutil.copytree(corpus, tmp_path / "set", symlinks=True)
    return tmp_path / "set"


def results(out: Path) -> int:
    """Results in the journal so far."""
    return sum(len(log.read_bytes().splitlines()) for log in (out / "journal" / "logs").glob("*"))


def in_hand(out: Path) -> bool:
    """Whether a worker has an item in hand."""
    markers = (out / "work" / "inflight").glob("*.txt")
    return any(marker.stat().st_size for marker in markers)


def calm(terminal) -> None:
    """Nothing that only a programmer reads came to the screen."""
    for word in (
        "Traceback",
        "ray::",
        "RayActorError",
        "Exception in thread",
        "[36m(",
        "raylet",
        "SIGTERM",
    ):
        assert word not in terminal.raw, terminal.text[-3000:]


@pytest.mark.long
def test_the_demo_ends_at_a_terminal_on_ray(tmp_path):
    """The default engine hung here, every time."""
    terminal = tfw_in_terminal(*ALL, "--out", tmp_path / "demo")
    assert terminal.wait(900) == 0
    calm(terminal)
    assert "Funnel" in terminal.text and "commit 1" in terminal.text
    assert "Nothing finished" not in terminal.text
    assert set(clips_of(tmp_path / "demo")["language"]) == TEN


@pytest.mark.long
def test_the_demo_on_the_local_engine_with_stdout_in_a_pipe(tmp_path):
    page = tmp_path / "page.txt"
    terminal = tfw_in_terminal(*ALL, "--engine", "local", "--out", tmp_path / "demo", into=page)
    assert terminal.wait(900) == 0
    calm(terminal)
    assert "\x1b" not in page.read_text() and "Funnel" in page.read_text()
    assert "Funnel" not in terminal.text
    assert set(clips_of(tmp_path / "demo")["language"]) == TEN


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_one_ctrl_c_finishes_what_is_in_flight_and_the_same_command_goes_on(engine, out, reference):
    terminal = tfw_in_terminal(*TWO, "--engine", engine, "--out", out)
    terminal.wait_for(lambda: results(out) >= 2 and in_hand(out), 300)
    terminal.type(CTRL_C)
    assert terminal.wait(90) == 130
    calm(terminal)
    assert "Stopping: finishing what is in flight" in terminal.text
    # What was in flight came to its end: Ctrl-C at a terminal reaches every process of the
    # foreground, and an ffmpeg that takes it as well fails its clip as "crash".
    assert not any(reasons & {"crash"} for reasons in verdicts_of(out).values())
    assert f"--out {out}" in terminal.text.replace("\n", "")
    code, _, stderr = tfw(*TWO, "--engine", "local", "--out", out)
    assert code == 0, stderr
    assert clips_of(out).drop(columns=PATHS).equals(clips_of(reference).drop(columns=PATHS))


@pytest.mark.parametrize("engine", ENGINES)
def test_the_second_ctrl_c_ends_at_once(engine, out):
    terminal = tfw_in_terminal(*TWO, "--engine", engine, "--out", out)
    terminal.wait_for(lambda: results(out) >= 2 and in_hand(out), 300)
    terminal.type(CTRL_C)
    terminal.wait_for(lambda: "Stopping" in terminal.text, 20)
    terminal.type(CTRL_C)
    began = time.monotonic()
    assert terminal.wait(30) == 130
    assert time.monotonic() - began < 10
    calm(terminal)
    assert "go on with: tfw curate" in " ".join(terminal.text.lower().split())


@pytest.mark.long
def test_ctrl_c_while_ray_starts_ends_at_once(out):
    terminal = tfw_in_terminal(*TWO, "--engine", "ray", "--out", out)
    terminal.wait_for(lambda: (out / "work").is_dir() or "sources" in terminal.text, 120)
    time.sleep(1.5)
    terminal.type(CTRL_C)
    began = time.monotonic()
    assert terminal.wait(60) == 130
    assert time.monotonic() - began < 20
    calm(terminal)


@pytest.mark.long
@pytest.mark.parametrize("engine", ENGINES)
def test_a_closed_terminal_finishes_what_is_in_flight(engine, out, reference):
    terminal = tfw_in_terminal(*TWO, "--engine", engine, "--out", out)
    terminal.wait_for(lambda: results(out) >= 2 and in_hand(out), 300)
    terminal.hang_up()
    assert terminal.process.wait(120) == 130
    assert not any(reasons & {"crash"} for reasons in verdicts_of(out).values())
    code, _, stderr = tfw(*TWO, "--engine", "local", "--out", out)
    assert code == 0, stderr
    assert clips_of(out).drop(columns=PATHS).equals(clips_of(reference).drop(columns=PATHS))


@pytest.mark.parametrize(
    ("columns", "colour"), [pytest.param(80, False, marks=pytest.mark.long), (40, True)]
)
def test_nothing_is_wider_than_the_window(columns, colour, out):
    more = {} if colour else {"NO_COLOR": "1"}
    terminal = tfw_in_terminal(*TWO, "--engine", "local", "--out", out, columns=columns, more=more)
    assert terminal.wait(600) == 0
    calm(terminal)
    for line in re.split(r"[\r\n]+", terminal.text):
        # A path is never broken; whatever else is printed fits.
        if "/" not in line:
            assert cell_len(line.rstrip()) <= columns, line
    if not colour:
        assert not COLOUR.search(terminal.raw)
