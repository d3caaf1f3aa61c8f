"""A data set as training reads it: pictures, sound and face tracks of the finished clips."""

import json
import shutil

import av
import numpy as np
import pandas as pd
import pytest
import torch

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.jobs.train.data import training_clips
from talkingface_wild.jobs.train.sample_videos import sample_writer
from talkingface_wild.media.container_probe import probe
from talkingface_wild.media.decode import frames as decoded
from talkingface_wild.media.generated_video import write_video
from talkingface_wild.media.sound import read_sound, write_wav
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.features import cache_features
from tests.models.mcdm.made import made_parts

FRAMES, SIDE = 30, 96
START, LEFT, TOP, CROP = 2.4, 40, -20, 200
"""The clips' start in the source, and their crop window there; it reaches above the picture."""


def grey_at(frame):
    return 30 + 6 * frame


def loudness_at(seconds):
    return np.where(seconds < 0.6, 1000, 8000)


def write_clip(out, name):
    """A video whose grey tells the frame, a red square in its lower right, a step in its sound."""
    levels = np.array([grey_at(frame) for frame in range(FRAMES)], np.uint8)
    pictures = np.repeat(levels, SIDE * SIDE * 3).reshape(FRAMES, SIDE, SIDE, 3)
    pictures[:, 64:88, 64:88] = (250, 0, 0)
    times = np.arange(round(FRAMES / 25 * 16000)) / 16000
    sound = (loudness_at(times) * np.sin(2 * np.pi * 200 * times)).astype(np.int16)
    media, audio = (f"media/en/{name}.{kind}" for kind in ("mp4", "wav"))
    (out / "media/en").mkdir(parents=True, exist_ok=True)
    write_wav(out / audio, sound, 16000)
    write_video(out / media, [pictures], out / audio)
    return {"media_path": media, "audio_path": audio, "media_sha256": f"m{name}"}


def write_tables(out, rows, tracks=None):
    """The layout of a commit, by hand."""
    shutil.rmtree(out / "dataset", ignore_errors=True)
    table = pd.DataFrame(rows)
    texts = {"clip_id", "split", "identity", "media_path", "media_sha256"} & set(table)
    table = table.astype(dict.fromkeys(texts, "string"))
    for language, part in table.groupby("language"):
        folder = out / "dataset" / "clips" / f"language={language}"
        folder.mkdir(parents=True)
        part.drop(columns="language").to_parquet(folder / "part-0.parquet")
    if tracks is not None:
        (out / "dataset" / "tracks").mkdir()
        pd.DataFrame(tracks).to_parquet(out / "dataset" / "tracks" / "part-0.parquet")
    (out / "dataset" / "manifest.json").write_text(json.dumps({"format": 1}))


def row(name, split="train", language="en", **more):
    place = {"crop_left": LEFT, "crop_top": TOP, "crop_side": CROP, "start_seconds": START}
    told = {"identity": None, "identity_group": "g1", "source_id": "s1", "fps": 25.0}
    paths = {"media_path": f"media/en/{name}.mp4", "audio_path": f"media/en/{name}.wav"}
    known = {"clip_id": name, "split": split, "language": language, "media_frames": FRAMES}
    return known | place | told | paths | {"media_sha256": f"m{name}"} | more


def track(name, points=True):
    """Samples at 5 a second on the source's clock; the face moves right by 10 px each."""
    times = START + np.arange(0, 1.3, 0.2)
    moved = 10.0 * np.arange(len(times))
    boxes = np.stack([80 + moved, 0 * moved, 160 + moved, 100 + 0 * moved], axis=1)
    across, down = np.array([100, 140, 120, 105, 135]), np.array([40, 40, 60, 80, 80])
    places = np.stack([across + moved[:, None], np.broadcast_to(down, (len(times), 5))], axis=2)
    return {
        "clip_id": name,
        "face_times": times.tolist(),
        "face_boxes": boxes.ravel().tolist(),
        "face_points": places.ravel().tolist() if points else None,
    }


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Four finished clips; tests write tables beside copies of them."""
    out = tmp_path_factory.mktemp("data")
    for name in ("a1", "b2", "c3", "d4"):
        write_clip(out, name)
    return out


@pytest.fixture
def data(media, tmp_path):
    """A data set of four clips: two to learn from, one for validation, one for tests."""
    shutil.copytree(media, tmp_path / "set")
    rows = [row("c3", "val"), row("a1"), row("b2", language="ko", identity="p"), row("d4", "test")]
    write_tables(tmp_path / "set", rows, [track("a1"), track("b2", points=False), track("c3")])
    return tmp_path / "set"


def pictures(clip):
    return np.concatenate(list(clip.frames()))


def test_frames_come_at_side_and_rate_from_the_first_to_the_last(data):
    first = training_clips(data, "train", 48, 25)[0]
    shown = pictures(first)
    assert shown.shape == (FRAMES, 48, 48, 3) and shown.dtype == np.uint8
    grey = shown[:, :24, :24].mean(axis=(1, 2, 3))
    assert np.abs(grey - [grey_at(frame) for frame in range(FRAMES)]).max() < 3
    assert (shown[:, 34:42, 34:42, 0] > 180).all() and (shown[:, 34:42, 34:42, 1] < 60).all()
    assert pictures(first).shape == shown.shape


def test_other_rates_and_larger_sides_are_met(data):
    assert pictures(training_clips(data, "train", 128, 25)[0]).shape == (FRAMES, 128, 128, 3)
    slower = training_clips(data, "train", 32, 5)[0]
    shown = pictures(slower)
    assert shown.shape == (6, 32, 32, 3)
    assert (
        np.abs(shown[:, :8, :8].mean(axis=(1, 2, 3)) - [grey_at(5 * k) for k in range(6)]).max() < 6
    )
    assert slower.points_TP2.shape == (6, 5, 2)


def test_the_sound_begins_with_the_first_frame(data):
    sound = training_clips(data, "train", 48, 25)[0].sound()
    assert sound.dtype == np.int16 and len(sound) == FRAMES * 640
    level = np.abs(sound.astype(float)).reshape(-1, 640).max(axis=1)
    assert level[13] < 1200 and level[16] > 7000


def test_tracks_are_brought_to_the_crop_and_to_every_frame(data):
    with_points, without = training_clips(data, "train", 48, 25)
    # In source pixels the left eye is at 100 + 2 px a frame, 40; the crop begins at 40, -20.
    frames = np.arange(FRAMES)
    eye = with_points.points_TP2[:, 0]
    np.testing.assert_allclose(eye[:, 0], (100 + 2 * frames - 40) / 200, atol=1e-6)
    np.testing.assert_allclose(eye[:, 1], (40 + 20) / 200, atol=1e-6)
    assert with_points.points_TP2.shape == (FRAMES, 5, 2)
    box = with_points.face_boxes_T4[5]
    np.testing.assert_allclose(box, [(90 - 40) / 200, 0.1, (170 - 40) / 200, 0.6], atol=1e-6)
    assert without.points_TP2 is None and without.face_boxes_T4.shape == (FRAMES, 4)


def test_training_sees_train_and_val_in_order_and_never_test(data):
    clips = training_clips(data, None, 48, 25)
    assert [(clip.clip_id, clip.split) for clip in clips] == [
        ("a1", "train"),
        ("b2", "train"),
        ("c3", "val"),
    ]
    assert [clip.language for clip in clips] == ["en", "ko", "en"]
    assert [clip.identity for clip in clips] == ["g1", "p", "g1"]
    assert clips[0].facts == {"media_sha256": "ma1", "source_id": "s1"}
    assert [clip.clip_id for clip in training_clips(data, "test", 48, 25)] == ["d4"]


def test_without_tracks_or_places_there_are_none(data):
    write_tables(data, [row("a1", crop_side=None), row("c3", "val")], [track("a1")])
    assert all(clip.face_boxes_T4 is None for clip in training_clips(data, None, 48, 25))
    write_tables(data, [row("a1")])
    assert training_clips(data, None, 48, 25)[0].points_TP2 is None


def test_clips_that_are_not_finished_are_left_out(data):
    write_tables(data, [row("a1"), row("b2", media_path=None)])
    assert [clip.clip_id for clip in training_clips(data, None, 48, 25)] == ["a1"]


@pytest.mark.parametrize("column", ["clip_id", "split", "media_path"])
def test_a_needed_column_that_lacks_is_named(data, column):
    rows = [row("a1"), row("c3", "val")]
    write_tables(data, [{k: v for k, v in r.items() if k != column} for r in rows])
    with pytest.raises(InputUnreadable, match=f"found no {column}; run 'tfw curate") as caught:
        training_clips(data, None, 48, 25)
    assert caught.value.exit_code == 5
    if column != "clip_id":
        write_tables(data, [r | {column: None} for r in rows])
        with pytest.raises(InputUnreadable, match=f"found no {column}"):
            training_clips(data, None, 48, 25)


def test_what_is_no_data_set_is_said(data, tmp_path):
    with pytest.raises(InputUnreadable, match="no finished commit.*tfw curate"):
        training_clips(tmp_path / "nowhere", None, 48, 25)
    (data / "dataset/clips/language=en/part-0.parquet").write_bytes(b"no table")
    with pytest.raises(InputUnreadable, match="'clips'.*none that can be read"):
        training_clips(data, None, 48, 25)


def test_splits_without_clips_and_media_that_are_gone_are_said(data):
    write_tables(data, [row("d4", "test")])
    with pytest.raises(InputUnreadable, match="split train or val .*found none"):
        training_clips(data, None, 48, 25)
    write_tables(data, [row("a1"), row("c3", "val")])
    shutil.rmtree(data / "media")
    with pytest.raises(
        InputUnreadable, match=r"none of 2 \(the first: media/en/a1\.mp4\)"
    ) as caught:
        training_clips(data, None, 48, 25)
    assert caught.value.exit_code == 5


def test_single_broken_files_show_when_they_are_read(data):
    (data / "media/en/a1.mp4").unlink()
    (data / "media/en/c3.mp4").write_bytes(b"no video")
    gone, well, broken = training_clips(data, None, 48, 25)
    for clip in (gone, broken):
        with pytest.raises((ItemRejected, ItemFailed)):
            pictures(clip)
    assert len(pictures(well)) == FRAMES


def test_a_picture_that_is_no_square_is_refused(data):
    wide = np.zeros((FRAMES, 64, 128, 3), np.uint8)
    write_video(data / "media/en/a1.mp4", [wide], data / "media/en/a1.wav")
    with pytest.raises(InputUnreadable, match="square pictures, found 48 x 24"):
        pictures(training_clips(data, "train", 48, 25)[0])


def test_features_of_a_data_set(data, tmp_path):
    (data / "media/en/b2.mp4").write_bytes(b"no video")
    parts, told = made_parts(), []
    clips = training_clips(data, None, 64, 25)
    summary = cache_features(parts, clips, tmp_path / "features", tell=told.append)
    assert list(summary.broken) == ["b2"] and any("b2 left out" in line for line in told)
    found = {
        clip.clip_id: clip for clip in CachedClip.read_folder(tmp_path / "features", crops=True)
    }
    assert list(found) == ["a1", "c3"]
    a1 = found["a1"]
    assert a1.frames == FRAMES and a1.facts["mouth_from"] == "points"
    assert a1.facts["media_sha256"] == "ma1" and a1.facts["split"] == "train"
    quiet = parts.sound_features.rows(np.zeros(64000, np.int16), 0, 1)
    assert (a1.sound_TE.float().mean(dim=1) > quiet.mean()).all()
    assert torch.equal(found["c3"].lips_TSSC, a1.lips_TSSC)


def levels(path):
    sound = read_sound(path)
    return np.abs(sound[: len(sound) // 640 * 640].astype(float)).reshape(-1, 640).max(axis=1)


def test_a_sample_video_has_the_clips_sound_and_says_what_it_is(data, tmp_path):
    path = tmp_path / "samples" / "stage3.mp4"
    sample_writer(data)(path, "a1", np.full((24, 64, 128, 3), 99, np.uint8))
    facts = probe(path)
    assert (facts.width, facts.height) == (128, 64)
    assert len(list(decoded(path))) == 24
    found = levels(path)
    assert len(found) >= 24 and found[12] < 2000 < 6000 < found[18]
    with av.open(str(path)) as container:
        assert "AI-generated" in container.metadata["comment"]
    names = sorted(entry.name for entry in path.parent.iterdir())
    assert names == ["stage3.mp4", "stage3.mp4.json"]


def test_the_end_of_a_clip_is_heard_from_where_it_begins(data, tmp_path):
    sample_writer(data)(tmp_path / "v.mp4", "a1-from10", np.zeros((12, 64, 128, 3), np.uint8))
    found = levels(tmp_path / "v.mp4")
    assert found[2] < 2000 < 6000 < found[8]


def test_without_a_data_set_sample_videos_are_silent(data, tmp_path):
    write = sample_writer(None)
    for _ in range(2):
        write(tmp_path / "v.mp4", "a1", np.zeros((6, 64, 128, 3), np.uint8))
    assert len(list(decoded(tmp_path / "v.mp4"))) == 6 and not levels(tmp_path / "v.mp4").any()
    sample_writer(data)(tmp_path / "w.mp4", "unknown", np.zeros((6, 64, 128, 3), np.uint8))
    assert not levels(tmp_path / "w.mp4").any()
