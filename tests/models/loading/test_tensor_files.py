"""Files are read as data: nothing runs, and what is broken is said."""

import os
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from talkingface_wild.core.errors import InputUnreadable, TfwError
from talkingface_wild.models.loading import load_weights
from talkingface_wild.models.loading.tensor_files import read_tensors
from tests.models.loading import published

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class Payload:
    """Runs a command when it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


def same(found):
    return found.keys() == STATE.keys() and all(torch.equal(found[n], STATE[n]) for n in STATE)


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"state_dict": STATE, "global_step": 5},
        {"epoch": 1, "state_dict": {f"module.{n}": v for n, v in STATE.items()}},
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_plain_wrapped_and_of_the_old_format(tmp_path, content, zipped):
    path = tmp_path / "a.ckpt"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert same(read_tensors(path))


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="no list of mapped files")
def test_a_zipped_pickle_and_safetensors_are_mapped(tmp_path):
    """Several gigabytes are not copied into memory to be looked at."""
    torch.save(STATE, tmp_path / "a.pth")
    save_file(STATE, tmp_path / "a.safetensors")
    for name in ("a.pth", "a.safetensors"):
        kept = read_tensors(tmp_path / name)
        assert str(tmp_path / name) in Path("/proc/self/maps").read_text()
        assert same(kept)


def test_safetensors_and_shards(tmp_path):
    save_file(STATE, tmp_path / "a.safetensors")
    assert same(read_tensors(tmp_path / "a.safetensors"))
    published.write_sharded(STATE, tmp_path, "model")
    assert same(read_tensors(tmp_path / "model.safetensors.index.json"))
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InputUnreadable, match="shard model-00002-of-00002.safetensors"):
        read_tensors(tmp_path / "model.safetensors.index.json")


def test_an_index_that_points_elsewhere_is_refused(tmp_path):
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "../other.safetensors"}}')
    with pytest.raises(InputUnreadable, match="names of files beside it"):
        read_tensors(index)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(tmp_path, zipped):
    mark, path = tmp_path / "ran", tmp_path / "evil.ckpt"
    content = {"state_dict": STATE, "x": Payload(mark)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(InputUnreadable, match=r"without running code.*take .*\.safetensors"):
        load_weights(published.small_parts(), {"unet": str(path)})
    path.write_bytes(pickle.dumps(Payload(mark), protocol=2))
    with pytest.raises(InputUnreadable):
        read_tensors(path)
    assert not mark.exists()


def test_broken_files_are_one_sentence(tmp_path):
    torch.save(STATE, tmp_path / "whole.pth")
    save_file(STATE, tmp_path / "whole.safetensors")
    for whole in ("whole.pth", "whole.safetensors"):
        data = (tmp_path / whole).read_bytes()
        for number, content in enumerate((b"", b"<html>", data[:50], data[:-20], data[9:])):
            path = tmp_path / f"{number}{os.path.splitext(whole)[1]}"
            path.write_bytes(content)
            with pytest.raises(TfwError, match="Expected"):
                read_tensors(path)
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(InputUnreadable, match="tensors by name"):
        read_tensors(tmp_path / "list.pth")
