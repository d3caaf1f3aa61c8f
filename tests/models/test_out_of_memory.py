"""No memory left: one sentence, whatever torch calls it; other errors stay what they are."""

import pytest
import torch

from talkingface_wild.models.out_of_memory import OutOfMemory, memory_told, peak_memory_bytes


def test_what_a_gpu_says_and_what_python_says():
    for error in (torch.OutOfMemoryError("CUDA out of memory."), MemoryError()):
        said = pytest.raises(OutOfMemory, match=r"\d GB taken at the peak; take less\.")
        with said, memory_told("cpu", "take less"):
            raise error


def test_what_torch_says_on_a_cpu():
    said = pytest.raises(OutOfMemory, match="Expected enough memory on this machine")
    with said, memory_told("cpu", "take less"):
        torch.empty(1 << 60, dtype=torch.uint8)


def test_other_errors_pass():
    with pytest.raises(RuntimeError, match="shapes"), memory_told("cpu", "take less"):
        raise RuntimeError("shapes do not fit")
    assert OutOfMemory.exit_code == 1


def test_the_peak_is_at_least_what_was_taken():
    taken = torch.ones(64 << 20, dtype=torch.uint8)
    assert peak_memory_bytes("cpu") > len(taken)
