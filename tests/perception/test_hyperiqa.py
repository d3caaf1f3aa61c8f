"""HyperIQA against the reference's scores in both layouts; its patches, scale and refusals."""

import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.perception.hyperiqa import HyperIQA, HyperIQAPerceiver, original_name, patches
from tests.perception import golden

LAYOUTS = ("pyiqa", "original")


@pytest.fixture(scope="module")
def perceivers(goldens, tmp_path_factory):
    """One perceiver a layout; pyiqa's file wraps its tensors, as the published one does."""
    stored, folder = golden.load(goldens, "hyperiqa"), tmp_path_factory.mktemp("hyperiqa")
    result = {}
    for layout in LAYOUTS:
        state = stored.state(f"hyperiqa_{layout}")
        path = folder / f"{layout}.pth"
        torch.save({"params": state} if layout == "pyiqa" else state, path)
        result[layout] = HyperIQAPerceiver(path).open()
    return result


def _images(stored, entry):
    size, cell = entry["size"], entry["cell"]
    return stored.filler.images(entry["name"], stored.seed, entry.get("count", 1), *size, cell)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_golden_hyperiqa_patches(goldens, perceivers, layout):
    stored = golden.load(goldens, "hyperiqa")
    entry = stored.data["patches"]
    expected = (entry if layout == "pyiqa" else stored.data["original"])["scores"]
    found = perceivers[layout].raw_patches(_images(stored, entry))
    tolerance = stored.tolerance("absolute") * np.std(expected)
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", ["image", "small"])
def test_golden_hyperiqa_whole_images(goldens, perceivers, name):
    """Twenty-five patches, with and without enlarging."""
    stored = golden.load(goldens, "hyperiqa")
    entry = stored.data[name]
    found = perceivers["pyiqa"].raw_images(_images(stored, entry), "pyiqa")
    tolerance = stored.tolerance("absolute") * np.std(stored.data["patches"]["scores"])
    np.testing.assert_allclose(found, entry["score"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_golden_hyperiqa_names_and_shapes(goldens, layout):
    stored = golden.load(goldens, "hyperiqa")
    rename = original_name if layout == "original" else str
    own = {rename(name): list(value.shape) for name, value in HyperIQA().state_dict().items()}
    assert own == stored.shapes(f"hyperiqa_{layout}")
    sha = (stored.data["original"] if layout == "original" else stored.data)["weights_sha"]
    assert stored.filler.digest(stored.arrays(f"hyperiqa_{layout}")) == sha


def test_pyiqa_scores_are_brought_to_a_hundred_and_the_authors_are_not(goldens, perceivers):
    stored = golden.load(goldens, "hyperiqa")
    two = _images(stored, stored.data["patches"])[:2]
    for layout, scale in (("pyiqa", 100.0), ("original", 1.0)):
        perceiver = perceivers[layout]
        np.testing.assert_allclose(
            perceiver.score_patches(two), scale * perceiver.raw_patches(two), rtol=1e-12
        )


def test_the_centre_mode_scores_the_middle_patch_of_each_image(perceivers):
    random = np.random.default_rng(0)
    sizes = [(300, 261), (224 + 100, 512), (225, 1000)] * 3
    images = [random.integers(0, 256, (*size, 3)).astype(np.uint8) for size in sizes]
    corners = [(38, 18), (50, 144), (0, 388)] * 3
    middles = [
        image[top : top + 224, left : left + 224]
        for image, (top, left) in zip(images, corners, strict=True)
    ]
    perceiver = perceivers["original"]
    found = perceiver.score_images(images, mode="centre")
    np.testing.assert_allclose(found, perceiver.score_patches(np.stack(middles)), rtol=1e-5)
    assert perceiver.score(images[4], "centre") == pytest.approx(found[4], rel=1e-5)


def test_patches_step_by_a_fifth_of_the_room_and_begin_in_the_corner():
    ramp = np.zeros((264, 334, 3), np.uint8)
    ramp[..., 0] = np.arange(264)[:, None] % 256
    ramp[..., 1] = np.arange(334)[None, :] % 256
    cut = patches(ramp, "pyiqa")
    assert cut.shape == (25, 3, 224, 224)
    corners = (cut[:, :2, 0, 0] * 255).round().int().tolist()
    assert corners == [[8 * row, 22 * column] for row in range(5) for column in range(5)]


@pytest.mark.parametrize("mode", ["pyiqa", "centre"])
def test_a_small_picture_is_enlarged_until_a_patch_fits(mode):
    grey = np.full((90, 300, 3), 51, np.uint8)
    cut = patches(grey, mode)
    assert cut.shape == (25 if mode == "pyiqa" else 1, 3, 224, 224)
    np.testing.assert_allclose(cut, 0.2, atol=1e-6)


def test_no_images_give_no_scores(perceivers):
    assert perceivers["original"].score_images([], "centre").shape == (0,)


def test_patches_of_another_size_are_refused(perceivers):
    with pytest.raises(ValueError, match=r"\(N, 224, 224, 3\)"):
        perceivers["original"].raw_patches(np.zeros((1, 225, 224, 3), np.uint8))


@pytest.mark.parametrize(
    ("layout", "name"), [("pyiqa", "fc_w_modules.4.2.bias"), ("original", "fc5w_fc.bias")]
)
def test_a_missing_tensor_is_named_as_the_file_names_it(goldens, tmp_path, layout, name):
    path = tmp_path / "weights.pth"
    state = golden.load(goldens, "hyperiqa").state(f"hyperiqa_{layout}")
    del state[name]
    torch.save(state, path)
    with pytest.raises(WeightMissing, match=rf"1 missing \({name}\)"):
        HyperIQAPerceiver(path).open()
