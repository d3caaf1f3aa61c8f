"""What SyncNet is fed: which frames, in which order of colours, and the sound that goes with it."""

import numpy as np
import pytest

from talkingface_wild.benchmark.decoded_video import DecodedVideo
from talkingface_wild.benchmark.extractors.lipsync import LipSync
from talkingface_wild.benchmark.protocol import SyncSettings
from talkingface_wild.core.outcome import ItemRejected
from talkingface_wild.perception.syncnet import Embeddings

RED, GREEN, BLUE = 200, 120, 40
FRAMES = 40


class _Ears:
    """Stands for SyncNet: keeps what it is given."""

    def embed(self, frames_bgr, samples):
        self.frames, self.samples = np.array(frames_bgr), np.array(samples)
        rows = np.random.default_rng(0).standard_normal((2, len(frames_bgr) - 5, 8))
        return Embeddings(*rows.astype(np.float32))


class _Eyes:
    """Stands for S3FD: one face in the middle of every frame but the first so many."""

    def __init__(self, blind):
        self.seen, self.blind = 0, blind

    def detect(self, frames):
        found = []
        for _ in frames:
            rows = np.zeros((int(self.seen >= self.blind), 5), np.float32)
            rows[:] = (100, 100, 160, 160, 0.99)
            self.seen += 1
            found.append(rows)
        return found


def _view():
    """Every frame one colour, a little darker than the one before; samples say their own place."""
    frames = np.empty((FRAMES, 256, 256, 3), np.uint8)
    frames[:] = (RED, GREEN, BLUE)
    frames -= np.arange(FRAMES, dtype=np.uint8)[:, None, None, None]
    sound = (np.arange(FRAMES * 640) // 640 + 1).astype(np.int16)
    return DecodedVideo(frames, sound)


def _extract(settings, blind=0):
    extractor = LipSync(settings)
    extractor._network, extractor._detector = _Ears(), _Eyes(blind)
    return extractor.extract(_view()), extractor._network


@pytest.mark.parametrize("pipeline", ["whole", "tracked"])
def test_lips_are_in_b_g_r_and_the_reference_frame_is_left_out(pipeline):
    found, heard = _extract(SyncSettings(pipeline=pipeline))
    assert heard.frames.shape == (FRAMES - 1, 224, 224, 3)
    middle = heard.frames[:, 112, 112].astype(int)
    expected = np.array([BLUE, GREEN, RED]) - np.arange(1, FRAMES)[:, None]
    assert np.abs(middle - expected).max() <= 1
    assert (heard.samples[0], heard.samples[-1]) == (2, FRAMES)
    assert found["means"].shape == (1, 31) and found["windows"].tolist() == [FRAMES - 6]


def test_a_track_that_begins_late_is_heard_from_its_own_first_frame():
    _, heard = _extract(SyncSettings(), blind=7)
    assert len(heard.frames) == FRAMES - 1 - 7
    assert abs(int(heard.frames[0, 112, 112, 2]) - (RED - 8)) <= 1
    assert (heard.samples[0], heard.samples[-1]) == (9, FRAMES)


def test_without_sound_or_without_a_face_there_is_a_reason():
    extractor = LipSync(SyncSettings())
    extractor._network, extractor._detector = _Ears(), _Eyes(FRAMES)
    view = _view()
    with pytest.raises(ItemRejected, match="no") as caught:
        extractor.extract(view)
    assert caught.value.outcome.reason == "no_face"
    for sound, reason in ((None, "no_audio"), (np.zeros(9000, np.int16), "silent")):
        view.sound = sound
        with pytest.raises(ItemRejected) as caught:
            extractor.extract(view)
        assert caught.value.outcome.reason == reason
