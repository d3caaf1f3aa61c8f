"""Lists in four forms; a bad row is named by file and line and harms no other."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from talkingface_wild.core.clip import source_from_json
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.pipelines.sources.collect import gather
from tests.pipelines.listed import joined, listed, paths, sha, video


def test_csv_row_with_everything(tmp_path: Path) -> None:
    video(tmp_path / "clips" / "a.mp4", "abc")
    name = listed(
        tmp_path,
        "path,language,start,end,crop,licence,consent,channel,Camera,note\n"
        'clips/a.mp4,DE,1.5,0:12.25,"10,20,300,400",CC-BY-4.0,signed,studio,x100,\n',
    )
    (source,) = gather([name], None).sources
    assert source.media_key == sha("abc")
    assert (source.path, source.root, source.url) == ("clips/a.mp4", str(tmp_path), None)
    assert (source.language, source.start_seconds, source.end_seconds) == ("de", 1.5, 12.25)
    assert source.crop == (10, 20, 300, 400)
    assert (source.licence, source.consent, source.channel) == ("CC-BY-4.0", "signed", "studio")
    assert source.given == {"camera": "x100"}
    assert source_from_json(json.loads(json.dumps(source.to_json()))) == source


def test_the_four_forms_of_a_list_say_the_same(tmp_path: Path) -> None:
    rows = [
        {"url": "https://youtu.be/aaaaaaaaaaa", "language": "en", "start": 2.0, "take": 7},
        {"url": "https://example.org/b.mp4", "language": "ar", "start": None, "take": None},
    ]
    frame = pd.DataFrame(rows).astype({"take": "Int64"})
    frame.to_csv(tmp_path / "l.csv", index=False)
    frame.to_csv(tmp_path / "l.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "l.parquet")
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    listed(tmp_path, lines, "l.jsonl")
    every = [gather([str(tmp_path / f"l.{s}")], None) for s in ("csv", "tsv", "parquet", "jsonl")]
    assert all(found == every[0] for found in every)
    first, second = every[0].sources
    assert (first.media_key, first.start_seconds) == ("youtube:aaaaaaaaaaa", 2.0)
    assert (dict(first.given), dict(second.given)) == ({"take": "7"}, {})
    text = "# a comment\n\nhttps://youtu.be/aaaaaaaaaaa\r\n  https://example.org/b.mp4  \n"
    plain = gather([listed(tmp_path, text, "l.txt")], ("en",))
    assert [item.media_key for item in plain.sources] == [
        "youtube:aaaaaaaaaaa",
        "https://example.org/b.mp4",
    ]
    assert {item.language for item in plain.sources} == {"en"}


BAD_ROWS = {
    "neither": ("", "", "", "neither a url nor a path"),
    "scheme": ("ftp://example.org/a.mp4", "", "", "no http or https address"),
    "file": ("file:///etc/passwd", "", "", "no http or https address"),
    "login": ("https://me:hush@example.org/a.mp4", "", "", "carries a login"),
    "port": ("https://example.org:99999/a.mp4", "", "", "no web address"),
    "language": ("https://example.org/a.mp4", "klingon!", "", "no language tag"),
    "time": ("https://example.org/a.mp4", "en", "soon", "no time in seconds"),
    "negative": ("https://example.org/a.mp4", "en", "-3", "no time in seconds"),
    "nan": ("https://example.org/a.mp4", "en", "nan", "no time in seconds"),
    "end": ("https://example.org/a.mp4", "en", "99", "not after its start"),
}


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_a_bad_row_is_named_by_file_and_line_and_the_others_go_on(
    tmp_path: Path, kind: str
) -> None:
    url, language, start, said = BAD_ROWS[kind]
    good = "https://example.org/{}.mp4,en,,\n"
    text = "url,language,start,end\n" + good.format(1) + f"{url},{language},{start},50\n"
    found = gather([listed(tmp_path, text + good.format(2))], None)
    assert [item.url for item in found.sources] == [
        "https://example.org/1.mp4",
        "https://example.org/2.mp4",
    ]
    (note,) = found.notes
    assert said in note and f"{tmp_path / 'list.csv'}, line 3" in note
    assert "hush" not in note


@pytest.mark.parametrize(
    "crop", ["1,2,3", "a,b,c,d", "-1,0,5,5", "0,0,0,5", "0.5,0,5,5", "1e999,0,1,1"]
)
def test_bad_crops_are_bad_rows(tmp_path: Path, crop: str) -> None:
    text = f'url,crop\nhttps://example.org/1.mp4,"{crop}"\nhttps://example.org/2.mp4,"1,2,3,4"\n'
    found = gather([listed(tmp_path, text)], None)
    assert [item.crop for item in found.sources] == [(1, 2, 3, 4)]
    assert "line 2" in found.notes[0]


def test_crop_in_four_columns(tmp_path: Path) -> None:
    text = "url,crop_x,crop_y,crop_w,crop_h\nhttps://example.org/1.mp4,1,2,3,4\n"
    assert gather([listed(tmp_path, text)], None).sources[0].crop == (1, 2, 3, 4)


@pytest.mark.parametrize(
    "broken", [b"caf\xe9,en", b"a\0b,en", b"x" * 200_000 + b",en", b'"a"b,en', b"a,en,extra"]
)
def test_undecodable_oversized_and_torn_lines_are_bad_rows(tmp_path: Path, broken: bytes) -> None:
    text = b"path,language\nfirst.mp4,en\n" + broken + b"\nlast.mp4,en\n"
    found = gather([listed(tmp_path, text)], None)
    assert paths(found.sources) == ["first.mp4", "last.mp4"]
    assert len(found.notes) == 1 and "line 3" in found.notes[0]
    assert all(letter.isprintable() for letter in found.notes[0])


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace(",", ";").encode(),
    ],
    ids=["bom", "utf-16", "crlf", "semicolons"],
)
def test_lists_as_other_programs_write_them(tmp_path: Path, encode: object) -> None:
    text = "Path,Language\nüber 中.mp4,de\n"
    found = gather([listed(tmp_path, encode(text))], None)  # type: ignore[operator]
    assert [(item.path, item.language) for item in found.sources] == [("über 中.mp4", "de")]
    assert found.notes == []


def test_quoted_cells_may_hold_commas_quotes_and_newlines(tmp_path: Path) -> None:
    text = 'path,note\n"a,""b""\nc.mp4","two\nlines"\nd.mp4,\n../bad://x,\n'
    found = gather([listed(tmp_path, text)], None)
    assert paths(found.sources)[:2] == ['a,"b"\nc.mp4', "d.mp4"]
    assert found.sources[0].given == {"note": "two\nlines"}


def test_a_row_with_both_keeps_the_file_and_remembers_the_address(tmp_path: Path) -> None:
    text = "path,url\na.mp4,https://youtu.be/aaaaaaaaaaa?si=x\n"
    (source,) = gather([listed(tmp_path, text)], None).sources
    assert (source.path, source.url) == ("a.mp4", None)
    assert source.given == {"url": "https://www.youtube.com/watch?v=aaaaaaaaaaa"}


def test_paths_are_relative_to_the_list_and_leaving_its_folder_is_noted(tmp_path: Path) -> None:
    outside = video(tmp_path / "elsewhere" / "b.mp4", "b")
    video(tmp_path / "lists" / "a.mp4", "a")
    text = f"path\na.mp4\n../elsewhere/b.mp4\nsub/../a.mp4\n{outside}\n"
    found = gather([listed(tmp_path / "lists", text)], None)
    assert [(item.path, item.media_key) for item in found.sources] == [
        ("a.mp4", sha("a")),
        ("../elsewhere/b.mp4", sha("b")),
    ]
    assert "2 paths lead out" in joined(found.notes)
    assert "2 further mentions of 2 sources" in joined(found.notes)


def test_a_missing_file_stays_a_source(tmp_path: Path) -> None:
    (source,) = gather([listed(tmp_path, "path\nlost.mp4\n")], None).sources
    assert source.media_key == f"path:{tmp_path / 'lost.mp4'}"


def test_languages_filter_lists_and_say_what_they_left_out(tmp_path: Path) -> None:
    rows = "".join(f"https://example.org/{tag}.mp4,{tag}\n" for tag in ("de", "fr", "en_US", ""))
    name = listed(tmp_path, f"url,language\n{rows}https://example.org/x.mp4,German\n")
    found = gather([name], ("de", "en"))
    assert [item.language for item in found.sources] == ["de", "en-us", "de"]
    assert "1 fr" in joined(found.notes) and "1 und" in joined(found.notes)
    everything = gather([name], None).sources
    assert [item.language for item in everything] == ["de", "fr", "en-us", "und", "de"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.csv", "url\nnothing\nftp://x\n"),
        ("l.csv", "link,language\nhttps://example.org,en\n"),
        ("l.csv", ""),
        ("l.txt", "# only comments\n"),
        ("l.jsonl", "not json\n[1]\n"),
        ("l.parquet", "not parquet"),
    ],
)
def test_a_list_without_one_usable_row_is_unreadable(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(InputUnreadable, match=r"Expected .* found") as caught:
        gather([listed(tmp_path, text, name)], None)
    assert name in str(caught.value)


def test_bad_jsonl_lines_are_noted_and_nested_cells_kept_as_text(tmp_path: Path) -> None:
    lines = [
        '{"url": "https://example.org/a.mp4", "tags": ["x", 1], "ok": true, "none": null}',
        "{torn",
        "[" * 100_000,
        '{"url": 5}',
    ]
    found = gather([listed(tmp_path, "\n".join(lines), "l.jsonl")], None)
    (source,) = found.sources
    assert source.given == {"tags": '["x", 1]', "ok": "true"}
    assert [note.split("line ")[1][0] for note in found.notes] == ["2", "3", "4"]


def test_notes_stay_short_however_many_rows_are_bad(tmp_path: Path) -> None:
    text = "url\nhttps://example.org/a.mp4\n" + "ftp://x\n" * 5000
    found = gather([listed(tmp_path, text)], None)
    assert len(found.notes) == 21
    assert "4980 more" in found.notes[-1]
