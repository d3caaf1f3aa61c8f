"""Clips of a curated data set: which split, whose language and identity, and what is said."""

import pytest

from talkingface_wild.benchmark.clips import ClipSet, from_dataset
from talkingface_wild.core.errors import InputUnreadable
from tests.benchmark.films import COUNT, FPS, RATE, REAL, film, pictures, scored
from tests.dataset.fixture import Take, Video, make_data_set

VIDEOS = [
    Video("en/one.mp4", "en", [Take(10 * k, 10 * k + 8) for k in range(4)]),
    Video("ko/two.mp4", "ko", [Take(10 * k, 10 * k + 8) for k in range(4)]),
]


@pytest.fixture
def data_set(films, tmp_path):
    """A committed data set whose finished clips are real videos with sound."""
    import pandas as pd

    from talkingface_wild.media.sound import read_sound

    made = make_data_set(tmp_path / "set", VIDEOS)
    table = pd.read_parquet(made.out / "dataset" / "clips")
    sources = sorted((films / REAL).iterdir())
    for place, path in enumerate(sorted(table["media_path"])):
        source = sources[place % len(sources)]
        sound = read_sound(source, 0.0, COUNT / FPS, RATE)
        film(made.out / path, pictures(source, 24 + place), sound)
    return made.out


def test_a_split_holds_its_clips_with_language_and_identity(data_set):
    every = from_dataset(data_set, "all")
    test, train = from_dataset(data_set, "test"), from_dataset(data_set, "train")
    assert every.name == "set" and len(every.clips) == 8 and not every.notes
    assert {clip.split for clip in test.clips} == {"test"}
    assert len(test.clips) + len(train.clips) == 8
    assert {clip.language for clip in every.clips} == {"en", "ko"}
    assert len({clip.group for clip in every.clips}) == 2
    assert test.sha8 != train.sha8 != every.sha8
    assert from_dataset(data_set, "all").sha8 == every.sha8


def test_an_empty_split_is_said_and_all_clips_are_scored(data_set):
    found = from_dataset(data_set, "val")
    (note,) = found.notes
    assert "val" in note and "empty" in note and "all 8 clips" in note
    assert len(found.clips) == 8


def test_a_data_set_is_scored_on_its_own_clips_whole(data_set, pixels, tmp_path):
    asked = {"dataset": str(data_set), "split": "all", "protocol": pixels}
    real = scored(tmp_path / "real", model="groundtruth", **asked)
    still = scored(tmp_path / "still", model="static", **asked)
    assert real.run.scores["ssim"].value == 1.0 and real.run.scores["psnr"].value == 100.0
    for name in ("ssim", "psnr"):
        assert still.run.scores[name].value < real.run.scores[name].value
    signature = real.run.scores["ssim"].signature
    assert f"list=set:{real.run.list_sha8}" in signature and "≤40f@25" in signature
    rows = real.run.clips()
    assert sorted(rows["frames"]) == list(range(24, 32)), "each clip as long as it is"
    assert set(real.run.languages) == {"en", "ko"}
    empty = scored(tmp_path / "empty", model="static", **{**asked, "split": "val"}, limit=2)
    assert any("The split val" in note for note in empty.notes)
    assert "clips=2/8" in empty.run.scores["ssim"].signature


def test_a_data_set_called_by_a_dot_has_its_folders_name(data_set, monkeypatch):
    from pathlib import Path

    monkeypatch.chdir(data_set)
    assert from_dataset(Path()).name == "set"


def test_a_clip_whose_media_is_gone_is_a_row_with_a_reason(data_set, pixels, tmp_path):
    next((data_set / "store").rglob("*.mp4")).unlink()
    found = scored(
        tmp_path / "run", model="static", dataset=str(data_set), split="all", protocol=pixels
    )
    assert found.unscored == 1 and found.run.scores["ssim"].n == 7
    lost = found.run.clips().query("state == 'unscored'")
    assert list(lost["reason"]) == ["file_missing"]


def test_a_folder_without_a_data_set_is_an_error(tmp_path):
    with pytest.raises(InputUnreadable):
        from_dataset(tmp_path)


def test_a_limit_keeps_the_length_of_the_list():
    found = ClipSet("hdtf-100", "01234567", tuple(range(90)), listed=100)
    assert found.limited(10).listed == 100
    assert len(found.limited(10).clips) == 10
    assert found.limited(None) is found
