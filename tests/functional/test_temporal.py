"""Flicker and TalkingPose's jitter error by hand and against loops in whole numbers."""

import numpy as np
import pytest

from talkingface_wild.functional.temporal import flicker, temporal_jitter_error
from tests.reference import similarity as reference


def _grey(*levels):
    return [np.full((2, 3, 3), level, dtype=np.uint8) for level in levels]


def test_flicker_by_hand_and_without_wrap_around():
    assert flicker(_grey(0, 255, 250)) == (255 + 5) / 2
    assert flicker(np.stack(_grey(7, 7, 7))) == 0.0
    frames = _grey(10, 10)
    frames[1][0, 0, 0] = 28
    assert flicker(frames) == pytest.approx(1.0)


def test_flicker_has_no_value_for_one_frame_and_takes_a_stream():
    assert flicker(_grey(3)) is None
    assert flicker(iter(_grey(3, 5))) == 2.0
    assert flicker(_grey(0, 10, 0, 10)) == 10.0


def test_jitter_error_by_hand():
    reference_video = _grey(0, 50, 10, 40, 10)
    generated = _grey(0, 0, 30, 200, 30)
    # Two frames apart the reference changes by 10, 10, 0, the generated video by 30, 200, 0.
    assert temporal_jitter_error(reference_video, generated) == pytest.approx((20 + 190 + 0) / 3)
    assert temporal_jitter_error(reference_video, generated, step=4) == 20.0


@pytest.mark.parametrize("step", [1, 2, 3])
def test_jitter_error_equals_a_loop(step):
    videos = np.random.default_rng(0).integers(0, 256, (2, 9, 5, 4, 3)).astype(np.uint8)
    expected = reference.jitter_error(*videos, step)
    assert temporal_jitter_error(*videos, step) == pytest.approx(expected, rel=1e-12)


def test_equal_videos_have_no_jitter_error_and_missing_motion_counts():
    video = np.random.default_rng(1).integers(0, 256, (6, 4, 4, 3)).astype(np.uint8)
    assert temporal_jitter_error(video, video) == 0.0
    still = np.repeat(video[:1], 6, axis=0)
    assert temporal_jitter_error(video, still) == temporal_jitter_error(still, video) > 50


def test_too_short_videos_have_no_jitter_error():
    assert temporal_jitter_error(_grey(1, 2), _grey(1, 2)) is None


def test_bad_frames_are_refused():
    with pytest.raises(ValueError, match="of one shape"):
        flicker([*_grey(0), np.zeros((3, 3, 3), dtype=np.uint8)])
    with pytest.raises(ValueError, match="Expected uint8"):
        flicker([frame / 255 for frame in _grey(0, 1)])
    with pytest.raises(ValueError):
        temporal_jitter_error(_grey(1, 2, 3), _grey(1, 2))
    with pytest.raises(ValueError, match="at least one frame"):
        temporal_jitter_error(_grey(1), _grey(1), step=0)
