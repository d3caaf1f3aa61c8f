"""List files: what is written is read, and what is wrong is told with its line."""

import dataclasses
import hashlib
import random

import pytest

from talkingface_wild.benchmark.lists.clip_list import (
    COLUMNS,
    ListRow,
    hash_file,
    read_list,
    relative_crop,
    write_list,
)
from talkingface_wild.core.errors import CheckFailed, InputUnreadable
from talkingface_wild.media.geometry import Window

ROWS = [
    ListRow("b_0", "WDA/b", "", 5.0, 375, 0.25, 0.125, 0.5, "en", "b", "ab" * 40, "00ff"),
    ListRow("a, \"quoted\" 'clip' é", "x", "clips/a b.mp4", 0.04, 125, identity="a"),
]


def _write(tmp_path, *lines, heading="clip,source,start_seconds,frames,path"):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join((heading, *lines)) + "\n", encoding="utf-8")
    return path


def test_what_is_written_is_read(tmp_path):
    written = write_list(tmp_path / "mine.csv", ROWS)
    read = read_list(tmp_path / "mine.csv")
    assert read == written
    assert set(read.rows) == set(ROWS)
    assert read.name == "mine"
    assert read.file(read.rows[0]) == tmp_path / "clips" / "a b.mp4"
    assert read.file(read.rows[1]) is None
    assert (tmp_path / "mine.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    text = hash_file(tmp_path / "mine.csv").read_text()
    assert text.split() == [
        hashlib.sha256((tmp_path / "mine.csv").read_bytes()).hexdigest(),
        "mine.csv",
    ]


def test_the_file_does_not_depend_on_the_order(tmp_path):
    rows = [dataclasses.replace(ROWS[0], clip=f"clip{k}") for k in range(20)]
    first = write_list(tmp_path / "a.csv", rows)
    random.Random(3).shuffle(rows)
    second = write_list(tmp_path / "b.csv", rows)
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert first.sha8 == second.sha8


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"path": "other.mp4"}, True),
        ({"phash": "00" * 40, "sound_print": ""}, True),
        ({"crop_side": 0.51}, False),
        ({"frames": 374}, False),
        ({"start_seconds": 5.04}, False),
        ({"identity": "c"}, False),
    ],
)
def test_the_signature_follows_what_decides_a_number(tmp_path, change, same):
    one = write_list(tmp_path / "a.csv", ROWS)
    other = write_list(tmp_path / "b.csv", [dataclasses.replace(ROWS[0], **change), ROWS[1]])
    assert (one.sha8 == other.sha8) is same


def test_a_changed_list_is_refused_and_one_of_ones_own_is_not(tmp_path):
    path = tmp_path / "mine.csv"
    write_list(path, ROWS)
    path.write_text(path.read_text().replace("375", "374"))
    with pytest.raises(CheckFailed, match=r"mine\.sha256"):
        read_list(path)
    hash_file(path).unlink()
    assert {row.frames for row in read_list(path).rows} == {374, 125}


def test_an_empty_hash_file_is_a_failed_check(tmp_path):
    write_list(tmp_path / "mine.csv", ROWS)
    hash_file(tmp_path / "mine.csv").write_text("")
    with pytest.raises(CheckFailed):
        read_list(tmp_path / "mine.csv")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a,s,zero,125,", "start_seconds.*'zero'"),
        ("a,s,-1,125,", "0 or more"),
        ("a,s,nan,125,", "a number"),
        ("a,s,,125,", "0 or more"),
        ("a,s,0,0,", "frames between"),
        ("a,s,0,12.5,", "frames between"),
        ("a,s,0,99999999999999999999,", "frames between"),
        (",s,0,125,", "clip's id"),
        ("a,s,0,125,/etc/passwd", "inside the list's folder"),
        ("a,s,0,125,../../secret.mp4", "inside the list's folder"),
        ("a,s,0,125,.", "inside the list's folder"),
        ("a,s,0,125,x\x00y", "inside the list's folder"),
        ("a,s,0,125", "as many fields"),
        ("a,s,0,125,p,q", "as many fields"),
        ("good,s,0,125,", "each clip once"),
    ],
)
def test_a_bad_line_is_told(tmp_path, line, words):
    path = _write(tmp_path, "good,s,0,125,", line)
    with pytest.raises(InputUnreadable, match=words) as told:
        read_list(path)
    assert f"{path}, line 3" in str(told.value)
    assert str(told.value).endswith("mend that line.")


def test_a_path_may_go_round_inside_and_a_link_may_not_lead_out(tmp_path):
    folder = tmp_path / "lists"
    (folder / "sub").mkdir(parents=True)
    read_list(_write(folder, "a,s,0,125,sub/../b.mp4"))
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(InputUnreadable, match="inside"):
        read_list(_write(folder, "a,s,0,125,link/b.mp4"))


def test_unknown_and_missing_columns_are_told(tmp_path):
    with pytest.raises(InputUnreadable, match="'frame' .did you mean 'frames'"):
        read_list(_write(tmp_path, "a,s,0,1", heading="clip,source,start_seconds,frame"))
    with pytest.raises(InputUnreadable, match="none called 'frames'"):
        read_list(_write(tmp_path, "a,s,0", heading="clip,source,start_seconds"))


@pytest.mark.parametrize("crop", ["0.1,,0.5", "0.1,0.1,0", "0.1,9,0.5", "0.1,0.1,inf"])
def test_a_crop_is_whole_and_near_the_picture(tmp_path, crop):
    heading = "clip,source,start_seconds,frames,crop_left,crop_top,crop_side"
    with pytest.raises(InputUnreadable, match="line 2"):
        read_list(_write(tmp_path, f"a,s,0,1,{crop}", heading=heading))


def test_other_files_are_no_lists(tmp_path):
    for content in (b"", b"\xff\xfe\x00", b"clip,source,start_seconds,frames\n"):
        (tmp_path / "x.csv").write_bytes(content)
        with pytest.raises(InputUnreadable):
            read_list(tmp_path / "x.csv")
    with pytest.raises(InputUnreadable, match="tfw bench list make"):
        read_list(tmp_path / "absent.csv")


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (720, 1280), (512, 512)])
def test_a_crop_survives_being_relative(width, height):
    window = Window(-12, 40, 360)
    row = ListRow("a", "s").cropped(relative_crop(window, width, height))
    assert row.window(width, height) == window
    # Twice the resolution: the same place, rounded to five decimals of the larger picture.
    doubled = row.window(2 * width, 2 * height)
    assert (doubled.left, doubled.top, doubled.side) == (-24, 80, 720)
    assert ListRow("a", "s").window(width, height) is None
