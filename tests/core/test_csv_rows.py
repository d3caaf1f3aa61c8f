"""Every CSV of a user is read alike: byte order marks, semicolons, quotes; and by every reader."""

import csv

import pytest

from talkingface_wild.benchmark.clips import from_pairs
from talkingface_wild.benchmark.lists.clip_list import read_list
from talkingface_wild.core.csv_rows import csv_fields, csv_rows, csv_text
from talkingface_wild.dataset.answers import read_answers

LINES = (("name", "words"), ("а", '"one, two; three"'), (), ("b", ""))
ROWS = [{"name": "а", "words": "one, two; three"}, {"name": "b", "words": ""}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_rows_are_the_same_however_they_are_written(tmp_path, encoding, delimiter):
    path = tmp_path / "a.csv"
    path.write_text("".join(delimiter.join(line) + "\n" for line in LINES), encoding=encoding)
    reader = csv_rows(path)
    assert list(reader) == ROWS
    assert reader.line_num == 4
    fields = list(csv_fields(csv_text(path.read_bytes())))
    assert fields[:2] == [["name", "words"], list(ROWS[0].values())]


def test_a_broken_quote_is_refused_where_the_reader_is_strict(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('name,words\na,"one\n')
    with pytest.raises(csv.Error):
        list(csv_rows(path, strict=True))
    assert next(csv_rows(path))["words"] == "one\n"


def _written(tmp_path, text):
    path = tmp_path / "semicolons.csv"
    path.write_text(text, encoding="utf-8-sig")
    return path


def test_pairs_take_semicolons(tmp_path):
    """Fails before: six readers had six dialects."""
    clips = from_pairs(_written(tmp_path, "generated;reference;clip\na.mp4;b.mp4;one\n")).clips
    assert [(clip.id, clip.reference) for clip in clips] == [("one", str(tmp_path / "b.mp4"))]


def test_lists_take_semicolons(tmp_path):
    """Fails before, as the one above."""
    text = "clip;source;path;start_seconds;frames\none;a;a.mp4;1.5;25\n"
    (row,) = read_list(_written(tmp_path, text)).rows
    assert (row.clip, row.start_seconds) == ("one", 1.5)


def test_reviewers_may_save_with_semicolons(tmp_path):
    path = _written(tmp_path, "clip_id;decision;reason;words;reviewer\none;accept;;;me\n")
    (decision,), empty = read_answers(path, ["one"])
    assert (decision.clip_id, decision.accepted, empty) == ("one", True, 0)
