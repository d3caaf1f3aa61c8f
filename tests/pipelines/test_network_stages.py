"""The stages that need a network's weights: what they hand to it, and what they make of its answer.

Stand-ins answer in the place of the networks, which have tests of their own in tests/perception.
"""

import base64
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from talkingface_wild.core.outcome import Done
from talkingface_wild.pipelines.stages import stage_class


@pytest.fixture
def answering(monkeypatch):
    """``answering(STAGE, **methods)`` gives the stage a network that answers by these methods."""

    def answer(name, **methods):
        network = SimpleNamespace(**methods)
        monkeypatch.setattr(
            stage_class(name), "open", lambda stage: setattr(stage, "_perceiver", network)
        )

    return answer


def test_language_is_the_most_probable_and_the_claimed_one_is_compared(clip_item, answering):
    heard = []

    def probabilities(samples):
        heard.append(samples)
        return {"en": 0.25, "de": 0.5, "fr": 0.25}

    answering("language", probabilities=probabilities)
    assert clip_item.measure("language") == {
        "spoken_language": "de",
        "spoken_probability": 0.5,
        "claimed_probability": 0.25,
    }
    assert len(heard[0]) == pytest.approx(16000 * clip_item.item.values["clip_seconds"], abs=1)


def test_language_of_a_clip_without_sound_is_null(clip_item, answering):
    answering("language")
    clip_item.item = replace(clip_item.item, values={**clip_item.item.values, "has_audio": False})
    assert clip_item.outcome("language") == Done({})


def test_quality_is_the_mean_and_the_least_of_crops_and_whole_frames(clip_item, answering):
    def score_images(images, patches):
        assert patches == "centre"
        first = 10.0 if images[0].shape[:2] == (512, 512) else 60.0
        return first + np.arange(len(images), dtype=float)

    answering("quality", score_images=score_images)
    clip_item.measure("faces")
    values = clip_item.measure("quality", patches="centre")
    assert (values["quality_crop_mean"], values["quality_crop_least"]) == (13.5, 10.0)
    assert (values["quality_frame_mean"], values["quality_frame_least"]) == (63.5, 60.0)
    assert values["quality_backend"] == "hyperiqa/hyperiqa_koniq_pyiqa/centre"
    only_crop = clip_item.measure("quality", patches="centre", whole_frame=False, frames=4)
    assert only_crop["quality_crop_mean"] == 11.5
    assert "quality_frame_mean" not in only_crop


def test_sync_measures_the_offset_and_keeps_what_it_measured(clip_item, answering):
    """Sound two frames early: found as an offset of 2, and corrected in the second look."""
    random = np.random.default_rng(0)
    lips_TD = random.normal(size=(46, 64)).astype(np.float32)
    calls = []

    def embed(lips, samples):
        assert lips.shape[1:] == (224, 224, 3)
        calls.append(samples)
        sounds_TD = np.roll(lips_TD, -2, axis=0) if len(calls) == 1 else lips_TD
        return SimpleNamespace(lips=lips_TD, sounds=sounds_TD)

    answering("sync", embed=embed)
    clip_item.measure("faces")
    values = clip_item.measure("sync")
    assert abs(values["sync_offset"]) == values["sync_offset_size"] == 2
    assert values["sync_correction"] == values["sync_offset"]
    assert values["sync_thirds_spread"] == 0
    assert values["sync_distance"] == pytest.approx(0.0, abs=1e-3)
    shift = 640 * values["sync_offset"]
    moved, still = (calls[1], calls[0]) if shift > 0 else (calls[1][::-1], calls[0][::-1])
    assert np.array_equal(moved[abs(shift) :], still[: -abs(shift)])
    with np.load(clip_item.place.out / values["sync_features"]) as data:
        assert np.array_equal(data["lips"], lips_TD.astype(np.float16))


def test_identity_is_the_mean_of_the_aligned_faces_embeddings(clip_item, answering):
    def embed(aligned):
        assert aligned.shape == (8, 112, 112, 3)
        rows = np.zeros((8, 512), np.float32)
        rows[:4, 0] = rows[4:, 1] = 1.0
        return rows

    answering("identity", embed=embed)
    faces = clip_item.measure("faces")
    boxes = np.asarray(faces["face_boxes"]).reshape(-1, 2, 2)
    places = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    points = boxes[:, :1] + places * (boxes[:, 1:] - boxes[:, :1])
    clip_item.item = replace(
        clip_item.item, values={**clip_item.item.values, "face_points": points.ravel().tolist()}
    )
    values = clip_item.measure("identity")
    embedding = np.frombuffer(base64.b64decode(values["identity_embedding"]), np.float16)
    assert embedding[:3] == pytest.approx([2**-0.5, 2**-0.5, 0.0], abs=1e-3)
    assert values["identity_agreement"] == pytest.approx(2**-0.5, abs=1e-3)


def test_identity_is_null_where_the_detector_gives_no_points(clip_item, answering):
    answering("identity")
    clip_item.measure("faces")
    assert clip_item.outcome("identity") == Done({})
