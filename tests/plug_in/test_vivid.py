"""The plug-in's own test."""

import numpy as np
from tfw_vivid.ssim_least import SsimLeast
from tfw_vivid.vividness import saturation
from tfw_vivid.wobble import loudness

from talkingface_wild.benchmark.base import Sample
from talkingface_wild.benchmark.protocol import load_protocol


def test_grey_is_not_vivid_and_red_is():
    assert saturation(np.full((4, 4, 3), 90, np.uint8)) == 0
    assert saturation(np.array([[[255, 0, 0]]], np.uint8)) == 1


def test_the_worst_frame_counts():
    metric = SsimLeast(load_protocol("tfw-v1"), {})
    for clip, worst in (("a", 0.2), ("b", 0.4)):
        frames = {"similarity": {"ssim": np.array([0.9, worst])}}
        metric.update(Sample(clip, clip, pair=frames))
    assert metric.compute().clips == {"a": 0.2, "b": 0.4}


def test_a_loud_frame_is_brighter():
    sound = np.concatenate([np.zeros(640, np.int16), np.full(640, -3000, np.int16)])
    assert [loudness(sound, frame) for frame in (0, 1, 2)] == [0, 30, 0]
