"""``tfw train`` in a real process that is told to end: it saves, says the truth, and goes on."""

import os
import re
import shlex
import signal
import subprocess
import sys
import time

import pytest

from talkingface_wild.models.training.logbook import read_log
from tests.jobs.train.test_data import row, write_clip, write_tables
from tests.pipelines.curated import environment, heed_signals

SETTINGS = [
    "--set=training.encoders.iterations=12",
    "--set=training.encoders.batch=4",
    "--set=training.stage1.iterations=8",
    "--set=training.stage2.iterations=3",
    "--set=training.stage3.iterations=2",
    "--set=training.sample_every=0",
    "--set=sampling.steps=1",
    "--set=sampling.prior_steps=2",
]
LOGS = ("encoders/lips", "encoders/expression", "encoders/head", "stage1", "stage2", "stage3")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    out = tmp_path_factory.mktemp("data") / "my set"
    rows = [row(f"c{k}", **write_clip(out, f"c{k}")) for k in range(2)]
    write_tables(out, rows)
    return out


def started(data, out, *more):
    words = [sys.executable, "-m", "talkingface_wild.cli.main", "train", "--preset=tiny", "--cpu"]
    words += ["--data", str(data), "--out", str(out), *SETTINGS, *more]
    return subprocess.Popen(
        words,
        env={**environment(), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_signals,
    )


def ended(process):
    out, err = process.communicate(timeout=900)
    assert "Traceback" not in err, err
    return process.returncode, out + err


def signalled(process, log, *signals):
    """Send signals once a log has two new rows; the exit code and all that was said."""
    before = len(read_log(log))
    until = time.monotonic() + 600
    while len(read_log(log)) < before + 2 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    for number in signals:
        process.send_signal(number)
        time.sleep(0.2)
    return ended(process)


def losses(out):
    return {name: [r["loss"] for r in read_log(out / name / "log.csv")] for name in LOGS}


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "tiny"
    code, said = ended(started(data, out))
    assert code == 0, said
    return out, said


def test_the_paths_of_losses_and_curves_are_shown_at_the_start_and_at_the_end(whole):
    out, said = whole
    begins = next(line for line in said.splitlines() if line.startswith("stage 1 begins"))
    assert str(out / "stage1" / "log.csv") in begins
    assert f"tensorboard --logdir {out / 'stage1'}" in begins
    end = said[said.index("model    ") :]
    assert all(str(out / name / "log.csv") in end for name in LOGS)
    assert f"tensorboard --logdir {out}\n" in end


def test_stopped_in_encoders_and_in_stage_1_it_goes_on_to_the_same_losses(whole, data, tmp_path):
    """Ctrl-C amid a step did not save, and SIGTERM fell back to the last checkpoint."""
    out = tmp_path / "tiny"
    for number, log, name in (
        (signal.SIGINT, "encoders/lips", "lips encoder"),
        (signal.SIGTERM, "encoders/head", "head encoder"),
        (signal.SIGTERM, "stage1", "stage 1"),
    ):
        process = started(data, out, *(["--fresh"] if log == "encoders/lips" else []))
        code, said = signalled(process, out / log / "log.csv", number)
        assert code == 130, said
        iteration = int(re.search(rf"after iteration (\d+) of \d+ of {name}", said)[1])
        assert len(read_log(out / log / "log.csv")) == iteration
        assert (out / log / "checkpoints" / f"{iteration:08d}").is_dir()
        hint = shlex.split(said.strip().splitlines()[-1].rpartition(": ")[2])
        assert hint[:2] == ["tfw", "train"]
        assert hint[2:] == [w for w in process.args[4:] if w != "--fresh"]
        assert f"tensorboard --logdir {out}" in said
    process = started(data, out)
    code, said = signalled(process, out / "stage1" / "log.csv", signal.SIGHUP)
    assert code == 130, said
    code, said = ended(started(data, out))
    assert code == 0, said
    assert losses(out) == losses(whole[0])


def test_the_second_signal_ends_at_once_and_names_the_checkpoint(whole, data, tmp_path):
    out = tmp_path / "tiny"
    more = ["--set=training.stage1.batch=64", "--set=training.stage1.iterations=400"]
    process = started(data, out, *more, "--set=training.encoders.iterations=2")
    until = time.monotonic() + 600
    while not (out / "stage1" / "log.csv").is_file() and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    time.sleep(0.05)
    began = time.monotonic()
    os.kill(process.pid, signal.SIGINT)
    code, said = ended(process)
    assert code == 130
    assert time.monotonic() - began < 60
    assert "go on" in said.splitlines()[-1]
