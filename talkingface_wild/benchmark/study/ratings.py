"""Answers of raters: the CSV files that the study's page saved, checked line by line."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from talkingface_wild.benchmark.study.key import Key
from talkingface_wild.core.csv_rows import csv_fields, csv_text
from talkingface_wild.core.errors import InputUnreadable, nearest

_RATER = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MOST_ROWS = 200_000
_LONGEST = 40
"""Characters of a wrong field that are shown."""


@dataclass(frozen=True)
class Rating:
    """One rater's ranking for one question on one case: letters, the best first."""

    rater: str
    case: str
    question: str
    letters: tuple[str, ...]


def read_ratings(paths: Sequence[Path], key: Key) -> list[Rating]:
    """All answers of the files, each once, sorted. The same answer may stand in several files.

    Raises InputUnreadable with file and line for a file that is none, another study's answer, an
    unknown case, question or letter, a letter twice, or two different answers to one question.
    """
    ratings: dict[tuple[str, str, str], tuple[Rating, str]] = {}
    for path in paths:
        for where, row in _rows(path, key):
            rating = _rating(row, where, key)
            slot = (rating.rater, rating.case, rating.question)
            before, there = ratings.setdefault(slot, (rating, where))
            if before != rating:
                raise _wrong(where, "one answer to a question", f"a different one in {there}")
    if not ratings:
        names = ", ".join(str(path) for path in paths) or "no files"
        raise InputUnreadable(f"Expected answers in {names}, found none; give raters' CSV files.")
    return [ratings[slot][0] for slot in sorted(ratings)]


def _columns(key: Key) -> list[str]:
    ranks = [f"rank{rank + 1}" for rank in range(key.ranks)]
    return ["study", "rater", "case", "question", *ranks]


def _rows(path: Path, key: Key) -> Iterator[tuple[str, dict[str, str]]]:
    columns = _columns(key)
    line = 1
    try:
        reader = csv_fields(csv_text(path.read_bytes()))
        heading = next(reader, [])
        if heading != columns:
            names = ",".join(heading)[:_LONGEST]
            raise _wrong(f"{path}, line 1", f"the columns {','.join(columns)}", repr(names))
        for fields in reader:
            line = reader.line_num
            where = f"{path}, line {line}"
            if not fields:
                continue
            if len(fields) != len(columns):
                raise _wrong(where, f"{len(columns)} fields", str(len(fields)))
            if line > _MOST_ROWS:
                raise _wrong(where, f"at most {_MOST_ROWS} lines", "more")
            yield where, dict(zip(columns, (text.strip() for text in fields), strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputUnreadable(
            f"{path}, line {line}: expected answers that the study's page saved (CSV in UTF-8), "
            f"found none that can be read ({error}); ask the rater for the file as saved."
        ) from error


def _rating(row: dict[str, str], where: str, key: Key) -> Rating:
    if row["study"] != key.study:
        raise _wrong(where, f"answers to the study {key.study}", _short(row["study"]))
    if not _RATER.fullmatch(row["rater"]):
        raise _wrong(where, "a rater's letters and digits", _short(row["rater"]))
    if row["case"] not in key.cases:
        hint = nearest(row["case"][:_LONGEST], key.cases)
        raise _wrong(where, "a case of the study", f"{_short(row['case'])}{hint}")
    if row["question"] not in key.questions:
        hint = nearest(row["question"][:_LONGEST], key.questions)
        raise _wrong(where, "a question of the study", f"{_short(row['question'])}{hint}")
    letters = tuple(row[f"rank{rank + 1}"] for rank in range(key.ranks))
    case_letters = key.cases[row["case"]].letters
    for letter in letters:
        if letter not in case_letters:
            raise _wrong(where, f"a letter of {', '.join(case_letters)}", _short(letter))
    if len(set(letters)) != len(letters):
        raise _wrong(where, "different letters", ", ".join(letters))
    return Rating(row["rater"], row["case"], row["question"], letters)


def _short(text: str) -> str:
    return repr(text if len(text) <= _LONGEST else text[:_LONGEST] + "…")


def _wrong(where: str, expected: str, instead: str) -> InputUnreadable:
    return InputUnreadable(f"{where}: expected {expected}, found {instead}; mend or leave it out.")
