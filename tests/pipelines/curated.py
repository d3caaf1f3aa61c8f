"""Runs of the real command line for tests: in this process, or in one that may be killed."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from talkingface_wild.cli.main import run

ROOT = Path(__file__).resolve().parents[2]


def environment(weights: Path | None = None) -> dict[str, str]:
    """No network, and only the weights in ``weights``."""
    variables = {**os.environ, "TFW_OFFLINE": "1", "PYTHONPATH": str(ROOT)}
    variables["TFW_WEIGHTS"] = str(weights or "/nonexistent/weights")
    return variables


def heed_signals() -> None:
    """For ``preexec_fn``: what a shell begins by ``&`` ignores Ctrl-C, and so do its children."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def tfw(*arguments: str, weights: Path | None = None, cwd: Path | None = None):
    """Run ``tfw`` to its end: (exit code, the JSON object or None, stderr)."""
    words = [str(argument) for argument in arguments]
    code, page, errors = (_apart if "ray" in words else _here)(words, weights, cwd)
    return code, json.loads(page) if page.startswith("{") else None, errors


def _here(words: list[str], weights: Path | None, cwd: Path | None) -> tuple[int, str, str]:
    page, errors = io.StringIO(), io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patched,
        contextlib.redirect_stdout(page),
        contextlib.redirect_stderr(errors),
    ):
        for name, value in environment(weights).items():
            patched.setenv(name, value)
        if cwd is not None:
            patched.chdir(cwd)
        code = run(words)
    return code, page.getvalue(), errors.getvalue()


def _apart(words: list[str], weights: Path | None, cwd: Path | None) -> tuple[int, str, str]:
    """Ray stays with the process that began it."""
    program = subprocess.run(
        [sys.executable, "-m", "talkingface_wild.cli.main", *words],
        env=environment(weights),
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=1500,
    )
    return program.returncode, program.stdout, program.stderr


def tfw_killed(seconds: float, *arguments: str, weights: Path | None = None) -> bool:
    """Start ``tfw`` and kill -9 its process group after ``seconds``; False when it had ended."""
    process = subprocess.Popen(
        [sys.executable, "-m", "talkingface_wild.cli.main", *map(str, arguments)],
        env=environment(weights),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        time.sleep(0.02)
    ended = process.poll() is not None
    if not ended:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return not ended


def clips_of(out: Path) -> pd.DataFrame:
    """The clips table as plain pandas reads it, sorted, everything as text."""
    frame = pd.read_parquet(out / "dataset" / "clips")
    return frame.sort_values("clip_id").reset_index(drop=True).astype(str)


def verdicts_of(out: Path) -> dict[str, set[str]]:
    """For each source path the reasons with which its items ended; ``kept`` for kept clips."""
    items = pd.read_parquet(out / "dataset" / "items")
    sources = pd.read_parquet(out / "dataset" / "sources")
    paths = dict(zip(sources["source_id"], sources["source_path"], strict=True))
    found: dict[str, set[str]] = {path: set() for path in paths.values()}
    for row in items.itertuples():
        state = row.verdict_state
        if state != "split":
            found[paths[row.root_id]].add("kept" if state == "kept" else row.verdict_reason)
    return found
