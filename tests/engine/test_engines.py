"""Which engine and device a run gets, and what is said of those that are not there."""

import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.engine.executors import device_for, make_executor


def test_the_local_engine_is_one_process():
    assert make_executor("local").name == "local"
    assert make_executor("local", 1).name == "local"
    with pytest.raises(UsageError, match="--engine ray"):
        make_executor("local", 2)


def test_devices_are_cpu_or_cuda(monkeypatch):
    import torch

    assert device_for("cpu") == "cpu"
    assert device_for("auto") in ("cpu", "cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="use cpu"):
        device_for("cuda")
    with pytest.raises(UsageError, match="'gpu'"):
        device_for("gpu")
