"""Two processes of one training, of which a signal reaches one: both end at the same iteration."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys, torch
from pathlib import Path
from accelerate import Accelerator
from torch import nn
from talkingface_wild.core.errors import Interrupted
from talkingface_wild.core.stopping import stop_on_signals
from talkingface_wild.models.training.loop import LoopSettings, TrainingLoop

network = nn.Linear(1, 1)
loop = TrainingLoop(
    "toy", {"network": network}, dict(network.named_parameters()),
    LoopSettings(iterations=10**7, rate=1e-3, checkpoint_every=10**6),
    lambda draws: torch.randn(4, 1, generator=draws),
    lambda batch, draws: network(batch).square().mean(),
    Path(sys.argv[1]), accelerator=Accelerator(cpu=True),
)
with stop_on_signals():
    try:
        loop.run(lambda progress: print(progress.iteration, flush=True))
    except Interrupted as error:
        print(f"{loop.accelerator.num_processes} processes, {error}", flush=True)
        sys.exit(130)
"""


@pytest.mark.long
def test_a_signal_to_one_process_ends_both_at_the_same_iteration(tmp_path):
    """One that ended alone would leave the other waiting for its gradients for half an hour."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path)],
            env={
                **os.environ,
                **shared,
                "RANK": str(rank),
                "LOCAL_RANK": str(rank),
                "PYTHONPATH": str(ROOT),
                "OMP_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for rank in (0, 1)
    ]
    assert processes[0].stdout.readline() == "1\n"
    time.sleep(0.3)
    processes[1].send_signal(signal.SIGTERM)
    ends = [process.communicate(timeout=300)[0].splitlines()[-1] for process in processes]
    assert [process.returncode for process in processes] == [130, 130]
    assert ends[0] == ends[1]
    assert ends[0].startswith("2 processes, Interrupted after iteration")
    iteration = int(ends[0].split("iteration ")[1].split()[0])
    assert [entry.name for entry in (tmp_path / "checkpoints").iterdir()] == [f"{iteration:08d}"]
