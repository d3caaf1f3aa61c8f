"""The preset ``tiny`` on a CPU: seconds of a clip, memory as videos grow, size of the state."""

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch

from talkingface_wild.jobs.generate.state_file import save_state
from talkingface_wild.models.mcdm import MCDMPipeline, preset
from talkingface_wild.models.mcdm.rollout import GenerationState
from tests.speed.mcdm_findings import ROOT, Finding
from tests.speed.mcdm_models import portrait, random_parts, speech

LENGTHS = (10, 100, 1000)
SETTLED, WARM = 10, 2
"""Clips after which growth is counted (the allocator finds its shape until then), and time."""
TIMED = 8


def _pipeline() -> MCDMPipeline:
    return MCDMPipeline.of(random_parts(preset("tiny"), small=False).eval())


def tiny() -> Iterator[Finding]:
    """Seconds of a clip at 15 and at 4 steps, and the state's file after it."""
    pipeline = _pipeline()
    config = pipeline.parts.config
    side, frames = config.picture.side, config.clip.frames
    sound, face = speech(4.0), portrait(side).numpy()
    for steps in (15, 4):
        spent, state = list[float](), None
        begun = time.perf_counter()
        for made in pipeline.clips(
            face, sound, frames=(TIMED + 1) * frames, steps=steps, prior_steps=steps
        ):
            spent.append(time.perf_counter() - begun)
            state = made.state
            begun = time.perf_counter()
        least, middle = min(spent[1:]), statistics.median(spent[1:])
        name = f"tiny: a clip of {frames} frames of {side}², {steps} steps"
        figure = f"{least:.2f} s, median {middle:.2f} s ({frames / least:.1f} frames/s)"
        yield Finding(name, figure, "–", {"least": least, "median": middle, "steps": steps})
        if state is not None:
            size = _file_bytes(state)
            figure = f"{size / 1e6:.2f} MB"
            yield Finding(f"its state after {state.position} frames", figure, "–", {"bytes": size})


def _file_bytes(state: GenerationState) -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        save_state(path, state.packed(), {})
        return path.stat().st_size


def memory() -> Iterator[Finding]:
    """Peak memory of 10, 100 and 1,000 clips at one step, each video in a process of its own."""
    found = [_process(count) for count in LENGTHS]
    name = "tiny: " + " → ".join(f"{count:,}" for count in LENGTHS) + " clips at one step"

    def line(key: str) -> str:
        return " → ".join(f"{one[key] / 1e6:.1f}" for one in found) + " MB"

    yield Finding(f"{name}, peak memory of the process", line("peak"), "flat", {"runs": found})
    grown = " → ".join(f"{one['grown'] / 1e6:+.2f}" for one in found[1:]) + " MB"
    yield Finding(
        f"the same, growth of that from clip {SETTLED} to the last, 100 → 1,000", grown, "flat"
    )
    yield Finding("the same, live tensors at the end", line("live"), "flat")
    spent = " → ".join(f"{1000 * one['seconds']:.0f}" for one in found) + " ms"
    yield Finding("the same, time of a clip", spent, "flat")


def _process(count: int) -> dict[str, float]:
    command = [sys.executable, "-W", "ignore", "-m", "tests.speed.mcdm_tiny", str(count)]
    environment = os.environ | {"TFW_SPEED_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def long_video(count: int) -> dict[str, float]:
    """Make ``count`` clips from four seconds of sound, after which there is silence."""
    torch.set_num_threads(int(os.environ.get("TFW_SPEED_THREADS", "1")))
    pipeline = _pipeline()
    config = pipeline.parts.config
    frames = count * config.clip.frames
    stream = pipeline.clips(
        portrait(config.picture.side).numpy(), speech(4.0), frames=frames, steps=1, prior_steps=1
    )
    settled = begun = 0.0
    position = 0
    for number, made in enumerate(stream, start=1):
        position = made.state.position
        if number == SETTLED:
            settled = _resident_peak()
        if number == WARM:
            begun = time.perf_counter()
    spent = (time.perf_counter() - begun) / (count - WARM)
    if position != frames:
        raise RuntimeError("not every clip was made: this measured something else")
    peak = _resident_peak()
    return {
        "clips": count, "peak": peak, "grown": peak - settled, "live": live_bytes(),
        "seconds": spent,
    }  # fmt: skip


def _resident_peak() -> float:
    """Bytes; from the kernel's table, since ``ru_maxrss`` begins with the parent process's."""
    status = Path("/proc/self/status").read_text("utf-8")
    return 1024.0 * int(status.split("VmHWM:")[1].split()[0])


def live_bytes() -> int:
    """Bytes of all tensors that are held, each storage once."""
    gc.collect()
    held = [thing for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor)]
    storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in held}
    return sum(storages.values())


if __name__ == "__main__":
    print(json.dumps(long_video(int(sys.argv[1]))))
