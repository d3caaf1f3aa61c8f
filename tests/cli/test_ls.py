"""``tfw ls`` at the command line: what a person sees, and what a pipe gets."""

import csv
import io
import json
import os
import pty
import subprocess
import sys

import pytest
from rich.cells import cell_len

from talkingface_wild.cli.main import run
from talkingface_wild.jobs.ls import LsRequest
from talkingface_wild.jobs.ls import ls as list_clips
from talkingface_wild.jobs.ls_text import aligned
from tests.dataset.fixture import Take, Video, make_data_set
from tests.pipelines.curated import environment


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return make_data_set(tmp_path_factory.mktemp("listed") / "out").out


def test_a_pipe_gets_whole_ids_and_names_with_tabs_that_cut_understands(out, capsys):
    assert run(["ls", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split("\t") for line in lines]
    assert {len(row) for row in rows} == {6}
    assert [row[1] for row in rows][:2] == ["one.mp4 0.0–10.0", "one.mp4 10.0–20.0"]
    for row in rows:
        assert run(["why", str(out), row[0], "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["data"]["item"] == row[0]


def test_csv_has_a_header_and_json_the_rows(out, capsys):
    assert run(["ls", str(out), "--rejected", "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["reason"] for row in rows} == {
        "too_short",
        "little_speech",
        "low_quality",
        "no_audio",
    }
    assert run(["ls", str(out), "--all", "--json", "--limit", "2"]) == 0
    data = json.loads(capsys.readouterr().out)["data"]
    assert (len(data["rows"]), data["matching"], data["total"]) == (2, 13, 13)


def test_flags_add_up_and_wrong_ones_are_2_and_no_data_set_is_5(out, tmp_path, capsys):
    assert run(["ls", str(out), "--failed", "--rejected"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
    assert run(["ls", str(out), "--where", "quality_crop_men > 3"]) == 2
    assert "did you mean 'quality_crop_mean'" in capsys.readouterr().err
    assert run(["ls", str(out), "--csv", "--json"]) == 2
    assert run(["ls", str(tmp_path)]) == 5


def test_lines_fit_into_80_cells_and_only_names_are_cut_in_the_middle(tmp_path):
    long = "en/a_very_long_name_of_a_recording_that_no_window_has_room_for_take_17.mp4"
    wide = "ja/とても長い名前の動画ファイルでどのウィンドウにも入りきらないもの第十七回目の録画.mp4"
    made = make_data_set(
        tmp_path / "out",
        [Video(long, "en", [Take(0, 9)]), Video(wide, "ja", [Take(0, 9), Take(9, 11)])],
    )
    listed = list_clips(LsRequest(out=made.out, every=True))
    lines = aligned(listed, 80).splitlines()
    assert all(cell_len(line) <= 80 for line in lines)
    assert lines[0].split()[:2] == ["id", "name"]
    for line, row in zip(lines[1:], listed.rows, strict=True):
        assert line.startswith(row["id"][: listed.id_length] + " ")
        assert "…" in line
        assert row["name"].rsplit(" ", 1)[1] in line


def test_a_terminal_sees_a_header_short_ids_and_a_count(out):
    """A real terminal of 80 columns."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "talkingface_wild.cli.main", "ls", str(out)],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env={**environment(), "COLUMNS": "80"},
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(leader)
    assert process.wait() == 0
    lines = shown.decode().replace("\r", "").splitlines()
    assert lines[0].split() == ["id", "name", "language", "seconds", "state"]
    assert len(lines) == 1 + 7 + 1
    assert all(len(line.split()[0]) == 8 for line in lines[1:-1])
    assert lines[-1].startswith("7 of 13, 1 min 03 s")


def test_a_name_cannot_command_the_terminal_or_break_a_line(tmp_path, capsys):
    made = make_data_set(tmp_path / "out", [Video("a\x1b[2J\nb\t.mp4", "en", [Take(0, 9)])])
    assert run(["ls", str(made.out)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert "\x1b" not in line
    assert line.split("\t")[1] == "a�[2J�b�.mp4 0.0–9.0"
