"""What a measurement of MCDM says: a row of the table, its numbers for JSON, errors as rows."""

import gc
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

Row = tuple[str, str, str]
"""What was measured, the figure, the bound it is held against."""
Numbers = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
DEVICE = os.environ.get("TFW_SPEED_DEVICE", "cpu")
SMALL = bool(os.environ.get("TFW_SPEED_SMALL"))
"""Every GPU measurement with a network of a few channels, to see that the script itself works."""
MODEL = "small" if SMALL else "paper"
OUT = Path(os.environ.get("TFW_SPEED_OUT", ROOT / "runs" / "speed"))
"""Where figures, the training and its videos go."""


@dataclass(frozen=True)
class Finding:
    """One row and the numbers in it."""

    what: str
    figure: str
    bound: str = "–"
    numbers: Numbers = field(default_factory=dict)

    @property
    def row(self) -> Row:
        """As the tables take it."""
        return self.what, self.figure, self.bound


Measurement = Callable[[], Iterator[Finding]]


class Record:
    """All findings as one JSON file, written anew after each; other sections' stay in it."""

    def __init__(self, path: Path, machine: str, sections: list[str]) -> None:
        self.path, self.findings = path, list[Numbers]()
        if path.is_file():
            known = json.loads(path.read_text("utf-8"))["findings"]
            self.findings = [one for one in known if one["section"] not in sections]
        self.about = {
            "machine": machine,
            "torch": torch.__version__,
            "python": platform.python_version(),
            "threads": torch.get_num_threads(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)

    def add(self, section: str, finding: Finding) -> None:
        """Keep one more."""
        load = round(os.getloadavg()[0], 2)
        where = {"section": section, "device": device_name(), "small": SMALL, "load": load}
        self.findings.append({**where, **asdict(finding)})
        written = json.dumps(
            {**self.about, "findings": self.findings}, indent=1, ensure_ascii=False
        )
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(written, "utf-8")
        temporary.replace(self.path)


def guarded(name: str, measure: Measurement) -> Iterator[Finding]:
    """What is measured; the error as a row where that fails, so that the rest is measured."""
    try:
        yield from measure()
    except Exception as error:
        said = (str(error).strip() or "no message").splitlines()[0][:160]
        kind = type(error).__name__
        yield Finding(name, f"failed: {kind}: {said}", "–", {"error": f"{kind}: {error}"})
    free()


def device_name() -> str:
    """The GPU's name, or the processor's kind."""
    if DEVICE.startswith("cuda") and torch.cuda.is_available():
        return torch.cuda.get_device_name(DEVICE)
    return "cpu"


def wait() -> None:
    """Until the GPU has done what it was given."""
    if DEVICE.startswith("cuda"):
        torch.cuda.synchronize()


def free() -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if DEVICE.startswith("cuda"):
        torch.cuda.empty_cache()


def forget_peak() -> None:
    """Start a new peak of the GPU's memory."""
    free()
    if DEVICE.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()


def peak_gigabytes() -> float:
    """Most memory that tensors took on the GPU since ``forget_peak``; nan on a CPU."""
    if not DEVICE.startswith("cuda"):
        return float("nan")
    return torch.cuda.max_memory_allocated() / 1e9


def seconds(work: Callable[[], Any], times: int = 3, warm: int = 1, most: float = 30.0) -> float:
    """The median of several runs after ``warm`` of them; fewer where they take long."""
    for _ in range(warm):
        work()
    wait()
    spent: list[float] = []
    while len(spent) < times and (not spent or sum(spent) < most):
        begun = time.perf_counter()
        work()
        wait()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


def gigabytes(value: float) -> str:
    """As the tables say it."""
    return "–" if value != value else f"{value:.2f} GB"
