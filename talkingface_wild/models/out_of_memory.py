"""Turns "no memory is left" into one sentence: how much was taken, and what takes less."""

import contextlib
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from talkingface_wild.core.errors import TfwError

CPU_WORDS = ("DefaultCPUAllocator", "not enough memory")
"""What torch says in a plain RuntimeError where the machine's own memory is used up."""


class OutOfMemory(TfwError):
    """The device's memory does not hold what was asked for."""

    exit_code = 1


def peak_memory_bytes(device: torch.device | str) -> int:
    """Most memory taken so far: of the GPU by tensors, or by this process."""
    if torch.device(device).type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    status = Path("/proc/self/status")
    if status.is_file():
        # Not ru_maxrss: that begins with the peak of the process that started this one.
        match = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text("utf-8"), re.MULTILINE)
        if match:
            return int(match[1]) * 1024
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return taken if sys.platform == "darwin" else taken * 1024


@contextlib.contextmanager
def memory_told(device: torch.device | str, advice: str) -> Iterator[None]:
    """Raise OutOfMemory with the peak and ``advice`` where the block runs out of memory."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _told(device, advice) from error
    except RuntimeError as error:
        if not any(words in str(error) for words in CPU_WORDS):
            raise
        raise _told(device, advice) from error


def _told(device: torch.device | str, advice: str) -> OutOfMemory:
    where = "the GPU" if torch.device(device).type == "cuda" else "this machine"
    peak = peak_memory_bytes(device) / 1e9
    return OutOfMemory(
        f"Expected enough memory on {where}, found none left with {peak:.1f} GB taken at the peak; "
        f"{advice}."
    )
