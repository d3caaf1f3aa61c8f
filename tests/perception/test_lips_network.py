"""Lip sync learned from real clips alone, held against clips that were not among them."""

import numpy as np
import pytest

from talkingface_wild.functional.face_region import region_of_box
from talkingface_wild.functional.lips_match import lips_match
from talkingface_wild.functional.lips_shape import lips_windows, sound_windows
from talkingface_wild.media.decode import frames
from talkingface_wild.media.sound import read_sound
from talkingface_wild.perception.face_detector import make_detector
from talkingface_wild.perception.face_mesh import FaceMesh
from talkingface_wild.perception.lips_network import LipsClip, LipsNetwork

pytestmark = pytest.mark.long

TRAINING = (
    *("clips/hdtf_hill", "clips/hdtf_ocasio", "clips/head_3", "clips/may", "clips/selfie_10"),
    *("clips/portrait_hevc_1080x1920", "clips/synthetic_5", "clips/synthetic_9"),
    *("talking/talking_10", "talking/talking_13", "talking/talking_l2", "talking/talking_l4"),
)
"""One face, two streams, speech: two minutes and a half. None of SyncNet's own clips."""


def clip_of(path, detector, mesh, delay_frames: int = 0) -> LipsClip:
    """A clip's windows; its sound may be read so many frames earlier."""
    pictures, start = [], None
    for frame in frames(path, fps=25):
        start = frame.seconds if start is None else start
        pictures.append(frame.rgb)

    def find(picture):
        found = detector.detect(picture)
        return (
            region_of_box(found.boxes_N5[0, :4], found.points_N52[0])
            if len(found.boxes_N5)
            else None
        )

    points = mesh.follow(pictures, find).points_N4683
    begin = start - delay_frames / 25
    sound = read_sound(path, begin, begin + len(pictures) / 25)
    return LipsClip(lips_windows(points), sound_windows(sound, len(pictures)))


@pytest.fixture(scope="module")
def eyes(open_weight):
    """What finds a face and its mesh."""
    return make_detector("centerface", open_weight("centerface")).open(), FaceMesh(
        open_weight("face_mesh")
    ).open()


@pytest.fixture(scope="module")
def clips(shared, eyes):
    return [clip_of(shared / "media" / f"{name}.mp4", *eyes) for name in TRAINING]


@pytest.fixture(scope="module")
def networks(clips):
    """One on all clips for each of three seeds."""
    return [LipsNetwork.train_on(clips, seed) for seed in range(3)]


def test_syncnets_own_example_has_its_published_offset(shared, eyes, networks):
    """Published with the official weights: offset 3. Nothing of it was trained on."""
    example = clip_of(shared / "media" / "syncnet_example.avi", *eyes)
    matches = [lips_match(*network.embed(example)) for network in networks]
    assert [match.offset for match in matches] == [pytest.approx(3, abs=1)] * 3
    for network, match in zip(networks, matches, strict=True):
        rolled = LipsClip(example.lips, np.roll(example.sound, 120, axis=0))
        assert match.margin > 2 * lips_match(*network.embed(rolled)).margin


@pytest.mark.parametrize("delay", [-8, -3, 5])
def test_sound_that_was_delayed_is_found_with_its_sign(shared, eyes, networks, delay):
    """Sound that comes ``delay`` frames later than it should: a negative offset."""
    path = shared / "media" / "talking" / "talking_11.mp4"
    offset = lips_match(*networks[0].embed(clip_of(path, *eyes))).offset
    late = lips_match(*networks[0].embed(clip_of(path, *eyes, delay_frames=delay))).offset
    assert late - offset == pytest.approx(-delay, abs=1)


def test_a_clip_that_was_not_trained_on_prefers_its_own_sound(clips):
    """Four clips in turn, each judged by a network that never saw it."""
    for held_out in (0, 6, 8, 10):
        others = [clip for place, clip in enumerate(clips) if place != held_out]
        clip, network = clips[held_out], LipsNetwork.train_on(others, 0)
        own = lips_match(*network.embed(clip)).margin
        turns = np.linspace(28, len(clip.sound) - 28, 8).astype(int)
        others = (LipsClip(clip.lips, np.roll(clip.sound, turn, axis=0)) for turn in turns)
        rolled = [lips_match(*network.embed(other)).margin for other in others]
        assert own > max(rolled), TRAINING[held_out]
