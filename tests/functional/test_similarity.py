"""SSIM and PSNR against window-by-window loops, scikit-image and the golden of both."""

import re

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from talkingface_wild.functional.similarity import psnr, ssim
from tests.perception import golden
from tests.reference import similarity as reference


def _pair(height=24, width=31, amplitude=40, seed=0):
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 6 + 1, width // 6 + 1, 3))
    a = np.kron(coarse, np.ones((6, 6, 1), dtype=np.int64))[:height, :width]
    b = np.clip(a + random.integers(-amplitude, amplitude + 1, a.shape), 0, 255)
    return a.astype(np.uint8), b.astype(np.uint8)


def test_golden_ssim_and_psnr(goldens):
    stored = golden.load(goldens, "ssim")
    colour = stored.tolerance("absolute")
    luma = float(re.search(r"luma variants (\S+)", stored.data["meta"]["acceptance"])[1])
    for case in stored.data["cases"]:
        (height, width), amplitude = case["size"], case["err_amp"]
        a = stored.filler.image(case["name"], stored.seed, height, width, case["cell"])
        stream = stored.filler.stream(case["name"] + "/err", stored.seed)
        error = stream.integers(-amplitude, amplitude + 1, (height, width, 3))
        b = np.clip(a + error, 0, 255).astype(np.uint8)
        assert abs(ssim(a, b) - case["skimage_gaussian_rgb"]) <= colour
        assert abs(ssim(a, b) - case["junyaohu_ssim"]) <= colour
        assert abs(ssim(a, b, "uniform") - case["skimage_default_rgb"]) <= colour
        found = ssim(a, b, channels="luma")
        assert abs(found - case["skimage_gaussian_gray_cv2"]) <= luma
        assert abs(psnr(a, b) - case["skimage_psnr"]) <= colour
        assert abs(psnr(a, b) - case["junyaohu_psnr"]) <= colour


@pytest.mark.parametrize("window", ["gaussian", "uniform"])
def test_ssim_equals_a_loop_over_windows(window):
    a, b = _pair()
    assert ssim(a, b, window) == pytest.approx(reference.ssim(a, b, window), abs=1e-12)


@pytest.mark.parametrize(
    ("window", "options"),
    [
        ("gaussian", {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}),
        ("uniform", {}),
    ],
)
@pytest.mark.parametrize("amplitude", [1, 30, 200])
def test_ssim_equals_scikit_image(window, options, amplitude):
    a, b = _pair(120, 90, amplitude)
    expected = structural_similarity(a, b, data_range=255, channel_axis=-1, **options)
    assert ssim(a, b, window) == pytest.approx(expected, abs=1e-12)
    assert ssim(b, a, window) == ssim(a, b, window)


@pytest.mark.parametrize("window", ["gaussian", "uniform"])
@pytest.mark.parametrize("channels", ["rgb", "luma"])
def test_equal_frames_have_exactly_one_and_more_noise_has_less(window, channels):
    a, _ = _pair(64, 64)
    assert ssim(a, a.copy(), window, channels) == 1.0
    assert ssim(np.full_like(a, 255), np.full_like(a, 255), window, channels) == 1.0
    values = [ssim(*_pair(64, 64, amplitude), window, channels) for amplitude in (5, 20, 80)]
    assert 1 > values[0] > values[1] > values[2] > 0


def test_opposite_frames_have_less_than_none():
    a, _ = _pair(64, 64)
    assert ssim(a, 255 - a) < 0


def test_psnr_equals_a_loop_and_is_100_for_equal_frames():
    a, b = _pair()
    assert psnr(a, b) == pytest.approx(reference.psnr(a, b), rel=1e-12)
    assert psnr(a, a.copy()) == 100.0
    assert psnr(np.zeros_like(a), np.full_like(a, 255)) == pytest.approx(0.0, abs=1e-12)
    single = np.zeros((512, 512, 3), dtype=np.uint8)
    nearly = single.copy()
    nearly[0, 0, 0] = 1
    assert psnr(single, nearly) == 100.0


def test_psnr_of_frames_much_larger_than_usual_does_not_overflow():
    black = np.zeros((1500, 2000, 3), dtype=np.uint8)
    assert psnr(black, black + 200) == pytest.approx(20 * np.log10(255 / 200), rel=1e-12)


def test_bad_frames_are_one_sentence():
    a, b = _pair()
    with pytest.raises(ValueError, match=r"of one size, found \(24, 31\) and \(23, 31\)"):
        ssim(a, b[:-1])
    with pytest.raises(ValueError, match="Expected uint8 frames"):
        psnr(a, b / 255)
    with pytest.raises(ValueError, match="Expected uint8 frames"):
        ssim(a[..., 0], b[..., 0])
    with pytest.raises(ValueError, match="at least 11 × 11"):
        ssim(a[:10], b[:10])
    assert ssim(a[:10], b[:10], "uniform") < 1
