"""Real clips made worse step by step: more blur, noise, shift has to score worse."""

import cv2
import numpy as np
import pytest

from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.frame_similarity import FrameJitter, FrameSimilarity
from talkingface_wild.benchmark.extractors.set_features import InceptionFeatures
from talkingface_wild.benchmark.protocol import FidSettings, SimilaritySettings
from talkingface_wild.functional.frechet import frechet_of_moments
from talkingface_wild.functional.moments import Moments
from tests.benchmark.films import CLIPS, REAL, pictures

SIDE, COUNT = 128, 12


def _blurred(clip_NHWC, sigma):
    return np.stack([cv2.GaussianBlur(p, (0, 0), sigma) for p in clip_NHWC]) if sigma else clip_NHWC


def _noisy(clip_NHWC, deviation):
    noise = np.random.default_rng(0).normal(0, deviation, clip_NHWC.shape)
    return np.clip(clip_NHWC + noise, 0, 255).astype(np.uint8)


def _shifted(clip_NHWC, pixels):
    return np.roll(clip_NHWC, pixels, axis=2)


STEPS = {
    "blur": (_blurred, (0, 0.7, 1.5, 3.0)),
    "noise": (_noisy, (0, 4, 12, 30)),
    "shift": (_shifted, (0, 1, 3, 8)),
}


@pytest.fixture(scope="module")
def real(films):
    return [pictures(films / REAL / f"{name}.mp4", COUNT, SIDE) for name in CLIPS]


@pytest.mark.parametrize("kind", STEPS)
def test_ssim_and_psnr_fall_with_every_step(real, kind):
    change, steps = STEPS[kind]
    extractor = FrameSimilarity(SimilaritySettings(stride=3))
    for clip_NHWC in real:
        reference = DecodedVideo(clip_NHWC)
        found = [extractor.compare(DecodedVideo(change(clip_NHWC, s)), reference) for s in steps]
        for name in ("ssim", "psnr"):
            values = [float(f[name].mean()) for f in found]
            assert values[0] == {"ssim": 1.0, "psnr": 100.0}[name]
            assert all(np.diff(values) < 0), f"{kind}: {name} {values}"


def test_luma_and_uniform_windows_are_other_numbers(real):
    clip_NHWC = real[0]
    views = DecodedVideo(_noisy(clip_NHWC, 12)), DecodedVideo(clip_NHWC)
    found = {
        name: float(FrameSimilarity(settings).compare(*views)["ssim"].mean())
        for name, settings in {
            "rgb": SimilaritySettings(stride=3),
            "luma": SimilaritySettings(stride=3, channels="luma"),
            "uniform": SimilaritySettings(stride=3, window="uniform"),
        }.items()
    }
    assert len(set(found.values())) == 3
    assert found["luma"] > found["rgb"], "colour noise is partly averaged out in luma"


def test_jitter_rises_with_noise(real):
    reference = DecodedVideo(real[0])
    errors = [
        float(FrameJitter().compare(DecodedVideo(_noisy(real[0], s)), reference)["error"][0])
        for s in (0, 4, 12, 30)
    ]
    assert errors[0] == 0.0 and all(np.diff(errors) > 0)


@pytest.fixture(scope="module")
def inception(_module_weights):
    extractor = InceptionFeatures(FidSettings(stride=5))
    extractor.open("cpu", 1)
    return extractor


@pytest.fixture(scope="module")
def _module_weights(made_weights):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TFW_WEIGHTS", str(made_weights))
        yield


@pytest.mark.parametrize("kind", ["blur", "noise"])
def test_fid_rises_with_blur_and_noise(real, inception, kind):
    change, steps = STEPS[kind]
    sums = []
    for step in (steps[0], *steps[2:]):
        moments = Moments.empty(2048)
        for clip_NHWC in real:
            pool = inception.extract(DecodedVideo(change(clip_NHWC, step)))["pool"]
            moments.add(np.asarray(pool, dtype=np.float64))
        sums.append(moments)
    values = [frechet_of_moments(sums[0], other) for other in sums]
    assert values[0] == pytest.approx(0.0, abs=1e-6)
    assert all(np.diff(values) > 0), values
