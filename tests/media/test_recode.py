"""Lossy steps of other pipelines: the same frames come back, a little worse, in their order."""

import numpy as np
import pytest

from talkingface_wild.core.errors import UsageError
from talkingface_wild.media.recode import STEPS, recode


@pytest.fixture(scope="module")
def clip_NHWC():
    """Twelve smooth pictures, each of its own grey level, with colour."""
    rows, columns = np.mgrid[0:64, 0:96]
    frames = []
    for index in range(12):
        red = 20 * index + columns // 4
        picture = np.stack([red, rows * 2 + 40, np.full_like(rows, 90)], axis=-1)
        frames.append(picture.clip(0, 255))
    return np.stack(frames).astype(np.uint8)


def _off(one, other):
    return np.abs(one.astype(int) - other.astype(int)).mean(axis=(1, 2, 3))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fps", [24, 25, 30])
def test_every_frame_comes_back_in_its_place(clip_NHWC, step, fps):
    found = recode(clip_NHWC, [step], fps)
    assert found.shape == clip_NHWC.shape and found.dtype == np.uint8
    assert 0.0 < _off(found, clip_NHWC).mean() < 6.0
    distances = [_off(found, np.broadcast_to(frame, found.shape)) for frame in clip_NHWC]
    assert list(np.argmin(distances, axis=0)) == list(range(12))


def test_a_higher_crf_is_worse_and_steps_add_up(clip_NHWC):
    noisy = np.random.default_rng(0).integers(0, 256, clip_NHWC.shape).astype(np.uint8)
    fine, coarse = (_off(recode(noisy, [s]), noisy).mean() for s in ("x264-18", "x264-28"))
    assert fine < coarse
    twice = _off(recode(noisy, ["mpeg4", "jpeg"]), noisy).mean()
    assert twice > _off(recode(noisy, ["mpeg4"]), noisy).mean()
    assert np.array_equal(recode(clip_NHWC, []), clip_NHWC)


def test_the_result_is_the_same_each_time(clip_NHWC):
    assert np.array_equal(recode(clip_NHWC, ["x264-18"]), recode(clip_NHWC, ["x264-18"]))


def test_an_unknown_step_gets_the_nearest(clip_NHWC):
    with pytest.raises(UsageError, match="did you mean 'x264-28'"):
        recode(clip_NHWC, ["x264-2"])
