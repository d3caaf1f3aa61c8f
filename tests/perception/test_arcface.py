"""Alignment against scikit-image; embeddings through real ONNX files, and their golden."""

import re

import numpy as np
import pytest
import skimage.data
from skimage.transform import SimilarityTransform

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception import arcface
from tests.perception import golden
from tests.reference import arcface_onnx


def _points(random):
    turn = SimilarityTransform(
        scale=random.uniform(0.3, 4), rotation=random.uniform(-3, 3), translation=(40, -25)
    )
    return turn(arcface.TEMPLATE_52) + random.normal(0, 3, (5, 2))


@pytest.mark.parametrize("seed", range(8))
def test_the_similarity_is_umeyamas(seed):
    points = _points(np.random.default_rng(seed))
    expected = SimilarityTransform.from_estimate(points, arcface.TEMPLATE_52).params[:2]
    np.testing.assert_allclose(arcface.similarity(points, arcface.TEMPLATE_52), expected, atol=1e-9)


def test_alignment_brings_each_point_to_its_place():
    truth = SimilarityTransform(scale=2.5, rotation=0.4, translation=(150, 60))
    points = truth(arcface.TEMPLATE_52)
    picture = np.zeros((512, 512, 3), dtype=np.uint8)
    rows, columns = np.mgrid[:512, :512]
    for channel, (x, y) in enumerate(points[[0, 1, 4]]):
        picture[(columns - x) ** 2 + (rows - y) ** 2 < 36, channel] = 255
    crop = arcface.align(picture, points)
    assert crop.shape == (112, 112, 3)
    for channel, (x, y) in enumerate(arcface.TEMPLATE_52[[0, 1, 4]]):
        ys, xs = np.nonzero(crop[..., channel] > 128)
        assert abs(xs.mean() - x) < 0.5 and abs(ys.mean() - y) < 0.5


def test_alignment_is_insightfaces():
    from insightface.utils.face_align import norm_crop

    points = np.array([[201.0, 102], [248, 103], [226, 131], [207, 152], [245, 153]])
    rgb = skimage.data.astronaut()
    difference = arcface.align(rgb, points).astype(int) - norm_crop(rgb, points)
    assert np.abs(difference).max() <= 1


def test_points_in_one_place_cannot_be_aligned():
    with pytest.raises(ValueError, match="in one place"):
        arcface.align(np.zeros((8, 8, 3), dtype=np.uint8), np.ones((5, 2)))


@pytest.mark.parametrize("batch", ["None", 1])
def test_embeddings_are_the_networks_with_unit_length(tmp_path, batch):
    matrix = np.random.default_rng(0).standard_normal((512, 3))
    path = arcface_onnx.pooled(tmp_path / "small.onnx", matrix, batch)
    colours = np.random.default_rng(1).integers(0, 256, (40, 3))
    crops = np.broadcast_to(colours[:, None, None], (40, 112, 112, 3)).astype(np.uint8)
    expected = (colours - 127.5) / 127.5 @ matrix.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = arcface.ArcFacePerceiver(path).open().embed(crops)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_no_crops_give_no_embeddings_and_wrong_sizes_are_refused(tmp_path):
    perceiver = arcface.ArcFacePerceiver(
        arcface_onnx.pooled(tmp_path / "small.onnx", np.ones((512, 3)))
    )
    assert perceiver.embed([]).shape == (0, 512)
    with pytest.raises(ValueError, match="112 x 112"):
        perceiver.embed(np.zeros((2, 96, 96, 3), dtype=np.uint8))


def test_a_file_that_is_no_arcface_is_named(tmp_path, shared):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(b"not a network")
    short = arcface_onnx.pooled(tmp_path / "short.onnx", np.ones((256, 3)))
    detector = shared / "weights" / "scrfd_500m_kps.onnx"
    for path in (tmp_path / "absent.onnx", damaged, short, detector):
        with pytest.raises(WeightMissing, match=re.escape(str(path))) as caught:
            arcface.ArcFacePerceiver(path).open()
        assert "tfw weights" in str(caught.value)


def test_golden_arcface_embeddings(goldens, tmp_path):
    """The golden's iResNet-50, as ONNX, through the same loading code as the published file."""
    found = golden.load(goldens, "arcface")
    shapes = found.shapes("arcface_iresnet50")
    meta, images = found.data["meta"], found.data["images"]
    arrays = found.filler.fill_shapes(
        shapes, found.seed, found.data["gain_used"], found.data.get("scale")
    )
    path = arcface_onnx.iresnet50(tmp_path / "iresnet50.onnx", arrays)
    perceiver = arcface.ArcFacePerceiver(path).open()
    pictures = found.filler.images(
        images["name"], found.seed, images["count"], *images["size"], images["cell"]
    )
    bound = float(re.search(r"absolute ([0-9.e-]+) x standard", meta["acceptance"])[1])
    raw = perceiver._run(perceiver._model, pictures)
    path.unlink()
    for row, summary in zip(raw, found.data["emb"], strict=True):
        golden.assert_summary(row, summary, bound * summary["std"])
    unit = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    np.testing.assert_allclose(unit @ unit.T, found.data["cosine"], atol=bound)
