"""Checkpoints: what is accepted; all else is refused by one sentence, and nothing is ever run."""

import ast
import hashlib
import os
import pickle
import random

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception.state_dict import load_state, load_strict
from tests.perception import golden


def _module():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(5, 2))


def _refusal(path, module=None):
    with pytest.raises(WeightMissing) as caught:
        load_strict(module or _module(), load_state(path), path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("Expected")
    assert "found" in message
    assert str(path) in message
    assert "tfw weights" in message
    return message


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_complete_state_is_copied_exactly(tmp_path, suffix):
    source, target = _module(), _module()
    for parameter in target.parameters():
        nn.init.zeros_(parameter)
    path = tmp_path / f"weights{suffix}"
    (save_file if suffix == ".safetensors" else torch.save)(source.state_dict(), path)
    load_strict(target, load_state(path), path)
    for name, tensor in source.state_dict().items():
        assert torch.equal(target.state_dict()[name], tensor)


def test_wrapping_prefix_and_half_precision_are_understood(tmp_path):
    source, target, path = _module(), _module(), tmp_path / "weights.pth"
    state = {f"module.{name}": tensor for name, tensor in source.half().state_dict().items()}
    torch.save({"params": state, "epoch": 3}, path)
    load_strict(target, load_state(path, key="params"), path)
    assert target[0].weight.dtype == torch.float32
    assert torch.equal(target[0].weight, source[0].weight.float())
    torch.save(state, path)
    assert load_state(path, key="params").keys() == source.state_dict().keys()


def test_old_files_without_batch_counters_load(tmp_path):
    path, source = tmp_path / "weights.pth", _module()
    state = source.state_dict()
    del state["1.num_batches_tracked"]
    torch.save(state, path, _use_new_zipfile_serialization=False)
    target = _module()
    load_strict(target, load_state(path), path)
    assert torch.equal(target[2].bias, source[2].bias)


def test_faults_are_named_with_their_count(tmp_path):
    path, state = tmp_path / "weights.pth", _module().state_dict()
    del state["0.bias"], state["1.running_var"]
    state |= {f"extra{i}": torch.zeros(1) for i in range(7)}
    state["2.weight"] = torch.zeros(5, 2)
    torch.save(state, path)
    message = _refusal(path)
    assert "2 missing (0.bias, 1.running_var)" in message
    assert "7 unexpected (extra0, extra1, extra2, extra3, extra4, …)" in message
    assert "1 of a wrong shape (2.weight is (5, 2) instead of (2, 5))" in message


def test_names_are_given_as_the_file_has_them(tmp_path):
    path, source = tmp_path / "weights.pth", _module()
    state = {f"net.{name}": tensor for name, tensor in source.state_dict().items()}
    target = _module()
    load_strict(target, state, path, file_name=lambda name: f"net.{name}")
    del state["net.2.bias"]
    with pytest.raises(WeightMissing, match=r"1 missing \(net\.2\.bias\)"):
        load_strict(target, state, path, file_name=lambda name: f"net.{name}")


class _Bomb:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch '{self.marker}'",)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_a_pickle_that_would_run_a_command_is_refused_and_not_run(tmp_path, writer):
    path, marker = tmp_path / "weights.pth", tmp_path / "ran"
    content = {"0.weight": torch.zeros(1), "bomb": _Bomb(marker)}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    assert "would run code" in _refusal(path)
    assert not marker.exists()


def test_a_torchscript_archive_is_refused_by_name(tmp_path):
    path = tmp_path / "weights.pt"
    torch.jit.script(nn.Linear(2, 2)).save(str(path))
    assert "TorchScript" in _refusal(path)


def test_absent_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "weights.pth"
    assert "found no file" in _refusal(path)
    torch.save(_module().state_dict(), path)
    whole, chance = path.read_bytes(), random.Random(0)
    for length in [0, 1, 4, 100, *(chance.randrange(len(whole)) for _ in range(10))]:
        path.write_bytes(whole[:length])
        _refusal(path)
    for _ in range(10):
        path.write_bytes(chance.randbytes(chance.randrange(1, 2000)))
        _refusal(path)
    torch.save([torch.zeros(2)], path)
    assert "found list" in _refusal(path)
    torch.save({"net": {"a": torch.zeros(1)}, "epoch": 3}, path)
    assert "(net, epoch)" in _refusal(path)
    other = tmp_path / "weights.safetensors"
    other.write_bytes(b"{not a header")
    assert "damaged" in _refusal(other)


def test_golden_filler(goldens):
    """The weights and inputs of every other golden are made as its reference made them."""
    stored = golden.load(goldens, "filler")
    data, seed, filler = stored.data, stored.seed, stored.filler
    arrays = filler.fill_shapes(data["keys"], seed, data["meta"]["gain"])
    for name, first in data["values"].items():
        assert arrays[name].ravel()[: len(first)].tolist() == first
    assert filler.digest(arrays) == data["digest"]
    for kind in ("image", "video"):
        made = _call(filler, data[kind]["call"], seed)
        assert hashlib.sha256(made.tobytes()).hexdigest() == data[kind]["sha"]
    first = data["audio"]["first"]
    assert _call(filler, data["audio"]["call"], seed)[: len(first)].tolist() == first


def _call(filler, text, seed) -> np.ndarray:
    """Run a stored call such as ``image('name',seed,64,48,16)`` with literal arguments alone."""
    call = ast.parse(text, mode="eval").body
    arguments = [
        seed if isinstance(argument, ast.Name) else ast.literal_eval(argument)
        for argument in call.args
    ]
    return getattr(filler, call.func.id)(*arguments)
