"""The FID Inception against the reference's outputs under the same weights; its files, frames."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception.inception import InceptionFid, InceptionPerceiver
from talkingface_wild.weights.manifest import entry
from tests.perception import golden

LAYOUT = "inception_fid_torchfidelity"


@pytest.fixture(scope="module")
def stored(goldens):
    return golden.load(goldens, "inception")


@pytest.fixture(scope="module")
def state(stored):
    return stored.state(LAYOUT)


@pytest.fixture(scope="module")
def checkpoint(state, tmp_path_factory):
    """A file of the published layout, holding deterministic weights."""
    path = tmp_path_factory.mktemp("inception") / entry("inception_fid").file
    torch.save(state, path)
    return path


@pytest.fixture(scope="module")
def perceiver(checkpoint):
    return InceptionPerceiver(checkpoint, resize="torch-fidelity").open()


def _pictures(count, seed=0):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    return coarse.repeat(64, axis=1).repeat(64, axis=2)


@pytest.mark.parametrize("case", range(4))
def test_golden_inception_features(stored, perceiver, case):
    data = stored.data["cases"][case]
    frames = stored.filler.images(
        data["name"], stored.seed, data["count"], *data["size"], data["cell"]
    )
    found = perceiver.taps(frames)
    for tap, summaries in data["features"].items():
        # The golden gives no spread for the logits; their own serves.
        spread = data["across_input_std"].get(tap, found[tap].std(0).mean())
        assert spread > 0
        for row, summary in zip(found[tap], summaries, strict=True):
            golden.assert_summary(row, summary, stored.tolerance("absolute") * spread)


@pytest.mark.long
def test_golden_inception_fid(stored, perceiver):
    sets = []
    for letter, cell in (("A", 64), ("B", 32)):
        batches = [
            stored.filler.images(
                f"{stored.data['meta']['tag']}/fid{letter}{b}", stored.seed, 12, 128, 128, cell
            )
            for b in (0, 1)
        ]
        sets.append(perceiver.embed(np.concatenate(batches)).astype(np.float64))
    (first, one), (second, other) = ((rows.mean(0), np.cov(rows, rowvar=False)) for rows in sets)
    roots = np.sqrt(np.linalg.eigvals(one @ other).astype(complex)).real.sum()
    distance = np.sum((first - second) ** 2) + np.trace(one) + np.trace(other) - 2 * roots
    assert distance == pytest.approx(stored.data["fid"]["value"], rel=stored.tolerance("relative"))


def test_names_and_shapes_are_the_published_ones(goldens, stored, state):
    own = {name: list(tensor.shape) for name, tensor in InceptionFid().state_dict().items()}
    assert own == stored.shapes(LAYOUT)
    assert stored.filler.digest(stored.arrays(LAYOUT)) == stored.data["weights_sha"]
    for name, shape in entry("inception_fid").layout.tensors.items():
        assert tuple(own[name]) == shape


def test_a_file_without_batch_counters_is_taken(tmp_path, state, perceiver):
    lean = {name: t for name, t in state.items() if not name.endswith("num_batches_tracked")}
    path = tmp_path / entry("inception_fid").aliases[0]
    torch.save(lean, path)
    again = InceptionPerceiver(path, resize="torch-fidelity").open()
    frames = _pictures(1)
    np.testing.assert_array_equal(again.embed(frames), perceiver.embed(frames))


def test_a_checkpoint_of_another_network_names_what_is_missing(tmp_path, state):
    path = tmp_path / "other.pth"
    torchvision_like = {n.replace("Mixed_7c", "AuxLogits"): t for n, t in state.items()}
    torch.save(torchvision_like, path)
    with pytest.raises(WeightMissing, match=r"missing \(Mixed_7c.*unexpected \(AuxLogits"):
        InceptionPerceiver(path).open()
    fewer_classes = dict(state) | {"fc.weight": torch.zeros(1000, 2048)}
    torch.save(fewer_classes, path)
    with pytest.raises(WeightMissing, match=r"fc.weight is \(1000, 2048\) instead of \(1008"):
        InceptionPerceiver(path).open()


def test_the_torchscript_of_stylegan_is_refused_with_the_reason(tmp_path):
    path = tmp_path / "inception-2015-12-05.pt"
    torch.jit.script(nn.Linear(2, 2)).save(str(path))
    with pytest.raises(WeightMissing, match="holds code and is never run; get the published file"):
        InceptionPerceiver(path).open()


def test_a_frame_has_the_same_features_whatever_stands_beside_it(perceiver):
    frames = _pictures(9)
    together = perceiver.embed(frames)
    assert together.shape == (9, 2048) and together.dtype == np.float32
    spread = together.std(0).mean()
    for order in ([8], [3, 8, 1]):
        alone = perceiver.embed(frames[order])
        np.testing.assert_allclose(alone, together[order], rtol=0, atol=1e-4 * spread)


def test_the_three_protocols_differ_and_clean_is_the_default(checkpoint, perceiver):
    frames = _pictures(1)
    rows = {"torch-fidelity": perceiver.embed(frames)}
    for name in ("clean", "pytorch-fid"):
        rows[name] = InceptionPerceiver(checkpoint, resize=name).open().embed(frames)
    default = InceptionPerceiver(checkpoint).open().embed(frames)
    np.testing.assert_array_equal(default, rows["clean"])
    for one, other in (("clean", "pytorch-fid"), ("clean", "torch-fidelity")):
        assert np.abs(rows[one] - rows[other]).max() > 1e-3


def _fed_by_clean_fid(frames):
    """Pillow's bicubic filter colour by colour in floating point, cut to bytes' range, centred."""
    resized = np.empty((len(frames), 3, 299, 299), np.float32)
    for frame, target in zip(frames, resized, strict=True):
        for colour in range(3):
            picture = Image.fromarray(frame[..., colour].astype(np.float32), mode="F")
            target[colour] = np.asarray(picture.resize((299, 299), Image.BICUBIC))
    return torch.from_numpy((resized.clip(0, 255) - 128) / 128)


def _fed_by_pytorch_fid(frames):
    """0–1 by torch's bilinear interpolation, then −1–1."""
    shares = torch.from_numpy(frames).permute(0, 3, 1, 2) / 255
    return 2 * F.interpolate(shares, (299, 299), mode="bilinear", align_corners=False) - 1


@pytest.mark.parametrize(
    ("name", "fed"), [("clean", _fed_by_clean_fid), ("pytorch-fid", _fed_by_pytorch_fid)]
)
def test_each_protocol_feeds_the_network_what_its_reference_does(checkpoint, state, name, fed):
    frames = np.random.default_rng(4).integers(0, 256, (2, 96, 80, 3)).astype(np.uint8)
    network = InceptionFid().eval()
    network.load_state_dict(state)
    with torch.inference_mode():
        expected = network(fed(frames)).numpy()
    found = InceptionPerceiver(checkpoint, resize=name).open().embed(frames)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3 * expected.std(0).mean())


def test_no_frames_give_no_rows_and_wrong_frames_are_refused(perceiver):
    assert perceiver.embed(np.zeros((0, 64, 64, 3), np.uint8)).shape == (0, 2048)
    for wrong in (np.zeros((2, 64, 64, 3), np.float32), np.zeros((2, 3, 64, 64), np.uint8)):
        with pytest.raises(ValueError, match="found .* give R, G, B bytes"):
            perceiver.embed(wrong)
