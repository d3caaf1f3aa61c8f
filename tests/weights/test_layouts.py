"""Layouts are recognised without running what is inside."""

import pickle

import numpy as np
import pytest
import torch
from scipy.io import savemat

from talkingface_wild.weights.layouts import misfit
from talkingface_wild.weights.manifest import WeightLayout, entry
from tests.weights.checkpoints import onnx_model, torch_state

TORCH = WeightLayout("torch", within="params", tensors={"conv.weight": (4, 3)})


def test_onnx_outputs_and_their_last_dimension_are_compared(tmp_path):
    model = onnx_model(tmp_path / "m.onnx", outputs=1, last=512)
    assert misfit(model, WeightLayout("onnx", outputs=1, last_dimension=512)) is None
    assert "1 outputs instead of 9" in misfit(model, WeightLayout("onnx", outputs=9))
    assert "512 values instead of 128" in misfit(model, WeightLayout("onnx", last_dimension=128))


@pytest.mark.parametrize("data", [b"", b"<html></html>", bytes(range(256)) * 10])
def test_what_is_no_onnx_model_is_said_to_be_none(tmp_path, data):
    path = tmp_path / "m.onnx"
    path.write_bytes(data)
    assert "no ONNX model" in misfit(path, WeightLayout("onnx"))


def test_the_real_detectors_have_the_layout_of_their_entries(shared):
    for name in ("scrfd_2.5g", "scrfd_500m"):
        assert misfit(shared / "weights" / entry(name).file, entry(name).layout) is None


def test_torch_tensors_are_compared_by_name_and_shape(tmp_path):
    good = torch_state(tmp_path / "a.pth", {"conv.weight": (4, 3)}, "params")
    assert misfit(good, TORCH) is None
    wrong = torch_state(tmp_path / "b.pth", {"conv.weight": (4, 4)}, "params")
    assert "(4, 4) instead of (4, 3)" in misfit(wrong, TORCH)
    lacking = torch_state(tmp_path / "c.pth", {"conv.bias": (4,)}, "params")
    assert "no tensor 'conv.weight'" in misfit(lacking, TORCH)
    flat = torch_state(tmp_path / "d.pth", {"conv.weight": (4, 3)})
    assert "under 'params'" in misfit(flat, TORCH)


def test_matlab_tables_are_compared_by_name_and_shape(tmp_path):
    path, layout = tmp_path / "a.mat", WeightLayout("mat", tensors={"lm": (68, 3)})
    savemat(path, {"lm": np.zeros((68, 3))})
    assert misfit(path, layout) is None
    savemat(path, {"lm": np.zeros((5, 3))})
    assert "(5, 3) instead of (68, 3)" in misfit(path, layout)
    savemat(path, {"other": np.zeros((68, 3))})
    assert "no tensor 'lm'" in misfit(path, layout)
    for data in (b"", b"<html></html>", bytes(range(256)) * 10):
        path.write_bytes(data)
        assert "no MATLAB file" in misfit(path, layout)


def test_the_old_torch_format_is_read_too(tmp_path):
    path = tmp_path / "a.pkl"
    state = {"params": {"conv.weight": torch.zeros(4, 3)}}
    torch.save(state, path, _use_new_zipfile_serialization=False)
    assert misfit(path, TORCH) is None


class _Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


@pytest.mark.parametrize("new", [True, False])
def test_a_pickle_that_runs_code_is_refused_and_not_run(tmp_path, new):
    trace, path = tmp_path / "ran", tmp_path / "a.pth"
    torch.save({"params": _Bomb(trace)}, path, _use_new_zipfile_serialization=new)
    assert "plain tensors" in misfit(path, TORCH)
    path.write_bytes(pickle.dumps(_Bomb(trace)))
    assert "plain tensors" in misfit(path, TORCH)
    assert not trace.exists()


def test_truncated_and_foreign_files_are_refused(tmp_path):
    whole = torch_state(tmp_path / "a.pth", {"conv.weight": (4, 3)}, "params").read_bytes()
    path = tmp_path / "b.pth"
    for data in (b"", whole[: len(whole) // 2], b"<html></html>"):
        path.write_bytes(data)
        assert "plain tensors" in misfit(path, TORCH)
