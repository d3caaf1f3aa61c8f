"""Deep3DFaceRecon against the reference's coefficients and E-FID under the same weights."""

import numpy as np
import pytest
import scipy.linalg
import torch

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.functional.face_alignment import align
from talkingface_wild.perception import recon3d
from talkingface_wild.perception.face_detector import ScrfdDetector
from talkingface_wild.perception.recon3d import Recon3DPerceiver, ReconNetResNet50
from talkingface_wild.perception.resnet import fold_batch_norms
from tests.perception import golden
from tests.perception.sampled import pictures

LAYOUT = "deep3d_net_recon_resnet50"
MODEL = np.array(
    [[-0.3, 0.3, 0.1], [0.3, 0.3, 0.1], [0, 0, 0.5], [-0.25, -0.3, 0.2], [0.25, -0.3, 0.2]]
)
"""A face of this test's own: eyes, nose, corners of the mouth."""


@pytest.fixture(scope="module")
def checkpoint(goldens, tmp_path_factory):
    """A file of the published layout: the network beside a trainer's entries."""
    path = tmp_path_factory.mktemp("deep3d") / "epoch_20.pth"
    state = golden.load(goldens, "deep3d").state(LAYOUT)
    trainer = {"state": {0: {"step": 3}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    torch.save({"net_recon": state, "opt_00": trainer, "sched_00": {"last_epoch": 20}}, path)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def perceiver(checkpoint):
    return Recon3DPerceiver(checkpoint, MODEL).open()


def _frechet(first, second):
    centre = np.sum((first.mean(axis=0) - second.mean(axis=0)) ** 2)
    spreads = [np.cov(rows.astype(np.float64), rowvar=False) for rows in (first, second)]
    root = scipy.linalg.sqrtm(spreads[0] @ spreads[1])
    return centre + np.trace(spreads[0] + spreads[1] - 2 * np.real(root))


def test_golden_deep3d_coefficients(goldens, perceiver):
    stored = golden.load(goldens, "deep3d")
    data = stored.data
    assert stored.filler.digest(stored.arrays(LAYOUT)) == data["weights_sha"]
    images = data["images"]
    crops = stored.filler.images(
        images["name"], stored.seed, images["count"], *images["size"], images["cell"]
    )
    bound = stored.tolerance("absolute") * data["across_input_std"]
    found = perceiver.coefficients(crops)
    for row, expected in zip(found, data["coeffs"], strict=True):
        golden.assert_summary(row, expected, bound)
    assert [recon3d.EXPRESSION.start, recon3d.EXPRESSION.stop] == data["exp_slice"]
    expressions = perceiver.expressions(crops)
    assert expressions.shape == (len(crops), 64) and expressions.dtype == np.float32
    np.testing.assert_allclose(expressions[:, :8], data["exp_first"], rtol=0, atol=bound)


@pytest.mark.long
def test_golden_deep3d_efid(goldens, perceiver):
    stored = golden.load(goldens, "deep3d")
    expected = stored.data["efid"]
    assert expected["setA"] == "images(tag/efA{b},seed,16,224,224,64) b=0..4"
    assert expected["setB"] == "images(tag/efB{b},seed,16,224,224,32) b=0..4"
    tag, sets = stored.data["meta"]["tag"], {}
    for letter, cell in (("A", 64), ("B", 32)):
        names = [f"{tag}/ef{letter}{part}" for part in range(5)]
        parts = [stored.filler.images(name, stored.seed, 16, 224, 224, cell) for name in names]
        sets[letter] = np.concatenate([perceiver.expressions(part) for part in parts])
    assert _frechet(sets["A"], sets["B"]) == pytest.approx(expected["value"], rel=1e-4)


def test_the_network_has_exactly_the_published_names_and_shapes(goldens):
    published = golden.load(goldens, "deep3d").shapes(LAYOUT)
    own = {name: list(tensor.shape) for name, tensor in ReconNetResNet50().state_dict().items()}
    assert own == published


def test_folding_the_norms_changes_rounding_alone():
    torch.manual_seed(0)
    network = ReconNetResNet50().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.8, 1.2)
            module.weight.data.uniform_(0.8, 1.2)
    crops = torch.rand(2, 3, 64, 64)
    with torch.inference_mode():
        before = network(crops)
        fold_batch_norms(network.backbone)
        after = network(crops)
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())
    torch.testing.assert_close(after, before, rtol=0, atol=1e-4 * float(before.std()))


def test_slices_divide_the_coefficients():
    names = ("IDENTITY", "EXPRESSION", "TEXTURE", "ANGLE", "LIGHT", "TRANSLATION")
    parts = [getattr(recon3d, name) for name in names]
    covered = np.concatenate([np.arange(recon3d.COEFFICIENTS)[part] for part in parts])
    np.testing.assert_array_equal(covered, np.arange(257))


def test_no_crops_give_no_rows_and_others_are_refused(perceiver):
    assert perceiver.coefficients(np.zeros((0, 224, 224, 3), np.uint8)).shape == (0, 257)
    for wrong in (np.zeros((1, 256, 256, 3), np.uint8), np.zeros((1, 224, 224, 3), np.float32)):
        with pytest.raises(ValueError, match=r"\(N, 224, 224, 3\) and type uint8"):
            perceiver.coefficients(wrong)


@pytest.mark.parametrize("fault", ["missing", "extra", "shape", "other"])
def test_a_checkpoint_of_another_layout_is_refused(tmp_path, fault):
    state, path = ReconNetResNet50().state_dict(), tmp_path / "epoch_20.pth"
    name = "final_layers.1.bias"
    if fault == "missing":
        del state[name]
    elif fault == "extra":
        state["fc.bias"] = torch.zeros(3)
    elif fault == "shape":
        state[name] = state[name][:-1]
    torch.save({"net_G" if fault == "other" else "net_recon": state}, path)
    words = {
        "missing": r"1 missing \(final_layers\.1\.bias\)",
        "extra": r"1 unexpected \(fc\.bias\)",
        "shape": r"final_layers\.1\.bias is \(63,\) instead of \(64,\)",
        "other": r"other entries \(net_G\)",
    }
    with pytest.raises(WeightMissing, match=words[fault]):
        Recon3DPerceiver(path, MODEL).open()


def test_a_real_face_is_aligned_level_and_fills_its_crop(shared, perceiver):
    """SCRFD's points on a real clip, through the alignment, back through SCRFD on the crop."""
    detector = ScrfdDetector(shared / "weights" / "scrfd_2.5g_kps.onnx").open()
    for rgb in pictures(shared / "media" / "clips" / "may.mp4", 1.0, 2):
        points = detector.detect(rgb).points_N52[0]
        aligned = align(rgb, points, MODEL)
        np.testing.assert_array_equal(perceiver.align(rgb, points), aligned.crop_HWC)
        left_eye, right_eye, nose, left_mouth, right_mouth = aligned.points_52
        assert abs(left_eye[1] - right_eye[1]) < 8 < right_eye[0] - left_eye[0]
        assert ((aligned.points_52 > 50) & (aligned.points_52 < 174)).all()
        assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])
        found = detector.detect(aligned.crop_HWC)
        assert len(found.boxes_N5) == 1
        assert np.abs(found.points_N52[0] - aligned.points_52).max() < 6
        x0, y0, x1, y1 = found.boxes_N5[0, :4]
        assert min(x0, y0) > 0 and max(x1, y1) < 224 and y1 - y0 > 90
        assert np.isfinite(perceiver.coefficients(aligned.crop_HWC[None])).all()
