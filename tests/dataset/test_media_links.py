"""media/ in step with the latest commit: who trains on a glob trains on the kept clips alone."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.media_links import link_media
from talkingface_wild.dataset.old_layout import bring_over
from tests.dataset.stored import (
    broken,
    clip_id,
    commit,
    media_equal_clips,
    old_commit,
    table_of,
    write,
)

ONE, TWO, THREE = (clip_id(number) for number in (1, 2, 3))


def test_a_glob_gives_the_kept_clips_of_the_latest_commit_alone(tmp_path):
    """Rejected, relabelled and re-encoded clips' old files stayed in media/ for ever."""
    layout = Layout(tmp_path)
    commit(tmp_path, 1, {ONE: ("en", "a"), TWO: ("en", "b"), THREE: ("ko", "c")})
    link_media(layout)
    assert media_equal_clips(tmp_path)
    commit(tmp_path, 2, {ONE: ("en", "a again"), TWO: ("es", "b")})
    done = link_media(layout)
    assert media_equal_clips(tmp_path)
    assert (done.linked, done.removed) == (4, 4)
    assert not (tmp_path / "media" / "ko").exists()


def test_only_what_differs_is_touched(tmp_path):
    commit(tmp_path, 1, {ONE: ("en", "a"), TWO: ("en", "b")})
    link_media(Layout(tmp_path))
    before = {path: path.stat().st_ctime_ns for path in (tmp_path / "media").rglob("*.mp4")}
    done = link_media(Layout(tmp_path))
    assert (done.linked, done.removed) == (0, 0)
    assert {path: path.stat().st_ctime_ns for path in before} == before
    assert all(path.stat().st_nlink == 2 for path in before)


def test_a_users_own_files_stay_and_are_said(tmp_path, caplog):
    commit(tmp_path, 1, {ONE: ("en", "a")})
    link_media(Layout(tmp_path))
    own = [tmp_path / "media" / "en" / "notes.txt", tmp_path / "media" / "en" / f"{TWO}.mp4"]
    own.append(tmp_path / "media" / "mine" / "deep" / "film.mp4")
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a user's")
    over = tmp_path / "media" / "en" / f"{ONE}.wav"
    over.unlink()
    over.write_text("a user's, in the place of ours")
    done = link_media(Layout(tmp_path))
    assert all(path.read_text() == "a user's" for path in own)
    assert over.read_text().startswith("a user's")
    assert len(done.foreign) == 3
    assert done.in_the_way == [f"en/{ONE}.wav"]
    assert "holds 3 files that tfw did not put there" in caplog.text
    assert "1 kept clips' files are missing" in caplog.text


def test_a_copied_folder_is_linked_again_without_taking_copies_for_foreign(tmp_path):
    commit(tmp_path / "one", 1, {ONE: ("en", "a"), TWO: ("en", "b")})
    link_media(Layout(tmp_path / "one"))
    shutil.copytree(tmp_path / "one", tmp_path / "two", symlinks=True)
    commit(tmp_path / "two", 2, {ONE: ("en", "a")})
    done = link_media(Layout(tmp_path / "two"))
    assert done.foreign == []
    assert media_equal_clips(tmp_path / "two")


def test_a_clip_whose_file_is_gone_is_said_with_the_command_that_mends_it(tmp_path, caplog):
    commit(tmp_path, 1, {ONE: ("en", "a"), TWO: ("en", "b")})
    (tmp_path / str(table_of(tmp_path / "dataset")[0]["media_path"])).unlink()
    done = link_media(Layout(tmp_path))
    assert done.missing == [f"en/{ONE}.mp4"]
    assert f"tfw curate --out {tmp_path}" in caplog.text
    assert (tmp_path / "media" / "en" / f"{TWO}.mp4").is_file()


def test_where_hard_links_fail_symbolic_ones_stand_and_follow(tmp_path):
    """media/ on another disk than the store: a hard link across disks is impossible."""
    try:
        other = Path(tempfile.mkdtemp(dir="/dev/shm"))
    except OSError:
        pytest.skip("there is no second file system to link across")
    try:
        if other.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second file system to link across")
        (tmp_path / "media").symlink_to(other)
        commit(tmp_path, 1, {ONE: ("en", "a"), TWO: ("en", "b")})
        link_media(Layout(tmp_path))
        assert (tmp_path / "media" / "en" / f"{ONE}.mp4").is_symlink()
        assert media_equal_clips(tmp_path)
        assert link_media(Layout(tmp_path)).linked == 0
        commit(tmp_path, 2, {TWO: ("en", "b again")})
        assert link_media(Layout(tmp_path)).foreign == []
        assert media_equal_clips(tmp_path)
    finally:
        shutil.rmtree(other)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("media_path", "store/../../secret.mp4"),
        ("media_path", "/etc/hostname"),
        ("audio_path", f"media/en/{ONE}.wav"),
        ("clip_id", "../../escaped"),
    ],
)
def test_tables_from_elsewhere_lead_nowhere(tmp_path, column, value):
    commit(tmp_path, 1, {ONE: ("en", "a")})
    row = {**table_of(tmp_path / "dataset")[0], column: value}
    write(tmp_path, 2, [row], 2, {"name": "hostile"})
    with pytest.raises(InputUnreadable, match="restore"):
        link_media(Layout(tmp_path))


def test_a_hostile_language_leads_nowhere(tmp_path):
    commit(tmp_path, 1, {ONE: ("en", "a")})
    row = {**table_of(tmp_path / "dataset")[0], "language": ".."}
    write(tmp_path, 2, [row], 2, {"name": "hostile"})
    with pytest.raises(InputUnreadable, match="plain clip_id and language"):
        link_media(Layout(tmp_path))


@pytest.mark.long
def test_twenty_thousand_clips_in_seconds_and_whole_again_after_kill_9(tmp_path):
    """A run killed while it linked would have left half of media/ behind."""
    clips = {clip_id(number): ("en", str(number)) for number in range(20_000)}
    commit(tmp_path, 1, clips)
    code = (
        "import sys; from pathlib import Path; "
        "from talkingface_wild.dataset.layout import Layout; "
        "from talkingface_wild.dataset.media_links import link_media; "
        "link_media(Layout(Path(sys.argv[1])))"
    )
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], env={**os.environ, "PYTHONPATH": root}
    )
    media = tmp_path / "media" / "en"
    while process.poll() is None and (not media.is_dir() or len(os.listdir(media)) < 100):
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert 100 <= len(os.listdir(media)) < 40_000
    begun = time.process_time()
    link_media(Layout(tmp_path))
    first = time.process_time() - begun
    assert len(os.listdir(media)) == 40_000
    begun = time.process_time()
    assert link_media(Layout(tmp_path)).linked == 0
    again = time.process_time() - begun
    print(f"40,000 links: {first:.2f} s of processor time, again {again:.2f} s")
    assert first < 10
    assert again < 5


def test_a_language_that_is_a_link_elsewhere_is_left_alone(tmp_path, caplog):
    """It was taken for a disk without links, and every later command failed."""
    out, elsewhere = tmp_path / "set", tmp_path / "elsewhere"
    commit(out, 1, {ONE: ("en", "a"), TWO: ("ko", "b")})
    elsewhere.mkdir()
    (elsewhere / "film.mp4").write_text("a user's")
    (out / "media").mkdir()
    (out / "media" / "en").symlink_to(elsewhere)
    done = link_media(Layout(out))
    assert sorted(done.in_the_way) == [f"en/{ONE}.mp4", f"en/{ONE}.wav"]
    assert [path.name for path in elsewhere.iterdir()] == ["film.mp4"]
    assert (out / "media" / "ko" / f"{TWO}.mp4").exists()


def test_media_on_another_disk_are_brought_over_by_a_copy(tmp_path):
    """A hard link across disks failed, in every run anew."""
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second disk here")
    with tempfile.TemporaryDirectory(dir=other) as folder:
        out = tmp_path / "set"
        old_commit(out, 1, {ONE: ("en", "a")})
        shutil.copytree(out / "media", Path(folder) / "media")
        shutil.rmtree(out / "media")
        (out / "media").symlink_to(Path(folder) / "media")
        assert bring_over(Layout(out))
        link_media(Layout(out))
        assert broken(out) == []
        link = out / "media" / "en" / f"{ONE}.mp4"
        assert link.is_symlink() and media_equal_clips(out)
