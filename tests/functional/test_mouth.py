import numpy as np
import pytest

from talkingface_wild.functional.mouth import flags_at, mouth_change
from talkingface_wild.pipelines.demo import face
from tests.functional.clips import pictures

COUNT = 120
SPEECH = np.arange(COUNT) % 40 < 25


def crops(opening_T: np.ndarray) -> np.ndarray:
    """Grey face crops of a swaying head, face in the middle as in the curation's crop window."""
    look = face.Look(view_width=152.0)
    frames = face.frames(look, opening_T, 256, 256, seed=4)
    grey = [(frame @ np.array([0.299, 0.587, 0.114])).astype(np.uint8) for frame in frames]
    return np.stack(grey)


def moved(photograph: np.ndarray) -> np.ndarray:
    """A photograph under a slow pan: whole pixels, wrapped round."""
    steps = np.round(12 * np.sin(np.arange(COUNT) / 12)).astype(int)
    return np.stack([np.roll(photograph, (step // 2, step), axis=(0, 1)) for step in steps])


@pytest.fixture(scope="module")
def talking():
    opening = np.where(SPEECH, 0.5 + 0.5 * np.sin(np.arange(COUNT) * 1.3), 0.0)
    return crops(opening)


def test_a_talking_face_moves_its_mouth_with_the_speech(talking):
    change = mouth_change(talking, SPEECH)
    assert change.ratio >= 2
    assert change.ratio_to_upper_face >= 2


def test_the_same_face_with_other_speech_does_not(talking):
    assert mouth_change(talking, ~SPEECH).ratio <= 0.5


def test_a_still_photograph_has_no_change(talking):
    change = mouth_change(np.repeat(talking[:1], COUNT, axis=0), SPEECH)
    assert change.in_speech == change.in_silence == change.ratio == 0


def test_a_photograph_that_is_moved_changes_no_more_in_speech(talking):
    change = mouth_change(moved(talking[0]), SPEECH)
    assert change.ratio < 1.5
    assert change.ratio_to_upper_face < 1.5


def test_a_flicker_of_the_light_is_no_movement(talking):
    light = np.random.default_rng(0).integers(-20, 20, COUNT)
    still = np.clip(talking[0].astype(int)[None] // 2 + 60 + light[:, None, None], 0, 255)
    assert mouth_change(still.astype(np.uint8), SPEECH).in_speech < 0.3


def test_without_a_pause_there_is_no_ratio_but_the_upper_face_tells(talking):
    speaking = np.flatnonzero(SPEECH)
    change = mouth_change(talking[speaking], np.ones(len(speaking), bool))
    assert change.in_silence is None
    assert change.ratio is None
    assert change.ratio_to_upper_face > 1.5


@pytest.mark.parametrize("name", ["hdtf_hill", "may"])
def test_real_talking_heads_move_their_mouths(shared, name):
    frames = np.stack(pictures(shared / "media" / "clips" / f"{name}.mp4", 25, 3.0))
    change = mouth_change(frames, np.ones(len(frames), bool))
    assert change.in_speech > 1.0


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_frames_give_no_value(talking, count):
    change = mouth_change(talking[:count], SPEECH[:count])
    assert (change.in_speech, change.in_silence, change.ratio) == (None, None, None)


def test_wrong_shapes_are_refused(talking):
    with pytest.raises(ValueError, match="one flag per crop"):
        mouth_change(talking, SPEECH[:-1])
    with pytest.raises(ValueError, match="32 px"):
        mouth_change(talking[:, :16, :16], SPEECH)


def test_flags_of_sound_become_flags_of_pictures():
    flags = np.array([False, True, True, True, False])
    # Pictures of 40 ms have their middles at 20, 60, 100, 140 and 180 ms; flags last 30 ms.
    assert flags_at(flags, 0.03, 5).tolist() == [False, True, True, False, False]
