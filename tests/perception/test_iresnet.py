"""ArcFace's torch networks against the reference's embeddings under the same weights."""

import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception.arcface import TEMPLATE_52, align
from talkingface_wild.perception.face_detector import ScrfdDetector
from talkingface_wild.perception.iresnet import ArcFaceTorchPerceiver, IResNet
from tests.perception import golden
from tests.perception.sampled import pictures


def _arrays(stored):
    """The golden's weights; its gain is not the one in ``meta``."""
    shapes = stored.shapes("arcface_iresnet50")
    data = stored.data
    return stored.filler.fill_shapes(shapes, stored.seed, data["gain_used"], data.get("scale"))


@pytest.fixture(scope="module")
def perceiver(goldens, tmp_path_factory):
    path = tmp_path_factory.mktemp("arcface") / "backbone.pth"
    arrays = _arrays(golden.load(goldens, "arcface"))
    torch.save({name: torch.from_numpy(np.array(a)) for name, a in arrays.items()}, path)
    opened = ArcFaceTorchPerceiver(path, layers=50).open()
    yield opened
    path.unlink()


def test_golden_arcface_embeddings(goldens, perceiver):
    stored = golden.load(goldens, "arcface")
    data, images = stored.data, stored.data["images"]
    assert stored.filler.digest(_arrays(stored)) == data["weights_sha"]
    assert images["norm"] == "(x/255-0.5)/0.5 RGB"
    crops = stored.filler.images(
        images["name"], stored.seed, images["count"], *images["size"], images["cell"]
    )
    bound = stored.tolerance("absolute")
    for row, summary in zip(perceiver.raw(crops), data["emb"], strict=True):
        golden.assert_summary(row, summary, bound * summary["std"])
    unit = perceiver.embed(crops)
    assert unit.dtype == np.float32
    np.testing.assert_allclose(unit @ unit.T, data["cosine"], atol=bound)


@pytest.mark.parametrize("layers", [50, 100])
def test_the_networks_have_exactly_the_published_names_and_shapes(goldens, layers):
    own = {name: list(tensor.shape) for name, tensor in IResNet(layers).state_dict().items()}
    assert own == golden.load(goldens, "arcface").shapes(f"arcface_iresnet{layers}")


def test_embeddings_do_not_depend_on_their_batch(perceiver):
    crops = np.random.default_rng(0).integers(0, 256, (10, 112, 112, 3)).astype(np.uint8)
    whole = perceiver.embed(list(crops))
    assert whole.shape == (10, 512)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-6)
    for place in (0, 7, 8, 9):
        np.testing.assert_allclose(
            perceiver.embed(crops[place : place + 1])[0], whole[place], atol=1e-5
        )


def test_no_crops_give_no_embeddings_and_wrong_sizes_are_refused(perceiver):
    assert perceiver.embed([]).shape == (0, 512)
    with pytest.raises(ValueError, match="112 x 112"):
        perceiver.embed(np.zeros((2, 96, 96, 3), dtype=np.uint8))


def test_a_checkpoint_of_another_depth_or_layout_is_refused(perceiver, tmp_path):
    with pytest.raises(WeightMissing, match=r"375 missing \(layer2\.10\.bn1\.bias"):
        ArcFaceTorchPerceiver(perceiver.path, layers=100).open()
    path, state = tmp_path / "backbone.pth", IResNet(50).state_dict()
    state["features.weight"] = state["features.weight"][:-1]
    torch.save(state, path)
    with pytest.raises(WeightMissing, match=r"features\.weight is \(511,\) instead of \(512,\)"):
        ArcFaceTorchPerceiver(path, layers=50).open()


def test_a_real_face_is_aligned_and_embedded(shared, perceiver):
    """SCRFD's points on a real clip; the crop's own points lie on the template."""
    detector = ScrfdDetector(shared / "weights" / "scrfd_2.5g_kps.onnx").open()
    crops = []
    for rgb in pictures(shared / "media" / "clips" / "may.mp4", 1.0, 2):
        crop = align(rgb, detector.detect(rgb).points_N52[0])
        found = detector.detect(crop)
        assert len(found.boxes_N5) == 1
        assert np.abs(found.points_N52[0] - TEMPLATE_52).max() < 8
        crops.append(crop)
    embeddings = perceiver.embed(crops)
    assert np.isfinite(embeddings).all() and embeddings[0] @ embeddings[1] > 0.8
