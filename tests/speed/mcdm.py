"""``python -m tests.speed mcdm``: the generator, on the CPU, and at full size on a GPU.

The preset ``tiny`` is measured on a CPU. TFW_SPEED_DEVICE=cuda measures the preset ``paper`` with
random weights instead; TFW_SPEED_TRAIN=1 trains at 128² on the clips of TFW_SHARED for
TFW_SPEED_MINUTES (20) and writes videos. TFW_SPEED_ONLY=name,name takes some sections alone,
TFW_SPEED_SMALL=1 takes all of the GPU's with a small network, to see that this script works.
Where only the extra ``models`` is installed: ``python -m tests.speed.mcdm``.
"""

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch

from tests.speed import (
    mcdm_counted,
    mcdm_generation,
    mcdm_steps,
    mcdm_tiny,
    mcdm_training,
    mcdm_variants,
)
from tests.speed.mcdm_findings import DEVICE, OUT, SMALL, Measurement, Record, Row, guarded

NOT_RUN = "not run: no GPU was asked for; TFW_SPEED_DEVICE=cuda python -m tests.speed mcdm"
NOT_TRAINED = "not run; TFW_SPEED_TRAIN=1 python -m tests.speed mcdm"


@dataclass(frozen=True)
class Section:
    """Something to measure, and where it is measured without being asked for."""

    measure: Measurement
    where: str


SECTIONS = {
    "tiny": Section(mcdm_tiny.tiny, "cpu"),
    "tiny_steps": Section(mcdm_steps.tiny_steps, "cpu"),
    "memory": Section(mcdm_tiny.memory, "cpu"),
    "counted": Section(mcdm_counted.counted, "cpu"),
    "rate": Section(mcdm_variants.rate, "gpu"),
    "tf32": Section(mcdm_variants.tf32, "gpu"),
    "favor": Section(partial(mcdm_generation.clips, "favor", False), "gpu"),
    "softmax": Section(partial(mcdm_generation.clips, "softmax", False), "gpu"),
    "compiled_favor": Section(partial(mcdm_generation.clips, "favor", True), "gpu"),
    "compiled_softmax": Section(partial(mcdm_generation.clips, "softmax", True), "gpu"),
    "videos": Section(mcdm_generation.videos, "gpu"),
    "vae": Section(mcdm_generation.vae, "gpu"),
    "steps": Section(mcdm_steps.full_steps, "gpu"),
    "training": Section(mcdm_training.training, "training"),
}


def chosen() -> list[str]:
    """The sections of this run."""
    if only := os.environ.get("TFW_SPEED_ONLY"):
        names = only.split(",")
        if unknown := set(names) - set(SECTIONS):
            sys.exit(f"Expected names of {', '.join(SECTIONS)}, found {', '.join(unknown)}.")
        return names
    wanted = {"gpu" if DEVICE.startswith("cuda") or SMALL else "cpu"}
    if os.environ.get("TFW_SPEED_TRAIN"):
        wanted.add("training")
    return [name for name, section in SECTIONS.items() if section.where in wanted]


def mcdm() -> Iterator[Row]:
    """Rows of the sections of this run; all their numbers go into OUT/mcdm.json."""
    if DEVICE.startswith("cuda") and not torch.cuda.is_available():
        sys.exit(f"Expected a GPU for TFW_SPEED_DEVICE={DEVICE}, found none that torch sees.")
    torch.set_num_threads(int(os.environ.get("TFW_SPEED_THREADS", "1")))
    names = chosen()
    record = Record(OUT / "mcdm.json", f"{platform.machine()}, {os.cpu_count()} cores", names)
    for name in names:
        for finding in guarded(name, SECTIONS[name].measure):
            record.add(name, finding)
            yield finding.row
    if not DEVICE.startswith("cuda"):
        yield "MCDM at full size on a GPU", NOT_RUN, "–"
    if "training" not in names:
        yield "training at 128² for 20 minutes", NOT_TRAINED, "–"


MEASUREMENTS = {"mcdm": mcdm}

if __name__ == "__main__":
    print("| measured | figure | bound |\n|---|---|---|", flush=True)
    for what, figure, bound in mcdm():
        print(f"| {what} | {figure} | {bound} |", flush=True)
