"""What the open networks make of the demo corpus's faces, voices and music."""

from dataclasses import replace

import numpy as np
import pytest

from talkingface_wild.functional.face_region import region_of_box
from talkingface_wild.functional.mesh_measures import mouth_openings
from talkingface_wild.functional.speech_spans import speech_ratio
from talkingface_wild.functional.waveform import waveform
from talkingface_wild.perception.centerface import CenterFaceDetector
from talkingface_wild.perception.dlib_identity import SAME_DISTANCE, DlibIdentity
from talkingface_wild.perception.face_mesh import FaceMesh
from talkingface_wild.perception.silero_vad import SpeechDetector
from talkingface_wild.pipelines.demo import face, music, voice
from talkingface_wild.pipelines.demo.styles import STYLES


@pytest.fixture(scope="module")
def silero(open_weight):
    return SpeechDetector(open_weight("silero_vad")).open()


@pytest.fixture(scope="module")
def detector(open_weight):
    return CenterFaceDetector(open_weight("centerface")).open()


@pytest.mark.parametrize("language", STYLES)
def test_every_voice_is_speech(silero, language):
    spoken = voice.speak(6, STYLES[language][1], 5)
    assert speech_ratio(silero.probabilities(waveform(spoken.samples))) >= 0.6


@pytest.mark.parametrize("seed", range(4))
def test_music_is_not_speech(silero, seed):
    assert speech_ratio(silero.probabilities(waveform(music.play(6, seed)))) <= 0.2


def test_ten_persons_are_told_apart_and_each_is_itself_again(open_weight, detector):
    """The other picture is mirrored, nearer, and its mouth is open."""
    identity = DlibIdentity(open_weight("dlib_identity"), open_weight("dlib_points")).open()
    descriptors = []
    for look, _ in STYLES.values():
        other = replace(look, flip=not look.flip, view_width=look.view_width - 30)
        for shown, opening in ((look, 0.1), (other, 0.6)):
            frames = list(face.frames(shown, np.full(25, opening), 336, 336, 3))
            detection = detector.detect(frames[0])
            assert len(detection.boxes_N5) == 1
            descriptors.append(identity.of_points(frames[0], detection.points_N52)[0])
    apart = np.linalg.norm(np.array(descriptors)[:, None] - np.array(descriptors)[None], axis=2)
    persons = np.arange(len(descriptors)) // 2
    others = apart[persons[:, None] != persons[None]]
    assert apart[persons[:, None] == persons[None]].max() < SAME_DISTANCE < others.min()


@pytest.mark.parametrize("language", ["ar", "en", "zh"])
def test_the_mesh_sees_the_mouth_follow_the_voice(open_weight, detector, language):
    look, manner = STYLES[language]
    opening = voice.speak(3, manner, 5).opening
    frames = list(face.frames(look, opening, 336, 336, 5))
    detection = detector.detect(frames[0])
    region = region_of_box(detection.boxes_N5[0, :4], detection.points_N52[0])
    meshes = FaceMesh(open_weight("face_mesh")).open().follow(frames, lambda picture: region)
    assert (meshes.confidences_N > 0.5).all()
    assert np.corrcoef(mouth_openings(meshes.points_N4683), opening)[0, 1] > 0.8
