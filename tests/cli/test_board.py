"""The one board of all verbs: it fits its window, and in a pipe it is a plain line."""

import io
import re

import pytest
from rich.console import Console

from talkingface_wild.cli import board as module
from talkingface_wild.cli.board import Board
from talkingface_wild.cli.output import Output
from talkingface_wild.core.reporter import ProgressRow, Snapshot
from talkingface_wild.pages.terminal.progress_view import drawn, plain_line, time_left

ROWS = (
    ProgressRow("download", 18, 18),
    ProgressRow("probe", 12345, 18_000, note="1204 rejected, 12 failed"),
    ProgressRow("shots", 3, 18, approximate=True),
    ProgressRow("quality", 0, 0, skipped=True, note="not measured"),
    ProgressRow("identities", 0, 1),
)
SNAPSHOT = Snapshot("18000 sources", ROWS, 75.0, 7500.0)


def _screen(width: int, height: int = 30, **settings) -> list[str]:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, **settings)
    console.print(drawn(SNAPSHOT, width, height))
    return stream.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 30, 40, 60, 80, 200])
def test_no_line_is_longer_than_the_window_and_no_number_is_cut(width):
    """At 20 columns 37/1000 read 37/100; at 40 a stage that is not measured did not say so."""
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in _screen(width)]
    assert max(map(len, lines)) <= width
    assert len(lines) == 1 + len(ROWS)
    for row, line in zip(ROWS, lines[1:], strict=True):
        assert line.startswith(row.name[:6])
        assert row.count in line.split() or row.skipped
        assert "not measur" in line or not row.skipped
    assert "2 h 5 min" in lines[0]


def test_rows_keep_the_order_of_the_plan_and_bars_their_shares():
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in _screen(80)]
    assert [line.split()[0] for line in lines[1:]] == [row.name for row in ROWS]
    full, part = lines[1].count("█"), lines[2].count("█")
    assert full > 10 and part == int(full * 12345 / 18_000)
    assert "~18" in lines[3] and lines[4].split() == ["quality", "–", "not", "measured"]


def test_a_narrow_window_says_in_the_bars_place_what_is_not_measured():
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in _screen(40)]
    assert lines[4].split() == ["quality", "–", "not", "measured"]
    assert "█" in lines[1]


def test_a_low_window_shows_what_is_not_over():
    lines = _screen(80, height=5)
    assert len(lines) == 4 and not any("download" in line for line in lines)


def test_no_color_is_respected(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[(\d+;)*3\d", "\n".join(_screen(80)))


def test_in_a_pipe_it_is_a_plain_line_every_ten_seconds(capsys):
    now = [0.0]
    with Board(Output("curate", False), clock=lambda: now[0]) as board:
        for second in range(25):
            now[0] = float(second)
            board.progress(lambda: SNAPSHOT)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [plain_line(SNAPSHOT)] * 2
    assert lines[0] == (
        "[75 s] probe 12345/18000 (1204 rejected, 12 failed), shots 3/~18, about 2 h 5 min to go"
    )
    assert module.LINE_EVERY_SECONDS == 10.0


@pytest.mark.parametrize("seconds", [float("nan"), float("inf"), None])
def test_a_time_that_is_no_number_is_left_out(seconds):
    """Rounding it raised, and took the board down with it."""
    assert time_left(Snapshot("18 sources", ROWS, 75.0, seconds)) == ""
