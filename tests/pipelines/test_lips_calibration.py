"""Calibration on made-up lips and sound: folds, clips that are off, what cannot be judged."""

import numpy as np
import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.perception.lips_network import LipsClip, LipsTraining
from talkingface_wild.pipelines.lips_calibration import SpeechClip, calibrate
from tests.functional.test_lips_match import clips as views

SHORT = LipsTraining(steps=200)


def speech(count: int, languages: str = "de", delays: dict[int, int] | None = None):
    """``count`` clips of 6.8 s, two of each source; ``delays`` moves the sound of some."""
    delays = delays or {}
    return [
        SpeechClip(
            f"c{number:02}",
            f"s{number // 2}",
            languages.split(",")[number % len(languages.split(","))],
            LipsClip(clip.lips, np.roll(clip.sound, delays.get(number, 0), axis=0)),
        )
        for number, clip in enumerate(views(count))
    ]


@pytest.fixture(scope="module")
def some_off():
    """Twenty clips, of which four have their sound off or another one's."""
    clips = speech(20, delays={2: 6, 7: -9, 13: 4})
    clips[18] = SpeechClip(
        "c18", "s9", "de", LipsClip(clips[18].windows.lips, clips[0].windows.sound)
    )
    return calibrate(clips, seed=1, training=SHORT)


def test_sound_that_is_off_is_found_though_it_was_in_the_set(some_off):
    offsets = {name: score.match.offset for name, score in some_off.scores.items()}
    assert (offsets["c02"], offsets["c07"], offsets["c13"]) == (-6, 9, -4)
    right = [name for name in offsets if name not in ("c02", "c07", "c13", "c18")]
    assert all(offsets[name] == 0 for name in right)
    assert set(some_off.left_out) == {"c02", "c07", "c13", "c18"}


def test_another_ones_sound_stays_below_the_threshold(some_off):
    everything = some_off.thresholds[0]
    assert everything.language == "all" and everything.auc > 0.9
    heights = {name: score.height for name, score in some_off.scores.items()}
    assert heights["c18"] <= everything.threshold < heights["c00"]
    low, high = everything.false_accepts
    assert low < 0.05 < high and everything.true_accepts > 0.8


def test_no_clip_is_judged_by_a_network_that_saw_its_source(some_off):
    folds = {name: score.fold for name, score in some_off.scores.items()}
    assert all(folds[f"c{2 * s:02}"] == folds[f"c{2 * s + 1:02}"] for s in range(10))
    assert len(some_off.networks) == len(set(folds.values())) == 5


def test_the_order_of_the_clips_changes_nothing():
    few, brief = speech(12), LipsTraining(steps=10)
    one, other = calibrate(few, training=brief), calibrate(few[::-1], training=brief)
    assert one.scores == other.scores and one.thresholds == other.thresholds


def test_a_language_of_three_clips_cannot_be_judged_and_says_what_it_lacks():
    clips = speech(15, languages="de,de,de,de,ja")
    answer = calibrate(clips, training=LipsTraining(steps=10))
    all_of_them, german, japanese = answer.thresholds
    assert all_of_them.reason == german.reason == ""
    assert "cannot be judged: 3 clips, 10 are needed and 0.7 more minutes" in japanese.reason
    assert japanese.auc is None and japanese.threshold is None


def test_one_source_and_too_little_speech_are_one_sentence_each():
    lone = [SpeechClip(c.clip_id, "s0", c.language, c.windows) for c in speech(12)]
    with pytest.raises(InputUnreadable, match="at least two sources, found 1 source"):
        calibrate(lone)
    with pytest.raises(InputUnreadable, match=r"at least 65 s .* found 27 s; add 38 s"):
        calibrate(speech(4))


def test_a_clip_without_a_face_is_told_apart_and_not_judged():
    clips = speech(12)
    clips[3].windows.lips[:] = np.nan
    answer = calibrate(clips, training=LipsTraining(steps=10))
    assert answer.scores["c03"].match is None and answer.scores["c03"].fold == -1


def test_a_frame_by_which_all_are_late_is_said_of_each():
    """What lips and sound share around the frame outweighs what they were trained on."""
    answer = calibrate(speech(12, delays=dict.fromkeys(range(12), 1)), folds=3, training=SHORT)
    assert {score.match.offset for score in answer.scores.values()} == {-1}


def test_sound_that_is_far_off_everywhere_teaches_nothing_and_is_one_sentence():
    """It ended in a traceback: no clip was left for the second training."""
    with pytest.raises(InputUnreadable, match="found 0 of 12: .* one and the same offset"):
        calibrate(speech(12, delays=dict.fromkeys(range(12), 5)), folds=3, training=SHORT)


def test_a_clip_too_short_for_a_null_has_no_height():
    """Two seconds hold no turn, and three strangers are no spread."""
    clips = speech(12)
    short = LipsClip(clips[0].windows.lips[:55], clips[0].windows.sound[:55])
    joined = [
        SpeechClip(f"l{place}", "two", "de", LipsClip(np.concatenate(lips), np.concatenate(sounds)))
        for place in range(3)
        for lips, sounds in [
            zip(*((c.windows.lips, c.windows.sound) for c in clips[place::3]), strict=True)
        ]
    ]
    answer = calibrate(
        [SpeechClip("a", "one", "de", short), *joined], folds=2, training=LipsTraining(steps=10)
    )
    score = answer.scores["a"]
    assert score.match is not None and len(score.null_margins) == 3 and score.height is None
    assert answer.scores["l0"].height is not None


def test_an_interrupted_training_raises_before_anything_is_judged():
    def stop(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate(speech(12), training=LipsTraining(steps=2), listen=stop)
