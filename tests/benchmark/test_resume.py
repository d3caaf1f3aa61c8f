"""kill -9 in the middle, and Ray: the scores are those of one quiet run. Whole processes."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.benchmark.films import MADE, REAL, scored
from tests.pipelines.curated import environment, tfw


@pytest.fixture
def asked(films, pixels, tmp_path):
    """Arguments that score both folders twice over, under other names, so that it takes a while."""
    import shutil

    for side in (REAL, MADE):
        for copy in range(3):
            for path in (films / side).iterdir():
                target = tmp_path / side / f"{path.stem}{copy}.mp4"
                target.parent.mkdir(exist_ok=True)
                shutil.copyfile(path, target)
                # Other bytes, another hash: no clip finds its features measured already.
                with target.open("ab") as stream:
                    stream.write(bytes([0, 0, 0, 8]) + b"free" * (copy > 0))
    return {"outputs": tmp_path / MADE, "reference": tmp_path / REAL, "protocol": pixels}


def _arguments(asked, out):
    given = [part for name, value in asked.items() for part in (f"--{name}", str(value))]
    return ["bench", *given, "--out", str(out), "--device", "cpu"]


def _killed_after(features, arguments, folder):
    """Start, and kill -9 when so many features are stored; False when it had ended before."""
    process = subprocess.Popen(
        [sys.executable, "-m", "talkingface_wild.cli.main", *arguments],
        env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if sum(1 for _ in folder.rglob("*.npz")) >= features:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.005)
    return False


@pytest.mark.long
def test_a_run_that_was_killed_ends_as_one_that_was_not(asked, tmp_path):
    scored(tmp_path / "quiet", **asked)
    out = tmp_path / "killed"
    arguments = _arguments(asked, out)
    killed = [_killed_after(features, arguments, out / "features") for features in (3, 12)]
    assert killed == [True, True]
    assert not (out / "run.json").exists()
    before = {path.name for path in (out / "features").rglob("*.npz")}
    code, told, said = tfw(*arguments, "--json")
    assert code == 0, said
    assert before <= {path.name for path in (out / "features").rglob("*.npz")}
    assert (out / "scores.json").read_bytes() == (tmp_path / "quiet" / "scores.json").read_bytes()
    assert not list(out.rglob("*.rgb")), "no pixels are left behind"
    assert told["data"]["scored"] == 12


@pytest.mark.long
def test_ray_gives_the_scores_of_one_process(asked, tmp_path):
    scored(tmp_path / "local", **asked, limit=4)
    code, _, said = tfw(
        *_arguments(asked, tmp_path / "ray"), "--engine", "ray", "--workers", "2", "--limit", "4"
    )
    assert code == 0, said
    mine, theirs = (tmp_path / name / "scores.json" for name in ("ray", "local"))
    assert mine.read_bytes() == theirs.read_bytes()
