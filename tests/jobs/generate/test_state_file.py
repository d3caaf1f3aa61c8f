"""A state comes back as it was; one of the version before is read; what is none is refused."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.generator import State
from talkingface_wild.jobs.generate.state_file import load_state, save_state


def test_arrays_of_numpy_and_torch_come_back_as_what_they_were(tmp_path):
    tensors = {
        "memory.0.1": torch.arange(6).reshape(2, 3).to(torch.bfloat16),
        "portrait": np.arange(12, dtype=np.uint8).reshape(2, 2, 3),
    }
    state = State(16, tensors, {"seed": 7, "look.red": 0.1 + 0.2, "word": "ä"})
    save_state(tmp_path / "s.safetensors", state, {"length": "99"})
    loaded, notes = load_state(tmp_path / "s.safetensors")
    assert (loaded.position, loaded.scalars, notes) == (16, state.scalars, {"length": "99"})
    assert torch.equal(loaded.tensors["memory.0.1"], tensors["memory.0.1"])
    assert isinstance(loaded.tensors["portrait"], np.ndarray)
    assert np.array_equal(loaded.tensors["portrait"], tensors["portrait"])


def test_a_state_of_version_0_3_0_is_read(tmp_path):
    header = {
        "format": "tfw-mcdm-state-1",
        "seed": "3",
        "position": "24",
        "retries": "1",
        "look": json.dumps({"portrait.red": 0.25}),
        "notes": json.dumps({"asked": "{}", "length": "5"}),
    }
    save_file({"reference": torch.ones(2)}, tmp_path / "old.safetensors", header)
    state, notes = load_state(tmp_path / "old.safetensors")
    assert state.position == 24 and notes["length"] == "5"
    assert state.scalars == {"seed": 3, "retries": 1, "look.portrait.red": 0.25}
    assert torch.equal(state.tensors["reference"], torch.ones(2))


@pytest.mark.parametrize("header", [None, {"format": "another"}])
def test_another_file_is_refused(tmp_path, header):
    path = tmp_path / "s.safetensors"
    if header is None:
        path.write_bytes(b"no state")
    else:
        save_file({"a": torch.ones(1)}, path, header)
    with pytest.raises(InputUnreadable, match="start anew with --fresh"):
        load_state(path)
