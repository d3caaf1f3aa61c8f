"""What an export is asked for, and the folder that it writes: wrong wishes, other people's files,
runs that were killed between two steps. No data set and no network is needed here."""

import json
import os

import pytest

from talkingface_wild.core.errors import DiskFull, InputUnreadable, UsageError
from talkingface_wild.jobs.export.export_folder import MANIFEST, ExportFolder
from talkingface_wild.jobs.export.request import LAYOUT_NAMES, ExportRequest
from talkingface_wild.jobs.export.trainer_layout import check_room
from talkingface_wild.jobs.export.trainer_layouts import LAYOUTS
from talkingface_wild.pages.terminal.export import export_page
from tests.jobs.exported import refusal
from tests.pipelines.curated import tfw

KEY = {"layout": "hallo", "size": None}


def test_each_name_has_its_layout_and_its_next_steps(tmp_path):
    assert tuple(LAYOUTS) == LAYOUT_NAMES
    for name, layout in LAYOUTS.items():
        assert layout.name == name
        assert all(str(tmp_path) in step for step in layout(None).next_steps(tmp_path)[:1])


def test_an_unknown_layout_gets_the_nearest_name(tmp_path):
    code, data, said = tfw("export", tmp_path, "--layout", "musetlak", "--json")
    assert code == 2 and "did you mean 'musetalk'" in data["data"]["error"]
    assert "stableavatar" in said


@pytest.mark.parametrize("size", [7, 63, 129, 5000])
def test_sizes_that_no_video_can_have_are_refused(size, tmp_path):
    with pytest.raises(UsageError, match="size"):
        ExportRequest(set_folder=tmp_path, layout="hallo", size=size)


def test_the_folder_lies_beside_the_set(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert ExportRequest(set_folder="set", layout="hallo").target == tmp_path / "set_hallo"
    assert ExportRequest(set_folder="set", layout="hallo", out="x").target == tmp_path / "x"


def test_no_data_set_is_no_data_set(tmp_path):
    said = refusal(InputUnreadable, tmp_path / "none", "hallo", tmp_path / "out")
    assert "tfw curate" in said and not list(tmp_path.iterdir())


def test_a_set_that_kept_nothing_says_so(read_only, tmp_path):
    said = refusal(
        InputUnreadable, read_only.out, "webdataset", tmp_path / "out", where="speech_ratio > 9"
    )
    assert "speech_ratio > 9" in said and "tfw ls" in said


@pytest.mark.parametrize("folder", ["my videos", "old.images", "a.mp4.d"])
def test_a_path_that_hallo_would_misread_is_refused(folder, tmp_path):
    said = refusal(UsageError, tmp_path / "set", "hallo", tmp_path / folder / "out")
    assert "loader of hallo" in said
    said = refusal(UsageError, tmp_path / "set", "stableavatar", tmp_path / "singing" / "out")
    assert "'singing'" in said


def test_a_line_break_in_a_path_would_break_lists(tmp_path):
    assert "one line" in refusal(UsageError, tmp_path / "set", "latentsync", tmp_path / "a\nb")


def test_room_is_counted_before_the_first_byte(tmp_path):
    check_room(10, 10, tmp_path)
    with pytest.raises(DiskFull, match="about 1,001 bytes.*found 1,000"):
        check_room(1001, 1000, tmp_path)


def test_a_disk_that_fills_up_is_told_and_nothing_half_stays(tmp_path):
    folder = ExportFolder(tmp_path / "out", KEY)
    folder.begin()
    with pytest.raises(DiskFull, match="is full"), folder.staging() as staging:
        (staging / "a.txt").write_text("half")
        with open("/dev/full", "w") as stream:
            stream.write("x" * 100_000)
    assert not list((tmp_path / "out" / ".export" / "staging").iterdir())


def test_a_unit_is_there_whole_or_not_at_all(tmp_path):
    folder = ExportFolder(tmp_path / "out", KEY)
    folder.check()
    folder.begin()
    with pytest.raises(KeyboardInterrupt), folder.staging() as staging:
        (staging / "a.txt").write_text("half")
        raise KeyboardInterrupt
    assert folder.record("a") is None and not (tmp_path / "out" / "a.txt").exists()
    with folder.staging() as staging:
        (staging / "a.txt").write_text("whole")
        (staging / "pictures").mkdir()
        (staging / "pictures" / "1.png").write_text("1")
        folder.publish("a", staging, ("a.txt", "pictures"), {"n": 1})
    assert folder.record("a") == {"n": 1}
    assert (tmp_path / "out" / "pictures" / "1.png").read_text() == "1"


def test_a_run_killed_between_moving_and_noting_is_made_again(tmp_path):
    for text in ("first", "second"):
        folder = ExportFolder(tmp_path / "out", KEY)
        folder.check()
        folder.begin()
        with folder.staging() as staging:
            (staging / "pictures").mkdir()
            (staging / "pictures" / f"{text}.png").write_text(text)
            folder.publish("a", staging, ("pictures",), {})
        os.unlink(tmp_path / "out" / ".export" / "records" / "a.json")
    assert [path.name for path in (tmp_path / "out" / "pictures").iterdir()] == ["second.png"]


def test_the_end_leaves_the_manifest_and_no_traces(tmp_path):
    folder = ExportFolder(tmp_path / "out", KEY)
    folder.begin()
    folder.finish({"lists/train.txt": "a\n"}, {"key": KEY, "clips": []})
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [MANIFEST, "lists"]
    assert ExportFolder(tmp_path / "out", KEY).manifest()["clips"] == []
    folder.begin()
    folder.clear()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names


def test_another_export_or_a_broken_one_is_told_apart(tmp_path):
    folder = ExportFolder(tmp_path / "out", KEY)
    folder.begin()
    with pytest.raises(UsageError, match="size None instead of 256"):
        ExportFolder(tmp_path / "out", {**KEY, "size": 256}).check()
    (tmp_path / "out" / ".export" / "key.json").write_text("{")
    with pytest.raises(InputUnreadable, match="remove the folder"):
        folder.check()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="found the file"):
        ExportFolder(tmp_path / "file", KEY).check()


def test_the_page_counts_exactly():
    data = {
        **{"out": "o", "layout": "hallo", "commit": 3, "clips": 2, "frames": 1200, "seconds": 48.0},
        **{"written": 1, "frames_without_face": 4, "left_out": {"no mesh": 1}, "manifest": "m"},
        "next": ["do this"],
    }
    page = export_page(json.loads(json.dumps(data)))
    assert "2 clips of commit 3 for hallo in o: 1,200 frames, 48 s; 1 written now." in page
    assert "Left out: 1 clip, no mesh." in page and "4 frames without a face" in page
    assert page.endswith("Next:\n  do this")
