"""One run at a time on a folder, by real processes."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading

import pytest

from talkingface_wild.core.errors import FolderLocked
from talkingface_wild.engine.lock import folder_lock, holder_of

_HOLDER = """
import sys, time
from pathlib import Path
from talkingface_wild.engine.lock import folder_lock
with folder_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def _hold(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_run_is_refused_with_host_process_and_start(tmp_path):
    holder = _hold(tmp_path)
    try:
        found = holder_of(tmp_path)
        assert found["process"] == holder.pid
        with pytest.raises(FolderLocked) as error, folder_lock(tmp_path):
            pass
        for part in (socket.gethostname(), str(holder.pid), str(found["since"]), "--out"):
            assert part in str(error.value)
        assert error.value.exit_code == 2
    finally:
        holder.kill()
        holder.wait()


def test_the_lock_of_a_killed_run_is_taken_over_and_said(tmp_path, caplog):
    holder = _hold(tmp_path)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert holder_of(tmp_path) is None
    with folder_lock(tmp_path):
        assert holder_of(tmp_path)["process"] == os.getpid()
    assert "Took over" in caplog.text
    assert str(tmp_path) in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_a_free_folder_is_locked_without_a_word(tmp_path, caplog):
    with folder_lock(tmp_path / "new"):
        assert (tmp_path / "new" / ".lock").is_file()
    assert caplog.text == ""
    assert not (tmp_path / "new").exists()


def test_a_reused_process_number_is_told_apart_by_its_start(tmp_path):
    with folder_lock(tmp_path):
        lock = json.loads((tmp_path / ".lock").read_text())
    lock["process_started"] = "1"
    (tmp_path / ".lock").write_text(json.dumps(lock))
    with folder_lock(tmp_path):
        pass


def test_a_run_on_another_machine_counts_as_alive_and_the_way_out_is_named(tmp_path):
    with folder_lock(tmp_path):
        lock = json.loads((tmp_path / ".lock").read_text())
    (tmp_path / ".lock").write_text(json.dumps(lock | {"host": "elsewhere"}))
    with pytest.raises(FolderLocked, match="delete") as error, folder_lock(tmp_path):
        pass
    assert "elsewhere" in str(error.value)


def test_a_damaged_lock_does_not_keep_anybody_out(tmp_path):
    (tmp_path / ".lock").write_text("{")
    with folder_lock(tmp_path):
        pass


def test_of_many_that_take_over_at_once_one_gets_it(tmp_path):
    (tmp_path / ".lock").write_text("{")
    code = _HOLDER.replace("time.sleep(60)", "sys.stdin.readline()")
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for _ in range(6)
    ]  # fmt: skip
    said = []
    readers = [
        threading.Thread(target=lambda r=racer: said.append(r.stdout.readline()))
        for racer in racers
    ]
    for reader in readers:
        reader.start()
    losers = [racer for racer in racers if racer.poll() is not None]
    while len(losers) < 5:
        losers = [racer for racer in racers if racer.poll() is not None]
    winner = next(racer for racer in racers if racer not in losers)
    winner.communicate("\n", timeout=30)
    for reader in readers:
        reader.join(timeout=30)
    assert sorted(said) == [""] * 5 + ["held\n"]
