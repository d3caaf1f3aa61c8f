"""``tfw curate --plan``: what it says of folders never seen, and that it leaves no trace."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from talkingface_wild.cli.main import run
from talkingface_wild.jobs.curate.plan import plan_run
from talkingface_wild.jobs.curate.request import CurateRequest
from talkingface_wild.pages.terminal.curation import plan_page


@pytest.fixture
def clips(shared, tmp_path):
    """Three real clips of 8.06, 8.06 and 11.96 s, a file that is none, one that is cut off."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for name in ("hdtf_hill.mp4", "hdtf_ocasio.mp4", "head_1.mp4"):
        (folder / name).symlink_to(shared / "media" / "clips" / name)
    (folder / "empty.mp4").touch()
    (folder / "cut.mp4").write_bytes((shared / "media/clips/hdtf_hill.mp4").read_bytes()[:5000])
    return folder


def _plan(out: Path, *sources: Path, **more) -> dict:
    names = tuple(str(source) for source in sources)
    return plan_run(
        CurateRequest(out=out, recipe="embedded", sources=names, engine="local", **more)
    )


def _page(plan: dict) -> str:
    """What a person reads, on lines of any length."""
    console = Console(file=io.StringIO(), width=300)
    console.print(plan_page(plan))
    return console.file.getvalue()


def _row(plan: dict, stage: str) -> dict:
    return next(row for row in plan["stages"] if row["stage"] == stage)


def test_a_folder_never_seen_is_counted_and_left_alone(clips, tmp_path):
    """It showed 18 rows of "0 / 0 / –"."""
    out = tmp_path / "out"
    before = sorted(tmp_path.rglob("*"))
    plan = _plan(out, clips)
    assert sorted(tmp_path.rglob("*")) == before
    assert (plan["sources"], plan["sources_new"], plan["files_unreadable"]) == (5, 5, 2)
    assert plan["video_seconds"] == pytest.approx(8.06 + 8.06 + 11.96, abs=0.1)
    assert _row(plan, "probe")["to_do"] == 5 and _row(plan, "probe")["done"] == 0
    assert _row(plan, "encode")["to_do"] >= 3
    assert 5.0 < plan["seconds_estimated"] < 120.0
    assert plan["disk_bytes"]["media"] > 1_000_000


@pytest.mark.long
def test_new_files_of_a_folder_that_was_seen_are_to_do(clips, shared, tmp_path, capsys):
    """With two new files it said "to do 0", and the run did two."""
    out = tmp_path / "out"
    words = ["curate", "--recipe", "embedded", "--engine", "local", "--out", str(out)]
    words += ["--sources", str(clips)]
    assert run(words) == 0
    assert _plan(out, clips)["seconds_estimated"] == 0.0
    for name in ("may.mp4", "head_2.mp4"):
        (clips / name).symlink_to(shared / "media" / "clips" / name)
    states = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    plan = _plan(out, clips)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == states
    assert plan["sources_new"] == 2
    assert [_row(plan, "download")[name] for name in ("done", "to_do")] == [5, 2]
    assert plan["seconds_estimated"] > 0.0
    capsys.readouterr()
    assert run([*words, "--plan"]) == 0
    shown = capsys.readouterr().out
    assert "7 sources, 2 of them new" in shown


def test_links_and_searches_say_what_an_hour_takes_and_ask_nobody(tmp_path):
    listed = tmp_path / "list.txt"
    listed.write_text("https://www.youtube.com/watch?v=aaaaaaaaaaa\n")
    plan = _plan(tmp_path / "out", listed)
    assert plan["links_of_unknown_length"] == 1
    assert any("an hour of video takes about" in note for note in plan["notes"])
    shown = _page(plan)
    assert "1 source, new, 1 link of unknown length taken as 5 min." in shown
    assert "0 s of video" not in shown
    search = plan_run(
        CurateRequest(out=tmp_path / "out", languages=("de",), recipe="talkingface_wild")
    )
    assert search["searches_unexpanded"] > 0 and search["sources"] == 0


def test_before_the_searches_nobody_knows_that_nothing_is_left(tmp_path):
    """Of 261 searches it said "0 sources … Nothing is left to do"."""
    playlist = "https://www.youtube.com/playlist?list=PL1"
    request = CurateRequest(
        out=tmp_path / "out", recipe="embedded", sources=(playlist,), languages=("en",)
    )
    shown = _page(plan_run(request))
    assert "Nothing is left to do" not in shown and "known after the searches" in shown
    assert "1 search or playlist" in shown
    assert "Nothing is left to do" not in _page(_plan(tmp_path / "fresh"))


def test_required_weights_that_are_missing_are_planned_as_if_they_were_there(
    clips, tmp_path, monkeypatch
):
    """It left their stages out: 26 min for an hour of video, where the run takes hours."""
    monkeypatch.setenv("TFW_WEIGHTS", str(tmp_path / "no weights"))
    request = CurateRequest(
        out=tmp_path / "out", recipe="talkingface_wild", sources=(str(clips),), languages=("en",)
    )
    plan = plan_run(request.model_copy(update={"engine": "local"}))
    rows = [row for row in plan["stages"] if row["weights_missing"]]
    required = [row for row in rows if row["policy"] == "required"]
    assert required and all(row["seconds_estimated"] > 0 for row in required)
    # 3600 s in sources of 9.4 s give 354 clips or more; quality alone takes 56 s for each.
    assert plan["seconds_per_hour_of_video"] > 354 * 56
    assert "needs weights" in _page(plan)
    assert any("does not run without them" in note for note in plan["notes"])


def test_lengths_of_nothing_are_no_division_by_nothing(clips, tmp_path):
    """A part that begins behind the end of its file ended --plan in ZeroDivisionError."""
    listed = clips / "list.csv"
    listed.write_text("path,language,start\nhdtf_hill.mp4,en,100\n")
    plan = _plan(tmp_path / "out", listed)
    assert plan["sources"] == 1 and plan["video_seconds"] == 0.0
    assert plan["seconds_per_hour_of_video"] > 0


def test_a_file_that_is_not_there_is_told_from_one_that_cannot_be_read(clips, tmp_path):
    listed = clips / "list.csv"
    listed.write_text("path,language\ngone.mp4,en\nempty.mp4,en\n")
    plan = _plan(tmp_path / "out", listed)
    assert "Files that are not there: 1 (gone.mp4)." in plan["notes"]
    assert "Files without a header that can be read: 1 (empty.mp4)." in plan["notes"]


def test_the_demo_is_planned_before_it_is_made(tmp_path):
    plan = plan_run(CurateRequest(out=tmp_path / "out", languages=("de", "fr"), recipe="demo"))
    assert not (tmp_path / "out").exists()
    assert plan["sources"] == plan["sources_new"] > 4
    assert any("demo corpus" in note for note in plan["notes"])


def test_a_bound_that_is_empty_is_seen(tmp_path, capsys):
    """``duplicate_of ==`` had an empty right side."""
    words = ["curate", "--recipe", "talkingface_wild", "--plan", "--out", str(tmp_path / "out")]
    assert run([*words, "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["data"]["stages"]
    gates = next(row["gates"] for row in stages if row["stage"] == "duplicates")
    assert 'duplicate: duplicate_of == ""' in gates
