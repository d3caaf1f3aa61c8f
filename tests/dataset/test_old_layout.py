"""Folders of version 0.3.0, brought over. ``stored.old_commit`` writes them as it did: real files
in media/, overwritten by each commit, and tables that name those paths.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.dataset.commits import read_origin
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import link_media
from talkingface_wild.dataset.old_layout import bring_over, is_old
from tests.dataset.stored import broken, clip_id, media_equal_clips, old_commit, table_of

ONE, TWO, THREE, FOUR = (clip_id(number) for number in (1, 2, 3, 4))
ROOT = str(Path(__file__).resolve().parents[2])


@pytest.fixture
def out(tmp_path):
    """Commit 2 encodes ONE again over its file, relabels TWO, rejects THREE; FOUR stays."""
    clips = {ONE: ("en", "a"), TWO: ("en", "b"), THREE: ("ko", "c"), FOUR: ("en", "d")}
    old_commit(tmp_path, 1, clips)
    old_commit(tmp_path, 2, {ONE: ("en", "a again"), TWO: ("es", "b"), FOUR: ("en", "d")})
    os.utime(tmp_path / "commits" / "000001" / "manifest.json", (1e9, 1e9))
    return tmp_path


def test_files_move_without_copying_and_tables_follow(out):
    inode = (out / "media" / "en" / f"{FOUR}.mp4").stat().st_ino
    assert bring_over(Layout(out))
    link_media(Layout(out))
    assert media_equal_clips(out)
    assert sorted(broken(out)) == [f"000001/{ONE}/audio", f"000001/{ONE}/media"]
    for folder in ("000001", "000002"):
        commit = out / "commits" / folder
        manifest = json.loads((commit / "manifest.json").read_text())
        assert manifest["format"] == 2
        written = {
            path.relative_to(commit).as_posix(): file_sha256(path)
            for path in commit.rglob("*")
            if path.is_file() and path.name not in ("manifest.json", "origin.json")
        }
        assert {name: entry["sha256"] for name, entry in manifest["files"].items()} == written
        items = pq.read_table(commit / "items").to_pylist()
        assert {row["item_id"]: row["media_path"] for row in items} == {
            row["clip_id"]: row["media_path"] for row in table_of(commit)
        }
    four = next(row for row in table_of(out / "dataset") if row["clip_id"] == FOUR)
    assert (out / str(four["media_path"])).stat().st_ino == inode
    assert (out / str(four["media_path"])).stat().st_mode & 0o777 == 0o444


def test_what_an_earlier_version_overwrote_is_said_once_per_commit(out, caplog):
    bring_over(Layout(out))
    said = [record.getMessage() for record in caplog.records if "Commit" in record.getMessage()]
    assert len(said) == 1
    assert said[0].startswith("Commit 1 of")
    assert "1 of its 4 clips" in said[0]
    assert read_origin(out / "commits" / "000001")["overwritten"] == 1
    assert read_origin(out / "commits" / "000002")["overwritten"] == 0


def test_an_old_commit_keeps_its_time(out):
    bring_over(Layout(out))
    assert read_origin(out / "commits" / "000001")["at"].startswith("2001-09-09")


def test_a_second_time_there_is_nothing_to_do(out):
    assert is_old(Layout(out))
    bring_over(Layout(out))
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert not is_old(Layout(out))
    assert not bring_over(Layout(out))
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_first_run_that_never_came_to_a_commit_is_brought_over_too(tmp_path):
    """Clips of a run that was stopped lay in media/ as if they were kept."""
    path = tmp_path / "media" / "en" / f"{ONE}.mp4"
    path.parent.mkdir(parents=True)
    path.write_text("half a run")
    assert bring_over(Layout(tmp_path))
    stored = [found for found in (tmp_path / "store").rglob("*") if found.is_file()]
    assert [found.name for found in stored] == [f"{ONE}-{file_sha256(path)[:16]}.mp4"]


def test_kill_9_in_the_middle_is_safe_to_run_again(tmp_path):
    """A folder between two layouts could have been read by neither version."""
    for number in range(1, 4):
        clips = {clip_id(n): ("en", f"{n}" if n % 7 else f"{n} {number}") for n in range(1000)}
        old_commit(tmp_path, number, clips)
    code = (
        "import sys; from pathlib import Path; "
        "from talkingface_wild.dataset.layout import Layout; "
        "from talkingface_wild.dataset.old_layout import bring_over; "
        "bring_over(Layout(Path(sys.argv[1])))"
    )
    killed = 0
    for stage in ("files", "tables", "tables"):
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            env={**os.environ, "PYTHONPATH": ROOT},
            stderr=subprocess.DEVNULL,
        )
        origins = len(list(tmp_path.glob("commits/*/origin.json")))
        while process.poll() is None:
            stored = sum(1 for _ in tmp_path.glob("store/*/*"))
            if stage == "files" and stored > 200:
                break
            if len(list(tmp_path.glob("commits/*/origin.json"))) > origins:
                break
            time.sleep(0.01)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert killed >= 2
    layout = Layout(tmp_path)
    bring_over(layout)
    link_media(layout)
    assert not is_old(layout)
    assert media_equal_clips(tmp_path)
    overwritten = [clip_id(n) for n in range(1000) if n % 7 == 0]
    assert {name.split("/")[1] for name in broken(tmp_path)} == set(overwritten)
    assert {name.split("/")[0] for name in broken(tmp_path)} == {"000001", "000002"}
    assert [read_origin(layout.commit(n))["overwritten"] for n in (1, 2, 3)] == [143, 143, 0]
    assert not list(tmp_path.rglob("*.tmp*"))
