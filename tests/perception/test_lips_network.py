"""Lip sync learned from real clips alone, held against clips that were not among them."""

import numpy as np
import pytest

from talkingface_wild.functional.lips_match import lips_match
from talkingface_wild.perception.lips_network import LipsClip, LipsNetwork
from talkingface_wild.pipelines.lips_calibration import SpeechClip, calibrate
from tests.perception.lips_clips import TRAINING, LipsReader

pytestmark = pytest.mark.long

SHIFTS = [shift for shift in range(-10, 11) if shift]


@pytest.fixture(scope="module")
def reader(open_weight):
    return LipsReader(open_weight("centerface"), open_weight("face_mesh"))


@pytest.fixture(scope="module")
def clips(shared, reader):
    return [reader.read(shared / "media" / f"{name}.mp4") for name in TRAINING]


@pytest.fixture(scope="module")
def networks(clips):
    """One on all clips for each of five seeds."""
    return [LipsNetwork.train_on(clips, seed) for seed in range(5)]


def speech(clips: list[LipsClip]) -> list[SpeechClip]:
    """Each clip a source of its own, named by its place in ``TRAINING``."""
    return [SpeechClip(f"c{n:02}", f"s{n:02}", "all", clip) for n, clip in enumerate(clips)]


@pytest.fixture(scope="module")
def judged(clips):
    """Each clip judged by networks that never saw it: four folds."""
    return calibrate(speech(clips), folds=4)


def test_own_sound_is_told_from_wrong_sound_by_networks_that_never_saw_the_clip(judged):
    everything = judged.thresholds[0]
    assert everything.auc >= 0.92
    # At 5 % false accepts; wrong sounds are the clip's own, turned, and other speakers'.
    assert everything.true_accepts >= 0.7
    low, high = everything.false_accepts
    assert low < 0.05 < high


def test_shifts_are_found_within_a_frame(clips, judged):
    """Each clip with its sound moved by 1 to 10 frames either way, by its fold's network."""
    errors = []
    for name, clip in zip(judged.scores, clips, strict=True):
        score = judged.scores[name]
        lips, sounds = judged.networks[score.fold].embed(clip)
        for shift in SHIFTS:
            offset = lips_match(lips, np.roll(sounds, shift, axis=0)).offset
            errors.append(abs(offset - score.match.offset + shift))
    assert np.mean(np.array(errors) <= 1) >= 0.9


def test_two_seeds_give_the_same_offset(clips, networks):
    """Of clips that all of them saw and were taken into: the offset is not a matter of the seed."""
    offsets = [[lips_match(*net.embed(clip)).offset for net in networks] for clip in clips]
    assert np.mean([max(of_clip) - min(of_clip) <= 1 for of_clip in offsets]) >= 0.8


def test_syncnets_own_example_has_its_published_offset(shared, reader, networks):
    """Published with the official weights: offset 3. Nothing of it was trained on."""
    example = reader.read(shared / "media" / "syncnet_example.avi")
    matches = [lips_match(*network.embed(example)) for network in networks]
    assert [match.offset for match in matches] == [pytest.approx(3, abs=1)] * 5
    for network, match in zip(networks, matches, strict=True):
        rolled = LipsClip(example.lips, np.roll(example.sound, 120, axis=0))
        assert match.margin > 2 * lips_match(*network.embed(rolled)).margin


@pytest.mark.parametrize("delay", [-8, -3, 5])
def test_sound_that_was_delayed_is_found_with_its_sign(shared, reader, networks, delay):
    """Sound that comes ``delay`` frames later than it should: a negative offset."""
    path = shared / "media" / "talking" / "talking_11.mp4"
    offset = lips_match(*networks[0].embed(reader.read(path))).offset
    late = lips_match(*networks[0].embed(reader.read(path, delay_frames=delay))).offset
    assert late - offset == pytest.approx(-delay, abs=1)


def test_clips_out_of_sync_in_the_set_are_found_and_dropped(clips):
    """Two of twelve, a sixth: sound 8 frames late, while they are in what is trained on."""
    off = {"c06": 6, "c10": 10}
    late = {
        place: LipsClip(clips[place].lips, np.roll(clips[place].sound, 8, axis=0))
        for place in off.values()
    }
    answer = calibrate(speech([late.get(n, clip) for n, clip in enumerate(clips)]), folds=3)
    assert off.keys() <= set(answer.left_out)
    assert [answer.scores[name].match.offset for name in off] == [pytest.approx(-8, abs=1)] * 2
    assert answer.thresholds[0].auc >= 0.9
