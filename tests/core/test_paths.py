"""The atomic writer: a final name holds a whole file or nothing new."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from talkingface_wild.core.errors import DiskFull
from talkingface_wild.core.paths import atomic_path, atomic_symlink, write_bytes, write_text

_KILLED = """
import sys, time
from pathlib import Path
from talkingface_wild.core.paths import atomic_path
with atomic_path(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half of it")
    print("written", flush=True)
    time.sleep(60)
"""


def test_what_was_written_stands_under_its_name_and_nothing_beside_it(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "whole – text")
    write_bytes(tmp_path / "new" / "b.bin", b"\0\1")
    assert (tmp_path / "new" / "a.txt").read_text(encoding="utf-8") == "whole – text"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.txt", "b.bin"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    final = tmp_path / "clip.mp4"
    final.write_bytes(b"old")
    writer = subprocess.Popen(
        [sys.executable, "-c", _KILLED, str(final)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "written\n"
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert final.read_bytes() == b"old"


def test_an_error_in_the_block_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_two_writers_never_share_a_temporary_name_and_it_keeps_the_suffix(tmp_path):
    final = tmp_path / "clip.mp4"
    with atomic_path(final) as one, atomic_path(final) as other:
        assert one != other
        assert one.suffix == other.suffix == ".mp4"
        one.write_text("one")
        other.write_text("other")
    assert final.read_text() == "one"


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_said_in_one_sentence(tmp_path, number):
    with pytest.raises(DiskFull) as error, atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise OSError(number, os.strerror(number))
    assert str(tmp_path) in str(error.value)
    assert "free some space" in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_the_kernels_own_full_disk_is_recognised(tmp_path):
    with pytest.raises(DiskFull), atomic_path(tmp_path / "a.txt") as temporary:
        temporary.symlink_to("/dev/full")
        temporary.write_bytes(b"0" * 10_000)


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(PermissionError), atomic_path(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "no")


def test_a_link_is_swapped_so_that_a_reader_always_finds_it(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    link = tmp_path / "link"
    atomic_symlink(link, "one")
    reader = subprocess.Popen(
        [sys.executable, "-c", _READER, str(link / "file")], stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout.readline() == "reading\n"
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        atomic_symlink(link, "two")
        atomic_symlink(link, "one")
    assert reader.communicate(timeout=30)[0] == "never absent\n"


_READER = """
import sys, time
print("reading", flush=True)
end = time.monotonic() + 0.4
while time.monotonic() < end:
    assert open(sys.argv[1]).read() in ("one", "two")
print("never absent")
"""
