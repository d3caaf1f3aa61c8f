"""Folders, lists and links become one list of sources, each video once; a rerun opens no media."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.pipelines.sources.collect import gather
from tests.pipelines.listed import joined, listed, paths, sha, video


def test_folder_gives_the_language_by_its_sub_folders(tmp_path: Path) -> None:
    for name in ("de/b.mp4", "de/a.MOV", "ar/deep/er/c.webm", "pt-BR/d.mkv", "raw/e.mp4", "f.mp4"):
        video(tmp_path / name)
    video(tmp_path / "de" / "a.txt")
    video(tmp_path / "de" / ".hidden.mp4")
    found = gather([str(tmp_path)], None)
    assert [(item.path, item.language) for item in found.sources] == [
        ("ar/deep/er/c.webm", "ar"),
        ("de/a.MOV", "de"),
        ("de/b.mp4", "de"),
        ("f.mp4", "und"),
        ("pt-BR/d.mkv", "pt-br"),
        ("raw/e.mp4", "und"),
    ]
    assert {item.root for item in found.sources} == {str(tmp_path)}
    assert "1 .txt" in joined(found.notes)


def test_one_language_takes_all_files_but_those_named_otherwise(tmp_path: Path) -> None:
    for name in ("a.mp4", "raw/b.mp4", "de/c.mp4", "en/d.mp4"):
        video(tmp_path / name)
    found = gather([str(tmp_path)], ("de",))
    assert paths(found.sources) == ["a.mp4", "de/c.mp4", "raw/b.mp4"]
    assert {item.language for item in found.sources} == {"de"}
    assert "1 en" in joined(found.notes)


def test_several_languages_leave_out_what_has_no_name_of_one(tmp_path: Path) -> None:
    for name in ("a.mp4", "de/c.mp4", "en-gb/d.mp4", "fr/e.mp4"):
        video(tmp_path / name)
    found = gather([str(tmp_path)], ("de", "en"))
    assert [item.language for item in found.sources] == ["de", "en-gb"]
    assert "1 fr" in joined(found.notes) and "1 und" in joined(found.notes)


@pytest.mark.parametrize(
    "name",
    ["with space.mp4", "quo'te\".mp4", "new\nline.mp4", "-dash.mp4", "ünï-中.mp4", "..a.mp4"],
)
def test_hostile_file_names_are_sources_like_others(tmp_path: Path, name: str) -> None:
    video(tmp_path / "x" / "en" / name, "content")
    hidden = name.startswith(".")
    if hidden:
        video(tmp_path / "x" / "en" / "b.mp4", "other")
    found = gather([str(tmp_path / "x")], None)
    assert paths(found.sources) == (["en/b.mp4"] if hidden else [f"en/{name}"])
    if not hidden:
        assert found.sources[0].media_key == sha("content")


def test_a_name_that_is_no_utf8_is_noted_and_harms_nobody(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    video(tmp_path / "good.mp4")
    found = gather([str(tmp_path)], ("en",))
    assert paths(found.sources) == ["good.mp4"]
    assert "no UTF-8 name" in joined(found.notes)


@pytest.mark.parametrize("what", ["empty", "absent", "text only", "unknown.xyz"])
def test_what_cannot_be_a_source_is_named(tmp_path: Path, what: str) -> None:
    place = tmp_path / what
    if what == "unknown.xyz":
        place.write_text("?")
    elif what != "absent":
        place.mkdir()
    if what == "text only":
        (place / "notes.txt").write_text("?")
    with pytest.raises(InputUnreadable, match=r"Expected .* found") as caught:
        gather([str(place)], None)
    assert str(place) in str(caught.value)
    assert caught.value.exit_code == 5


def test_linked_folders_are_not_walked_in_circles(tmp_path: Path) -> None:
    video(tmp_path / "en" / "a.mp4")
    (tmp_path / "en" / "again").symlink_to(tmp_path)
    assert paths(gather([str(tmp_path)], None).sources) == ["en/a.mp4"]


def test_the_same_video_found_twice_is_one_source(tmp_path: Path) -> None:
    video(tmp_path / "v" / "en" / "a.mp4", "same")
    video(tmp_path / "v" / "en" / "copy.mp4", "same")
    text = (
        "url,path,start,channel\n,v/en/a.mp4,,\n,v/en/copy.mp4,3,\n"
        "https://youtu.be/aaaaaaaaaaa,,,first\n"
        "https://www.youtube.com/watch?v=aaaaaaaaaaa,,,second\n"
    )
    found = gather([str(tmp_path / "v"), listed(tmp_path, text)], None)
    assert [(item.path or item.url, item.start_seconds) for item in found.sources] == [
        ("en/a.mp4", None),
        ("v/en/copy.mp4", 3.0),
        ("https://www.youtube.com/watch?v=aaaaaaaaaaa", None),
    ]
    assert found.sources[2].channel == "first"
    assert "3 further mentions of 2 sources" in joined(found.notes)


def test_ids_do_not_depend_on_where_the_files_lie(tmp_path: Path) -> None:
    for place in ("one", "two/deep"):
        video(tmp_path / place / "en" / "a.mp4", "same")
    one, two = (gather([str(tmp_path / place)], None).sources for place in ("one", "two/deep"))
    assert one[0].id == two[0].id


@contextmanager
def opened_files() -> Iterator[list[str]]:
    """The paths of all files that Python opens inside the block."""
    seen: list[str] = []
    state = {"on": True}

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if state["on"] and event == "open":
            seen.append(str(arguments[0]))

    sys.addaudithook(hook)
    try:
        yield seen
    finally:
        state["on"] = False


def test_a_second_call_opens_no_media_and_sees_what_changed(tmp_path: Path) -> None:
    for index in range(5):
        video(tmp_path / "v" / f"{index}.mp4")
    cache = tmp_path / "cache"
    first = gather([str(tmp_path / "v")], ("en",), cache=cache)
    with opened_files() as seen:
        assert gather([str(tmp_path / "v")], ("en",), cache=cache) == first
    assert seen and not [name for name in seen if name.endswith(".mp4")]
    video(tmp_path / "v" / "3.mp4", "changed")
    with opened_files() as seen:
        again = gather([str(tmp_path / "v")], ("en",), cache=cache)
    assert [name for name in seen if name.endswith(".mp4")] == [str(tmp_path / "v" / "3.mp4")]
    assert again.sources[3].media_key == sha("changed")


def test_a_damaged_cache_is_made_anew(tmp_path: Path) -> None:
    video(tmp_path / "v" / "a.mp4", "x")
    cache = tmp_path / "cache"
    for damage in ("{", "[1]", '{"a": 5}', "null"):
        listed(cache, damage, "hashes.json")
        assert gather([str(tmp_path / "v")], None, cache=cache).sources[0].media_key == sha("x")


def test_limit_keeps_the_first_and_hashes_no_more(tmp_path: Path) -> None:
    for index in range(9):
        video(tmp_path / "v" / f"{index}.mp4")
    with opened_files() as seen:
        found = gather([str(tmp_path / "v")], ("en",), limit=2)
    assert paths(found.sources) == ["0.mp4", "1.mp4"]
    assert len([name for name in seen if name.endswith(".mp4")]) == 2


def test_a_pipe_under_a_videos_name_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    assert gather([str(tmp_path)], ("en",)).sources[0].media_key.startswith("path:")


def test_links_and_single_files_are_sources_too(tmp_path: Path) -> None:
    name = video(tmp_path / "one.mp4", "1")
    found = gather(["https://youtu.be/aaaaaaaaaaa", str(name)], ("ko",))
    assert [(item.media_key, item.language) for item in found.sources] == [
        ("youtube:aaaaaaaaaaa", "ko"),
        (sha("1"), "ko"),
    ]
    with pytest.raises(InputUnreadable):
        gather(["https://me:hush@example.org/x"], None)


def test_the_labelled_clips(shared: Path) -> None:
    table = pd.read_csv(shared / "media" / "MEDIA.csv", dtype=str)
    found = gather([str(shared / "media" / "MEDIA.csv")], None)
    assert paths(found.sources) == table["path"].tolist()
    assert [item.language for item in found.sources] == table["language"].tolist()
    assert [item.given["expected"] for item in found.sources] == table["expected"].tolist()
    assert all(item.media_key.startswith("sha256:") for item in found.sources)
