"""The engine at a terminal: a run with nothing in flight, workers that are stopped, that wait."""

import os
import signal
import subprocess
import sys
import time

import pytest

from talkingface_wild.core.terminal import children_away
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.engine.workers import StallWatch, markers, troubles
from tests.terminal.screen import CTRL_C, Terminal


@pytest.mark.long
def test_one_ctrl_c_ends_a_run_that_has_nothing_in_flight(tmp_path):
    terminal = Terminal([sys.executable, "-m", "tests.terminal.idle_run", str(tmp_path / "out")])
    # The worker has begun (its marker is there) and has nothing in hand: it never will.
    terminal.wait_for(lambda: markers(Workplace(tmp_path / "out")), 180)
    time.sleep(2)
    terminal.type(CTRL_C)
    began = time.monotonic()
    assert terminal.wait(30) == 130, terminal.text[-3000:]
    assert time.monotonic() - began < 12
    for word in ("Traceback", "ray::", "Exception in thread", "SIGTERM"):
        # A thread of Ray that outlived the run started another cluster, which spoke of SIGTERM.
        assert word not in terminal.text, terminal.text


READER = "import sys; print('reads', flush=True); sys.stdin.readline()"


def worker_with(child: str, folder) -> str:
    """A program that takes a worker's marker and starts ``child`` (Python) with its own input."""
    return (
        "import subprocess, sys\n"
        "from pathlib import Path\n"
        "from talkingface_wild.engine.stage import Workplace\n"
        "from talkingface_wild.engine.workers import marker_path\n"
        f"marker = marker_path(Workplace(Path({str(folder)!r})), 'test')\n"
        "marker.parent.mkdir(parents=True, exist_ok=True)\n"
        "marker.write_text('fingerprint\\nitem')\n"
        f"sys.exit(subprocess.call([sys.executable, '-c', {child!r}]))\n"
    )


def test_a_program_that_waits_for_the_terminal_is_named(tmp_path):
    terminal = Terminal([sys.executable, "-c", worker_with(READER, tmp_path)])
    try:
        terminal.wait_for(lambda: "reads" in terminal.text, 30)
        time.sleep(0.3)
        (clause,) = troubles(Workplace(tmp_path))
        assert "waits for input from the terminal" in clause
        assert f"started by worker {terminal.process.pid}" in clause
    finally:
        terminal.kill()


def test_a_program_that_the_kernel_stopped_is_named(tmp_path):
    # As ffmpeg does in a background group: it touches the terminal's settings, and is stopped.
    child = "import os, signal; print('stops', flush=True); os.kill(os.getpid(), signal.SIGSTOP)"
    process = subprocess.Popen(
        [sys.executable, "-c", worker_with(child, tmp_path)],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.stdout.readline()
        time.sleep(0.3)
        (clause,) = troubles(Workplace(tmp_path))
        assert "is stopped" in clause and "kill -CONT" in clause
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_the_stall_watch_says_why_nothing_gets_finished(tmp_path, monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr("talkingface_wild.engine.workers.time.monotonic", lambda: clock[0])
    monkeypatch.setattr("talkingface_wild.engine.workers.memory_kills", lambda: 0)
    place = Workplace(tmp_path)
    watch = StallWatch(place, lambda: "two pools of one actor")
    clauses: list[str] = []
    monkeypatch.setattr("talkingface_wild.engine.workers.troubles", lambda place: clauses)
    assert watch.look(1) is None
    clock[0] += 30
    assert watch.look(1) is None
    clock[0] += 31
    assert "two pools of one actor" in watch.look(1)
    clauses.append("process 7 (ffmpeg), started by worker 5, is stopped")
    clock[0] += 20
    assert watch.look(2) is None
    clock[0] += 61
    sentence = watch.look(2)
    assert "process 7 (ffmpeg)" in sentence and "two pools" not in sentence


def test_the_stall_watch_tells_of_a_kill_for_memory(tmp_path, monkeypatch):
    kills = [3]
    monkeypatch.setattr("talkingface_wild.engine.workers.memory_kills", lambda: kills[0])
    watch = StallWatch(Workplace(tmp_path), lambda: "one pool")
    assert watch.look(0) is None
    kills[0] += 1
    assert "for want of memory" in watch.look(0)
    assert watch.look(0) is None


@pytest.mark.parametrize("call", ["subprocess.call(words)", "subprocess.run(words, stdin=None)"])
def test_what_a_library_starts_has_no_terminal(call, tmp_path):
    """PySceneDetect starts ffmpeg at import, with whatever standard input it finds."""
    child = (
        "import os; print('input', os.isatty(0), 'session', os.getsid(0) == os.getpid());"
        "os.open('/dev/tty', os.O_RDWR)"
    )
    program = (
        "import subprocess, sys\n"
        "from talkingface_wild.core.terminal import children_away\n"
        f"words = [sys.executable, '-c', {child!r}]\n"
        f"with children_away():\n    {call}\n"
    )
    terminal = Terminal([sys.executable, "-c", program])
    terminal.wait(60)
    assert "input False session True" in terminal.text
    assert "No such device or address: '/dev/tty'" in terminal.text


def test_children_away_leaves_no_trace_whoever_leaves_first():
    before = subprocess.Popen.__init__
    one, other = children_away(), children_away()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert subprocess.Popen.__init__ is not before
    other.__exit__(None, None, None)
    assert subprocess.Popen.__init__ is before
    with pytest.raises(ZeroDivisionError), children_away():
        raise ZeroDivisionError
    assert subprocess.Popen.__init__ is before


def test_a_worker_on_a_cluster_started_at_a_terminal_leaves_it():
    """Ray makes each worker a leader of its process group, which can begin no session."""
    program = (
        "import os, subprocess, sys\n"
        "os.setpgid(0, 0)\n"
        "from talkingface_wild.core.terminal import leave_terminal\n"
        "leave_terminal()\n"
        "print('input', os.isatty(0), flush=True)\n"
        "try:\n    os.open('/dev/tty', os.O_RDWR)\n"
        "except OSError as error:\n    print('gone', error.strerror, flush=True)\n"
    )
    starter = f"import subprocess, sys; subprocess.call([sys.executable, '-c', {program!r}])"
    terminal = Terminal([sys.executable, "-c", starter])
    terminal.wait(60)
    assert "input False" in terminal.text
    assert "gone No such device or address" in terminal.text
