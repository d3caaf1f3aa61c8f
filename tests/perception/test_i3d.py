"""I3D against the reference's outputs under the same weights; its two containers, its bounds."""

import pickle
import zipfile

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import nn

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.perception.i3d import I3DPerceiver, InceptionI3d, load_i3d
from talkingface_wild.weights.layouts import misfit
from talkingface_wild.weights.manifest import entry
from tests.perception import golden

LAYOUT = "i3d_pretrained_400"
PORT = {".bn.": ".batch3d.", "logits.": "conv3d_0c_1x1."}
PORT |= {f".b{branch}.": f".branch_{branch}." for branch in (0,)}
PORT |= {f".b{n}a.": f".branch_{n}.0." for n in (1, 2)}
PORT |= {f".b{n}b.": f".branch_{n}.1." for n in (1, 2, 3)}


@pytest.fixture(scope="module")
def stored(goldens):
    return golden.load(goldens, "i3d")


@pytest.fixture(scope="module")
def state(stored):
    return stored.state(LAYOUT)


@pytest.fixture(scope="module")
def checkpoint(state, tmp_path_factory):
    """A file of the published layout, holding deterministic weights."""
    path = tmp_path_factory.mktemp("i3d") / entry("i3d_kinetics400").file
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def perceiver(checkpoint):
    return I3DPerceiver(checkpoint).open()


def _videos(stored, letters, count, frames=16):
    """The golden's clips; at 224 pixels every geometry of −1–1 leaves them as they are."""
    names = [f"{stored.data['meta']['tag']}/{letters}{i}" for i in range(count)]
    return np.stack([stored.filler.video(n, stored.seed, frames, 224, 224) for n in names])


def _tolerance(stored):
    return stored.tolerance("absolute") * stored.data["across_input_std"]


def test_golden_i3d_logits(stored, perceiver):
    summaries = stored.data["logits16"]
    logits = perceiver.embed(_videos(stored, "i3d", len(summaries)))
    assert logits.dtype == np.float32
    for row, summary in zip(logits, summaries, strict=True):
        golden.assert_summary(row, summary, _tolerance(stored))


def test_golden_i3d_frames_that_eight_does_not_divide(stored, perceiver, state):
    clip = _videos(stored, "i3d", 1, frames=10)
    golden.assert_summary(perceiver.embed(clip), stored.data["logits10"], _tolerance(stored))
    network = InceptionI3d().eval()
    network.load_state_dict(state)
    with torch.inference_mode():
        features = network.features(torch.from_numpy(clip).permute(0, 4, 1, 2, 3) / 127.5 - 1)
    summary = stored.data["extract_features10"]
    golden.assert_summary(features.numpy(), summary, _tolerance(stored))


@pytest.mark.long
def test_golden_i3d_fvd(stored, perceiver):
    sets = [perceiver.embed(_videos(stored, f"fv{x}", 8)).astype(np.float64) for x in "AB"]
    (first, one), (second, other) = ((rows.mean(0), np.cov(rows, rowvar=False)) for rows in sets)
    root = scipy.linalg.sqrtm(one @ other).real
    distance = np.sum((first - second) ** 2) + np.trace(one + other - 2 * root)
    assert distance == pytest.approx(stored.data["fvd"]["sqrtm"], rel=1e-3)


def test_names_and_shapes_are_the_published_ones(stored):
    own = {name: list(tensor.shape) for name, tensor in InceptionI3d().state_dict().items()}
    assert own == stored.shapes(LAYOUT)
    assert stored.filler.digest(stored.arrays(LAYOUT)) == stored.data["weights_sha"]
    for name, shape in entry("i3d_kinetics400").layout.tensors.items():
        assert tuple(own[name]) == shape


class _Names(nn.Module):
    """Modules that hold a state dict under its names and do nothing."""


def _module(state, epsilon):
    """A module with ``state``; batch norms have ``epsilon``."""
    root = _Names()
    for name in {name.rpartition(".")[0] for name in state}:
        own = {n: t for n, t in state.items() if n.rpartition(".")[0] == name}
        weight = own[f"{name}.weight"]
        if weight.ndim == 5:
            leaf = nn.Conv3d(weight.shape[1], weight.shape[0], 1, bias=f"{name}.bias" in own)
            leaf.weight = nn.Parameter(weight)
        else:
            leaf = nn.BatchNorm3d(len(weight), eps=epsilon)
        leaf.load_state_dict({n.rpartition(".")[2]: t for n, t in own.items()})
        *folders, last = name.split(".")
        place = root
        for folder in folders:
            if not hasattr(place, folder):
                place.add_module(folder, _Names())
            place = getattr(place, folder)
        place.add_module(last, leaf)
    return root.eval()


def _scripted(path, state, epsilon):
    torch.jit.script(_module(state, epsilon)).save(str(path))
    return path


def _ported(state):
    """The state under the names of the port that StyleGAN-V's file was made from."""
    renamed = {}
    for name, tensor in state.items():
        for own, theirs in PORT.items():
            name = name.replace(own, theirs)
        renamed[name.replace("Conv3d_", "conv3d_").replace("Mixed_", "mixed_")] = tensor
    return renamed


def _epsilons(network):
    return {part.eps for part in network.modules() if isinstance(part, nn.BatchNorm3d)}


def _assert_holds(network, state):
    found = network.state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


@pytest.mark.parametrize("prefix", ["", "detector.net."])
def test_the_torchscript_of_stylegan_is_read_for_its_tensors_and_its_floor(tmp_path, state, prefix):
    path = tmp_path / entry("i3d_torchscript").file
    _scripted(path, {prefix + name: t for name, t in _ported(state).items()}, 1e-3)
    network = load_i3d(path)
    _assert_holds(network, state)
    assert _epsilons(network) == {1e-3}
    assert misfit(path, entry("i3d_torchscript").layout) is None


def test_a_torchscript_under_our_own_names_gives_the_same_logits(tmp_path, state, perceiver):
    path = _scripted(tmp_path / "own.pt", state, 1e-5)
    clips = np.random.default_rng(0).integers(0, 256, (1, 9, 32, 32, 3)).astype(np.uint8)
    scripted = I3DPerceiver(path).open()
    np.testing.assert_array_equal(scripted.embed(clips), perceiver.embed(clips))


@pytest.mark.parametrize(("names", "epsilon"), [("own", 1e-5), ("port", 1e-3)])
def test_where_the_code_declares_no_floor_the_names_tell_it(tmp_path, state, names, epsilon):
    whole = _scripted(tmp_path / "a.pt", state if names == "own" else _ported(state), 0.5)
    assert _epsilons(load_i3d(whole)) == {0.5}
    path = tmp_path / "b.pt"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
        for name in source.namelist():
            if not name.endswith(".py"):
                target.writestr(name, source.read(name))
    network = load_i3d(path)
    assert _epsilons(network) == {epsilon}
    _assert_holds(network, state)


def test_a_torchscript_of_another_network_names_what_is_missing(tmp_path, state):
    fewer = {n: t for n, t in _ported(state).items() if not n.startswith("mixed_5c")}
    path = _scripted(tmp_path / "a.pt", fewer, 1e-3)
    with pytest.raises(WeightMissing, match=r"found 30 missing \(.*mixed_5c\.branch_0"):
        load_i3d(path)
    path = tmp_path / "b.pt"
    torch.jit.script(nn.Linear(2, 2)).save(str(path))
    with pytest.raises(WeightMissing, match=r"missing .*2 unexpected \(bias, weight\)"):
        load_i3d(path)


class _Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return (open, (str(self.target), "w"))


def test_a_torchscript_that_would_run_code_is_refused_and_not_run(tmp_path):
    path, trace = tmp_path / "i3d_torchscript.pt", tmp_path / "ran"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("i3d/data.pkl", pickle.dumps(_Bomb(trace), protocol=2))
        archive.writestr("i3d/constants.pkl", pickle.dumps(_Bomb(trace), protocol=2))
    with pytest.raises(WeightMissing, match="without running it.*io.open.*fetch i3d_torchscript"):
        I3DPerceiver(path).open()
    assert not trace.exists()


def test_a_checkpoint_of_another_network_is_refused(tmp_path, state):
    path = tmp_path / "i3d_pretrained_400.pt"
    torch.save({n: t for n, t in state.items() if not n.startswith("logits")}, path)
    with pytest.raises(WeightMissing, match=r"2 missing \(logits.conv3d.bias"):
        I3DPerceiver(path).open()
    with pytest.raises(WeightMissing, match="found no file"):
        I3DPerceiver(tmp_path / "absent.pt").open()


def test_a_clip_has_the_same_logits_whatever_stands_beside_it(stored, perceiver):
    random = np.random.default_rng(1)
    clips = random.integers(0, 256, (3, 9, 16, 16, 3)).astype(np.uint8)
    together = perceiver.embed(clips)
    np.testing.assert_allclose(
        perceiver.embed(clips[2:]), together[2:], rtol=0, atol=0.1 * _tolerance(stored)
    )


def test_eight_frames_are_too_few_and_wrong_clips_are_refused(perceiver):
    with pytest.raises(ItemRejected, match="at least 9 frames a clip, found 8") as caught:
        perceiver.embed(np.zeros((1, 8, 32, 32, 3), np.uint8))
    assert caught.value.outcome.reason == "too_short"
    for wrong in (np.zeros((16, 32, 32, 3), np.uint8), np.zeros((1, 16, 32, 32, 3), np.float32)):
        with pytest.raises(ValueError, match="give R, G, B bytes"):
            perceiver.embed(wrong)
    with pytest.raises(ValueError, match="square frames"):
        perceiver.embed(np.zeros((1, 16, 32, 40, 3), np.uint8))
    assert perceiver.embed(np.zeros((0, 16, 32, 32, 3), np.uint8)).shape == (0, 400)


def test_latentsync_feeds_half_of_the_range_and_so_scores_otherwise(checkpoint, perceiver):
    clips = np.random.default_rng(2).integers(0, 256, (1, 9, 224, 224, 3)).astype(np.uint8)
    other = I3DPerceiver(checkpoint, geometry="latentsync").open().embed(clips)
    assert np.abs(other - perceiver.embed(clips)).max() > 1e-2
