"""Tensors come out of TorchScript archives as torch itself reads them, and no code runs."""

import pickle
import zipfile

import pytest
import torch
from torch import nn

from talkingface_wild.weights.layouts import misfit
from talkingface_wild.weights.manifest import WeightLayout
from talkingface_wild.weights.torchscript import is_torchscript, norm_epsilons, read_torchscript


class _Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, eps=0.004), nn.ReLU())
        self.head = nn.Linear(4, 2)
        self.scale = 2.5
        self.sizes: list[int] = [3, 4]
        self.register_buffer("turned", torch.arange(12.0).reshape(3, 4).T)
        self.register_buffer("halves", torch.arange(4).half())
        self.register_buffer("nothing", torch.zeros(0, 3))

    def forward(self, images):
        return self.head(self.stem(images).mean((2, 3))) * self.scale


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return _Network().eval()


@pytest.fixture
def archive(network, tmp_path):
    path = tmp_path / "network.pt"
    torch.jit.script(network).save(str(path))
    return path


def test_names_values_types_and_strides_are_those_that_torch_saved(network, archive):
    found = read_torchscript(archive)
    expected = network.state_dict()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name
    assert norm_epsilons(archive) == {0.004}


def test_a_traced_archive_is_read_too(network, tmp_path):
    path = tmp_path / "traced.pt"
    torch.jit.trace(network, torch.zeros(1, 3, 8, 8)).save(str(path))
    assert is_torchscript(path)
    found = read_torchscript(path)
    assert all(torch.equal(found[name], t) for name, t in network.state_dict().items())


def test_state_dicts_and_other_files_are_no_torchscript(network, tmp_path):
    torch.save(network.state_dict(), tmp_path / "a.pth")
    (tmp_path / "b.pth").write_bytes(b"<html></html>")
    assert not is_torchscript(tmp_path / "a.pth")
    assert not is_torchscript(tmp_path / "b.pth")
    assert not is_torchscript(tmp_path / "absent.pth")
    assert "no TorchScript" in misfit(tmp_path / "a.pth", WeightLayout("torchscript"))


def test_the_layout_compares_names_and_shapes(archive):
    good = WeightLayout("torchscript", tensors={"stem.0.weight": (4, 3, 3, 3)})
    assert misfit(archive, good) is None
    assert misfit(archive, WeightLayout("torchscript")) is None
    assert "no tensor 'x'" in misfit(archive, WeightLayout("torchscript", tensors={"x": (4,)}))
    wrong = WeightLayout("torchscript", tensors={"head.weight": (4, 2)})
    assert "(2, 4) instead of (4, 2)" in misfit(archive, wrong)


class _Calls:
    """Pickles as a call of ``function``."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def _archive(path, data, members=()):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", data)
        archive.writestr("a/constants.pkl", b"\x80\x02).")
        for name, content in members:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("protocol", [2, 4])
def test_functions_of_python_and_of_torch_are_not_resolved(tmp_path, protocol):
    trace = tmp_path / "ran"
    for call in (
        _Calls(open, str(trace), "w"),
        _Calls(eval, f"open({str(trace)!r}, 'w')"),
        _Calls(torch.load, str(trace)),
        _Calls(getattr, dict, "fromkeys"),
    ):
        path = _archive(tmp_path / "a.pt", pickle.dumps(call, protocol=protocol))
        with pytest.raises(ValueError, match="which is not resolved"):
            read_torchscript(path)
    assert not trace.exists()


def _swapped(source, path, change):
    """A copy of an archive with ``change(name, content)`` for each member's content."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
    return path


def test_damage_is_told_and_never_an_error_of_another_kind(archive, tmp_path):
    whole = archive.read_bytes()
    path = tmp_path / "b.pt"
    for data in (b"", whole[: len(whole) // 2], whole[:-40], b"<html></html>"):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="damaged"):
            read_torchscript(path)
    for change in (
        lambda name, content: content[:-1] if name.endswith("data/0") else content,
        lambda name, content: None if name.endswith("data/0") else content,
        lambda name, content: content[: len(content) // 2] if "data.pkl" in name else content,
        lambda name, content: b"\x80\x02K\x01." if "data.pkl" in name else content,
        lambda name, content: None if "data.pkl" in name else content,
    ):
        with pytest.raises(ValueError, match="damaged"):
            read_torchscript(_swapped(archive, path, change))


def test_a_tensor_that_reaches_beyond_its_storage_is_refused(archive, tmp_path):
    def longer(name, content):
        return content.replace(b"K\x04K\x03K\x03K\x03t", b"K\x7fK\x03K\x03K\x03t")

    changed = _swapped(archive, tmp_path / "b.pt", longer)
    assert changed.read_bytes() != archive.read_bytes()
    with pytest.raises(ValueError, match="damaged"):
        read_torchscript(changed)


def test_a_member_larger_than_the_file_is_not_unpacked(tmp_path):
    path = tmp_path / "a.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", b"\x80\x02" + b"N0" * (1 << 20) + b"N.")
        archive.writestr("a/constants.pkl", b"\x80\x02).")
    with pytest.raises(ValueError, match="claims 2097156 bytes"):
        read_torchscript(path)
