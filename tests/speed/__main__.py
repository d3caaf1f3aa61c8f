"""``python -m tests.speed [NAME …]``: the measurements, as a Markdown table on stdout."""

import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from talkingface_wild.engine.executors import Executor, LocalExecutor
from talkingface_wild.engine.run import Run
from talkingface_wild.engine.stage import Workplace
from tests.speed import mcdm, metrics, networks, stages, synthetic, tables

Row = tuple[str, str, str]
"""What was measured, the figure, the bound it is held against."""
ROOT = Path(__file__).resolve().parents[2]
ITEMS = 10_000
RECUT = "from talkingface_wild.cli.main import main; main()"


def orchestration() -> Iterator[Row]:
    """10,000 items through six empty stages, journal included, and again with nothing to do."""
    from talkingface_wild.engine.executors.ray import RayExecutor

    for make in (LocalExecutor, RayExecutor):
        executor: Executor = make()
        with tempfile.TemporaryDirectory() as folder:
            if executor.name == "ray":
                _seconds(Path(folder) / "warm", executor, 64)
            first = _seconds(Path(folder) / "out", executor)
            again = _seconds(Path(folder) / "out", executor)
        executor.close()
        name = f"{ITEMS:,} items × 6 empty stages, {executor.name}"
        yield name, f"{first / ITEMS / 6 * 1000:.3f} ms per item and stage", "≤ 1 ms"
        yield f"the same again, nothing to do, {executor.name}", f"{again:.1f} s", "≤ 10 s"


def workers() -> Iterator[Row]:
    """The same busy stage with one and with two workers."""
    from talkingface_wild.engine.executors.ray import RayExecutor

    seconds = []
    for count in (1, 2):
        executor = RayExecutor(workers=count)
        with tempfile.TemporaryDirectory() as folder:
            _seconds(Path(folder) / "warm", executor, 8, busy=True)
            seconds.append(_seconds(Path(folder) / "out", executor, 800, busy=True))
        executor.close()
    yield (
        "800 items × 20 ms of work, 1 → 2 workers",
        (f"{seconds[0]:.1f} s → {seconds[1]:.1f} s (× {seconds[0] / seconds[1]:.2f})"),
        "16 s of work",
    )


def _seconds(out: Path, executor: Executor, count: int = ITEMS, busy: bool = False) -> float:
    plan = stages.burning_plan() if busy else stages.empty_plan()
    begun = time.perf_counter()
    ruling = Run(plan, stages.items(count), Workplace(out), executor).go()
    spent = time.perf_counter() - begun
    if (ruling.verdicts["state"] != "kept").any():
        raise RuntimeError("not every item was kept: this measured something else")
    return spent


def recut() -> Iterator[Row]:
    """Another bound on a made-up data set of the paper's size, least of three."""
    from talkingface_wild.jobs.recut import RecutRequest
    from talkingface_wild.jobs.recut import recut as job

    def cut_anew(bound: str) -> None:
        job(RecutRequest(out=out, settings=[bound]))

    for prints in (False, True):
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder)
            synthetic.write(out, prints=prints)
            name = f"recut of {synthetic.CLIPS:,} clips"
            if prints:
                name += " with fingerprints, in the process"
                yield name, _least(cut_anew), "–"
                continue
            process = _least(lambda bound, out=out: _tfw(out, bound))
            yield f"{name}, `tfw recut` as a process", process, "≤ 2 s"
            within = _least(cut_anew)
            yield f"{name}, in the process", within, "–"


def _tfw(out: Path, bound: str) -> None:
    command = [sys.executable, "-c", RECUT, "recut", str(out), "--set", bound, "--json"]
    subprocess.run(command, check=True, capture_output=True)


def _least(cut: Callable[[str], object]) -> str:
    spent = []
    for bound in ("gates.sync=3.1", "gates.sync=3.2", "gates.sync=3.15"):
        wall, cpu = time.perf_counter(), _processor()
        cut(bound)
        spent.append((time.perf_counter() - wall, _processor() - cpu))
    return f"{min(wall for wall, _ in spent):.2f} s ({min(cpu for _, cpu in spent):.2f} CPU s)"


def pipeline() -> Iterator[Row]:
    """The recipe embedded on real clips (TFW_SHARED, else ../shared), every stage; one process."""
    shared = Path(os.environ.get("TFW_SHARED", ROOT.parent / "shared"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        sources = str(shared / "media" / "MEDIA.csv")
        command = [sys.executable, "-c", RECUT, "curate", "--recipe", "embedded", "--sources"]
        command += [sources, "--engine", "local", "--out", str(out), "--json"]
        subprocess.run(command, check=True, capture_output=True)
        yield from _stage_speeds(out)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    yield "peak memory of that run", f"{peak:.0f} MB", "≤ 1.5 GB"


def _stage_speeds(out: Path) -> Iterator[Row]:
    """Seconds of source (or clip) that one core-second of each stage takes in."""
    from talkingface_wild import load

    items = load(out, "items")
    for name in [name for name in items if name.startswith("@") and name.endswith(":cpu_seconds")]:
        rows = items[items[name].notna()]
        if len(rows) and float(rows[name].sum()) > 0:
            length = rows["clip_seconds"].fillna(rows["source_seconds"]).fillna(0).astype(float)
            speed = float(length.sum()) / float(rows[name].sum())
            stage = name[1:].split(":")[0]
            yield f"{stage}: {len(rows)} items, {length.sum():.0f} s", f"{speed:.1f} s/core-s", "–"


def _processor() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def machine() -> str:
    """The processor and what is free of it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), "")
    load = os.getloadavg()[0]
    return f"{model or platform.processor()}, {os.cpu_count()} cores, load {load:.1f} before"


MEASUREMENTS = {
    "orchestration": orchestration,
    "workers": workers,
    "recut": recut,
    "pipeline": pipeline,
    **metrics.MEASUREMENTS,
    **networks.MEASUREMENTS,
    **tables.MEASUREMENTS,
    **mcdm.MEASUREMENTS,
}

if __name__ == "__main__":
    print(f"{machine()}; Python {platform.python_version()}\n", flush=True)
    print("| measured | figure | bound |\n|---|---|---|", flush=True)
    for chosen in sys.argv[1:]:
        if chosen not in MEASUREMENTS:
            sys.exit(f"Expected names of {', '.join(MEASUREMENTS)}, found {chosen!r}.")
    for chosen in sys.argv[1:] or MEASUREMENTS:
        for what, figure, bound in MEASUREMENTS[chosen]():
            print(f"| {what} | {figure} | {bound} |", flush=True)
