"""Each stage by itself, on a small talking face: what it measures, and of what."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from talkingface_wild.core.outcome import Done, Rejected
from talkingface_wild.engine.stage import Item
from talkingface_wild.functional.face_samples import Detection
from talkingface_wild.pipelines import face_search
from talkingface_wild.pipelines.clip_crops import (
    CLIP_CROPS,
    LIP_CROPS,
    SPEAKER_CROPS,
    ensure_lip_crops,
    ensure_speaker_crops,
)
from talkingface_wild.pipelines.stages import stage_class
from tests.pipelines.conftest import SECONDS


def test_probe(clip_item):
    values = clip_item.item.values
    assert (values["width"], values["height"], values["source_fps"]) == (192, 192, 25.0)
    assert values["has_audio"] is True
    assert values["usable_end_seconds"] == pytest.approx(SECONDS, abs=0.1)


def test_download_takes_a_local_file_as_it_is(clip_item, talking_face):
    values = clip_item.measure("download")
    assert values["source_bytes"] == talking_face.stat().st_size
    assert values.get("download_path") is None


def test_shots_leave_an_uncut_take_whole(clip_item):
    outcome = clip_item.outcome("shots", tail="keep", least_seconds=1.0)
    (child,) = outcome.children
    assert child.values["start_seconds"] == 0
    assert child.values["clip_seconds"] == clip_item.item.values["clip_seconds"]


def test_speech(clip_item):
    values = clip_item.measure("speech")
    assert 0.3 < values["speech_ratio"] <= 1
    assert -40 < values["loudness_dbfs"] < 0


def test_faces(clip_item):
    values = clip_item.measure("faces")
    assert values["face_presence_ratio"] == 1
    assert values["second_face_ratio"] == 0
    assert len(values["face_boxes"]) == 4 * len(values["face_times"]) >= 4 * 9
    assert 60 < values["face_side_px"] < 192
    assert "start_seconds" not in values


def test_sharpness(clip_item):
    clip_item.measure("faces")
    values = clip_item.measure("sharpness")
    assert values["sharpness_least"] <= values["sharpness"]
    assert 20 < values["brightness"] < 235


def test_liveness(clip_item):
    clip_item.measure("faces")
    assert clip_item.measure("liveness")["mouth_change_speech"] > 0.5


def test_prints(clip_item):
    clip_item.measure("faces")
    values = clip_item.measure("prints")
    assert len(values["picture_print"]) == 16 * 2
    assert values["sound_print"]


def test_encode(clip_item):
    clip_item.measure("faces")
    values = clip_item.measure("encode", size=64)
    assert (clip_item.place.out / values["media_path"]).is_file()
    assert values["media_frames"] == round(clip_item.item.values["clip_seconds"] * 25)


def test_a_cache_holds_the_same_whatever_weights_the_machine_has(clip_item, tmp_path):
    """Fails before: whether the weights of SyncNet were there decided what was kept of a clip."""
    clip_item.measure("faces")
    clip_item.measure("sharpness")
    kept = CLIP_CROPS.folder(clip_item.item, clip_item.place)
    assert [path.name for path in kept.iterdir()] == ["crops.npz"]
    assert not LIP_CROPS.folder(clip_item.item, clip_item.place).exists()
    alone = ensure_lip_crops(clip_item.item, clip_item.place)
    reads_both = replace(clip_item.place, out=tmp_path / "other", caches=frozenset({"lip_crops"}))
    other = replace(clip_item, place=reads_both)
    other.measure("sharpness")
    along = np.load(LIP_CROPS.folder(other.item, other.place) / "lips.npy")
    np.testing.assert_array_equal(alone, along)


def test_the_speakers_crops_are_the_middle_of_syncnets_in_grey(clip_item, tmp_path):
    """As published: what SyncNet sees, 224 px in grey, and of it the middle 112."""
    clip_item.measure("faces")
    alone = ensure_speaker_crops(clip_item.item, clip_item.place)
    lips = ensure_lip_crops(clip_item.item, clip_item.place)
    expected = [cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)[56:168, 56:168] for crop in lips]
    np.testing.assert_array_equal(alone, expected)
    # In one decode with others they are the same.
    caches = frozenset({"lip_crops", "speaker_crops"})
    place = replace(clip_item.place, out=tmp_path / "other", caches=caches)
    replace(clip_item, place=place).measure("sharpness")
    along = np.load(SPEAKER_CROPS.folder(clip_item.item, place) / "faces.npy")
    np.testing.assert_array_equal(along, alone)


class _Scripted:
    """A detector that sees so many faces in each sample, one after the other."""

    def __init__(self, counts):
        self.counts = list(counts)

    def open(self, device):
        return self

    def detect(self, rgb):
        boxes = [[20, 20, 100, 100, 0.9], [110, 20, 190, 100, 0.8]][: self.counts.pop(0)]
        return Detection(np.array(boxes, np.float32).reshape(-1, 5), None)


def _scripted(monkeypatch, counts):
    detector = _Scripted(counts)
    monkeypatch.setattr(face_search, "make_detector", lambda *settings: detector)
    return detector


def test_a_clip_is_cut_where_the_face_is_gone_and_measured_by_another_stage(clip_item, monkeypatch):
    """Fails before: one stage did both, a Measure that made clips."""
    detector = _scripted(monkeypatch, [1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    settings = {"longest_gap_seconds": 0.3, "least_seconds": 0.3}
    outcome = clip_item.outcome("face_cuts", **settings)
    assert [child.values["start_seconds"] for child in outcome.children] == [0.0, 1.0]
    assert outcome.children[0].values["end_seconds"] == 0.4
    assert all(
        set(child.values) <= {c.name for c in stage_class("face_cuts").columns}
        for child in outcome.children
    )
    detector.counts = []
    second = outcome.children[1]
    item = clip_item.item
    values = {**item.values, **second.values}
    clip_item.item = Item(second.id, "clip", "en", {**item.payload, **second.payload}, values)
    assert clip_item.measure("faces")["face_presence_ratio"] == 1, "the samples are kept"
    assert clip_item.item.values["face_times"][0] == 1.0


@pytest.mark.parametrize(("count", "reason"), [(0, "no_face"), (2, "multiple_faces")])
def test_what_is_too_short_to_cut_is_rejected_for_what_was_in_the_way(
    clip_item, monkeypatch, count, reason
):
    """Fails before: a bound of 0.02 in the stage, beside the gate's, chose between the two."""
    _scripted(monkeypatch, [1, 1, 1, count, count, 1, 1, 1, 1, 1, 1, 1])
    outcome = clip_item.outcome("face_cuts", longest_gap_seconds=0.3, least_seconds=5.0)
    assert isinstance(outcome, Rejected)
    assert outcome.reason == reason


def test_a_clip_without_a_violation_goes_on_as_it_is(clip_item, monkeypatch):
    _scripted(monkeypatch, [1] * 12)
    assert clip_item.outcome("face_cuts") == Done()
