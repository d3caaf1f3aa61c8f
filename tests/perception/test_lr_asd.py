"""LR-ASD on real clips: a face's own sound against the other clips'; its fast form and bounds."""

import av
import cv2
import numpy as np
import pytest
import torch

from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.functional import face_track
from talkingface_wild.functional.mfcc import mfcc
from talkingface_wild.perception.face_detector import ScrfdDetector
from talkingface_wild.perception.lr_asd import ActiveSpeaker, cepstra
from talkingface_wild.perception.lr_asd_network import SpeakerNetwork
from talkingface_wild.perception.state_dict import load_state
from tests.functional.clips import sound

SPEECH = (
    "hdtf_hill",
    "hdtf_ocasio",
    "head_1",
    "may",
    "portrait_hevc_1080x1920",
    "synthetic_12",
    "synthetic_17",
    "synthetic_3",
)
"""The clips with speech at 25 frames a second whose picture and sound begin together."""
FRAMES = 100


def _crops(path, detector):
    """Grey crops (100, 112, 112) by the published rule; the box is looked for every half second."""
    with av.open(str(path)) as container:
        frames = [
            frame.to_ndarray(format="rgb24")
            for frame, _ in zip(container.decode(video=0), range(FRAMES), strict=False)
        ]
    faces = {place: detector.detect(frames[place]).boxes_N5 for place in range(0, FRAMES, 12)}
    seen = {place: boxes[0, :4] for place, boxes in faces.items() if len(boxes)}
    boxes = face_track.interpolate(
        [place / 25 for place in seen], np.array([*seen.values()]), 0, len(frames)
    )
    path_T = face_track.crop_path(boxes, "edge")
    placed = zip(frames, path_T.x_T, path_T.y_T, path_T.half_T, strict=True)
    large = [face_track.crop_square(frame, (x, y), half) for frame, x, y, half in placed]
    return np.stack([cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[56:168, 56:168] for crop in large])


@pytest.fixture(scope="module")
def weight(shared):
    return shared / "weights" / "lr_asd_pretrain_AVA.model"


@pytest.fixture(scope="module")
def perceiver(weight):
    return ActiveSpeaker(weight).open()


@pytest.fixture(scope="module")
def noise():
    random = np.random.default_rng(0)
    crops = random.integers(0, 256, (90, 112, 112)).astype(np.uint8)
    return crops, random.integers(-9000, 9000, 90 * 640).astype(np.int16)


@pytest.mark.long
def test_a_face_scores_higher_with_its_own_sound_than_with_others(perceiver, shared):
    detector = ScrfdDetector(shared / "weights" / "scrfd_500m_kps.onnx", size=320).open()
    clips = [shared / "media" / "clips" / f"{name}.mp4" for name in SPEECH]
    sounds = [cepstra(sound(path), FRAMES) for path in clips]
    owns, lower = [], []
    for place, path in enumerate(clips):
        features = perceiver.features(_crops(path, detector))
        means = [perceiver.judge(features, steps).mean() for steps in sounds]
        owns.append(means.pop(place))
        lower += [mean < owns[-1] for mean in means]
    assert np.mean(lower) >= 0.9
    assert min(owns) > 0


def test_the_fast_form_is_the_networks(perceiver, weight, noise):
    """90 frames are two parts; the plain network sees them at once."""
    crops, samples = noise
    network = SpeakerNetwork().eval()
    network.load_state_dict(load_state(weight))
    steps = mfcc(np.pad(samples, (0, 240)))[:360].astype(np.float32)
    with torch.inference_mode():
        expected = network(torch.from_numpy(crops)[None], torch.from_numpy(steps)[None])[0, :, 1]
    found = perceiver.scores(crops, samples)
    assert found.dtype == np.float32 and found.std() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-4)
    np.testing.assert_array_equal(perceiver.judge(perceiver.features(crops), steps), found)


@pytest.mark.parametrize(
    ("frames", "samples", "expected"), [(1, 640, 1), (9, 64_000, 9), (30, 6 * 640 + 639, 6)]
)
def test_there_is_a_score_for_each_frame_of_picture_and_sound(perceiver, frames, samples, expected):
    crops = np.zeros((frames, 112, 112), np.uint8)
    assert perceiver.scores(crops, np.zeros(samples, np.int16)).shape == (expected,)


@pytest.mark.parametrize(("frames", "samples"), [(0, 64_000), (50, 639)])
def test_less_than_one_frame_of_either_is_rejected(perceiver, frames, samples):
    crops = np.zeros((frames, 112, 112), np.uint8)
    with pytest.raises(ItemRejected, match="expected at least one frame") as caught:
        perceiver.scores(crops, np.zeros(samples, np.int16))
    assert caught.value.outcome.reason == "too_few_windows"


def test_crops_and_cepstra_of_another_shape_or_type_are_refused(perceiver, noise):
    crops, samples = noise
    for wrong in (crops[:, :56], crops.astype(np.float32), crops[..., None]):
        with pytest.raises(ValueError, match=r"\(T, 112, 112\) and type uint8, found .*; crop"):
            perceiver.scores(wrong, samples)
    with pytest.raises(ValueError, match="int16"):
        perceiver.scores(crops, samples.astype(np.float32))
    with pytest.raises(ValueError, match=r"\(S, 13\), found \(40, 12\); take them"):
        perceiver.judge(np.zeros((9, 128), np.float32), np.zeros((40, 12)))


def test_a_file_that_is_no_lr_asd_is_named(tmp_path):
    damaged, foreign = tmp_path / "damaged.model", tmp_path / "foreign.model"
    damaged.write_bytes(b"not a network")
    state = SpeakerNetwork().state_dict()
    del state["lossAV.FC.bias"]
    torch.save(state, foreign)
    cases = {
        tmp_path / "absent.model": "found no file",
        damaged: "damaged",
        foreign: r"1 missing \(lossAV\.FC\.bias\)",
    }
    for path, words in cases.items():
        with pytest.raises(WeightMissing, match=words) as caught:
            ActiveSpeaker(path).open()
        assert str(path) in str(caught.value) and "tfw weights" in str(caught.value)
