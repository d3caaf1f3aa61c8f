"""What each FVD protocol feeds I3D, against the reference codes and by hand."""

import cv2
import numpy as np
import pytest
import torch

from talkingface_wild.functional.video_geometry import (
    GEOMETRIES,
    averaged,
    centre_cropped,
    squares,
    stretched,
)
from tests.perception import golden


def _clips(*shape, seed=0):
    random = np.random.default_rng(seed)
    return torch.from_numpy(random.integers(0, 256, (*shape, 3)).astype(np.uint8))


def test_golden_i3d_preprocess(goldens):
    stored = golden.load(goldens, "i3d")
    expected, tolerance = stored.data["preprocess"], stored.tolerance("absolute")
    height, width = expected["size"]
    video = stored.filler.video(expected["video"], stored.seed, expected["frames"], height, width)
    clips = torch.from_numpy(video)[None]
    for name, key in (
        ("stylegan-v", "styleganv_shortside_centercrop"),
        ("videogpt", "videogpt_shortside_centercrop"),
        ("cd-fvd", "cdfvd_direct_resize"),
    ):
        summary = expected[key]
        prepared = GEOMETRIES[name](clips).numpy()
        golden.assert_summary(prepared.reshape(summary["shape"]), summary, tolerance)


@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("side", [100, 224, 511])
def test_every_geometry_gives_224_pixels_and_keeps_clips_and_frames_apart(name, side):
    clips = _clips(2, 3, side, side)
    prepared = GEOMETRIES[name](clips)
    assert prepared.shape == (2, 3, 3, 224, 224)
    assert prepared.dtype == torch.float32
    torch.testing.assert_close(prepared[1:, :, 2:], GEOMETRIES[name](clips[1:, 2:]))


@pytest.mark.parametrize("size", [(300, 201), (201, 300), (97, 131), (720, 1280)])
def test_the_middle_is_kept_whatever_the_aspect(size):
    height, width = size
    clips = torch.zeros(1, 1, *size, 3, dtype=torch.uint8)
    inset = abs(height - width) // 2
    if height > width:
        clips[:, :, inset : inset + width] = 255
    else:
        clips[:, :, :, inset : inset + height] = 255
    prepared = centre_cropped(clips)
    assert prepared.shape == (1, 3, 1, 224, 224)
    assert prepared[..., 4:-4, 4:-4].min() == pytest.approx(1, abs=1e-6)


def test_the_ranges_are_those_of_the_protocols():
    clips = torch.zeros(1, 1, 224, 224, 3, dtype=torch.uint8)
    clips[..., 100:, :] = 255
    for name, prepare in GEOMETRIES.items():
        prepared = prepare(clips)
        assert prepared.min() == (0 if name == "latentsync" else -1)
        assert prepared.max() == pytest.approx(1)


def test_tfw_takes_square_frames_only_and_treats_them_as_cd_fvd_does():
    clips = _clips(1, 2, 512, 512)
    assert torch.equal(squares(clips), stretched(clips))
    with pytest.raises(ValueError, match="square frames, found 20 × 30"):
        squares(_clips(1, 1, 30, 20))


def test_halving_without_smoothing_takes_the_mean_of_four_pixels():
    clips = _clips(1, 1, 448, 448)
    blocks = clips[0, 0].double().reshape(224, 2, 224, 2, 3).mean((1, 3))
    expected = (blocks * 2 / 255 - 1).permute(2, 0, 1).float()
    torch.testing.assert_close(squares(clips)[0, :, 0], expected, rtol=0, atol=1e-5)


def test_latentsync_averages_over_areas_and_rounds_to_bytes_as_opencv_does():
    clips = _clips(1, 1, 600, 600)
    expected = cv2.resize(clips[0, 0].numpy(), (224, 224), interpolation=cv2.INTER_AREA)
    found = averaged(clips)[0, :, 0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, expected / 255, atol=1e-6)
    areas = np.array(clips[0, 0, :75, :75]).reshape(-1, 3).mean(0)
    np.testing.assert_allclose(found[:28, :28].reshape(-1, 3).mean(0) * 255, areas, atol=0.2)
