"""What a recipe leaves open is chosen by the weights on the machine, and fingerprints say so."""

import shutil

import pytest

from talkingface_wild import weights
from talkingface_wild.engine.stage import Workplace
from talkingface_wild.media.sound import read_sound
from talkingface_wild.pipelines.clip_speech import SpeechConfig, SpeechEar
from talkingface_wild.pipelines.face_search import FaceSearchConfig
from talkingface_wild.pipelines.planning import plan_of
from talkingface_wild.pipelines.recipe import load_recipe


@pytest.fixture
def put(open_weight, monkeypatch, tmp_path):
    """``put("centerface")``: the open weight lies on this machine, which had none before."""
    folder = tmp_path / "weights"
    folder.mkdir()
    monkeypatch.setenv("TFW_WEIGHTS", str(folder))
    return lambda name: shutil.copy(open_weight(name), folder)


def prints(*settings):
    return {p.name: p.fingerprint for p in plan_of(load_recipe("embedded", settings)).stages}


def test_without_weights_all_is_as_it_was(put):
    assert FaceSearchConfig().here() == FaceSearchConfig("haar", 640, padding=0.25)
    assert SpeechConfig().here() == SpeechConfig("vad")
    assert prints() == prints("faces.detector=haar", "speech.method=vad")


def test_open_weights_are_taken_where_they_are_and_measure_anew(put, shared):
    before = prints()
    put("centerface")
    put("silero_vad")
    assert FaceSearchConfig().here() == FaceSearchConfig("centerface", 320, padding=0.1)
    assert SpeechConfig().here() == SpeechConfig("silero")
    now = prints()
    assert {name for name in now if now[name] != before[name]} >= {"faces", "speech", "liveness"}
    assert now["probe"] == before["probe"] and now["shots"] == before["shots"]
    # What a person chose stays.
    assert FaceSearchConfig("haar").here().detector == "haar"
    assert SpeechConfig("energy").here().method == "energy"
    # SCRFD goes before.
    weights.default_store().place("scrfd_500m", shared / "weights/scrfd_500m_kps.onnx", "a test")
    assert FaceSearchConfig().here().detector == "scrfd_500m"


def test_a_plan_runs_what_was_chosen_and_a_recipe_keeps_what_was_left_open(put):
    put("centerface")
    recipe = load_recipe("embedded")
    configs = {planned.name: planned.config for planned in plan_of(recipe).stages}
    assert configs["faces"].detector == "centerface"
    assert "detector: auto" in recipe.dump()


def test_music_is_no_speech_to_the_network(put, shared, tmp_path):
    """WebRTC's detector took all of it for speech, so that a gate on speech kept songs."""
    put("silero_vad")
    place = Workplace(tmp_path)
    network, detector = SpeechEar(SpeechConfig(), place), SpeechEar(SpeechConfig("vad"), place)
    for name in ("selfie_12", "three_faces"):
        samples = read_sound(shared / "media" / "clips" / f"{name}.mp4")
        assert network.hear(samples).speech_ratio <= 0.2 < 0.8 < detector.hear(samples).speech_ratio
    speech = read_sound(shared / "media" / "speech" / "de.flac")
    measures = network.hear(speech)
    assert measures.speech_ratio >= 0.7 and measures.method == "silero-vad-6.2.3"
    assert measures.flags.mean() == pytest.approx(measures.speech_ratio, abs=0.15)
    assert len(measures.flags) * measures.frame_seconds == pytest.approx(
        len(speech) / 16e3, abs=0.04
    )
