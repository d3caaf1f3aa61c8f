"""The stages ``sound_quality`` and ``voices`` on real speech, under noise, and with two voices."""

import numpy as np
import pytest

from talkingface_wild.functional.speech_spans import spans_of_flags
from talkingface_wild.media.sound import read_sound
from talkingface_wild.pipelines.source_proxy import span_samples
from talkingface_wild.pipelines.stages import stage_class
from tests.pipelines.conftest import ClipItem

CLIPS = ("hdtf_hill", "hdtf_ocasio", "may", "head_3")


@pytest.fixture
def open_machine(open_weight, monkeypatch):
    """A machine that has the open weights."""
    for name in ("dnsmos", "voice_embedding", "silero_vad"):
        monkeypatch.setenv("TFW_WEIGHTS", str(open_weight(name).parent))


@pytest.fixture
def heard(open_machine, clip_item: ClipItem, monkeypatch):
    """``heard(STAGE, samples)``: what a stage says of a clip with this sound."""

    def answer(name, samples):
        monkeypatch.setattr(
            f"talkingface_wild.pipelines.stages.{name}.span_samples", lambda *_: samples
        )
        return clip_item.measure(name)

    return answer


@pytest.fixture(scope="module")
def speakers(shared):
    """Five seconds of four people."""
    folder = shared / "media" / "clips"
    return {name: read_sound(folder / f"{name}.mp4")[:80_000] for name in CLIPS}


def test_noise_is_heard(heard, speakers):
    speech = speakers["hdtf_hill"]
    noise = np.random.default_rng(0).normal(0, 0.1 * 32768, len(speech))
    noisy = np.clip(speech + noise, -32768, 32767).astype(np.int16)
    clean, worse = heard("sound_quality", speech), heard("sound_quality", noisy)
    assert clean["sound_background"] > worse["sound_background"] + 1
    assert clean["sound_quality"] > worse["sound_quality"] + 0.5
    assert heard("sound_quality", np.zeros(80_000, np.int16)) == {}


def test_a_second_voice_is_heard_where_it_begins(heard, speakers):
    alone = {name: heard("voices", sound) for name, sound in speakers.items()}
    assert all(values["voice_similarity"] > 0.75 for values in alone.values() if values), alone
    for one, other in (("hdtf_hill", "may"), ("head_3", "hdtf_ocasio")):
        values = heard("voices", np.concatenate([speakers[one], speakers[other]]))
        assert values["voice_similarity"] < 0.72, (one, other, values)
        assert values["voice_change_seconds"] == pytest.approx(5, abs=0.8)


def test_too_little_speech_says_nothing_of_voices(heard, speakers):
    assert heard("voices", speakers["may"][:40_000]) == {}
    assert heard("voices", np.zeros(80_000, np.int16)) == {}


def test_what_they_load_is_known_before(open_machine):
    voices = stage_class("voices")
    assert voices.weights(voices.Config("silero")) == ("voice_embedding", "silero_vad")
    assert stage_class("sound_quality").weights(None) == ("dnsmos",)


def test_spans_are_the_runs_of_flags():
    flags = np.array([1, 1, 0, 0, 1, 0], bool)
    assert spans_of_flags(flags, 0.5) == [(0.0, 1.0), (2.0, 2.5)]
    assert spans_of_flags(flags[2:4], 0.5) == []


def test_a_clip_of_the_cached_sound(open_machine, clip_item: ClipItem):
    values = clip_item.measure("sound_quality")
    assert set(values) <= {"sound_quality", "sound_signal", "sound_background"}
    assert len(span_samples(clip_item.item, clip_item.place)) > 16_000
