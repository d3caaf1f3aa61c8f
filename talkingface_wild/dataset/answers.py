"""Reviewers' answers from a CSV or Parquet file, checked line by line, and the defect rates."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from talkingface_wild.core.csv_rows import csv_rows
from talkingface_wild.core.errors import InputUnreadable, nearest
from talkingface_wild.core.reasons import REVIEW_REASONS
from talkingface_wild.dataset.decisions import Decision
from talkingface_wild.dataset.review import RANDOM
from talkingface_wild.functional.intervals import exact_interval

_DECISIONS = dict.fromkeys(("accept", "accepted", "keep", "kept", "yes", "y", "ok"), True)
_DECISIONS |= dict.fromkeys(("reject", "rejected", "drop", "no", "n"), False)
_COLUMNS = ("clip_id", "decision", "reason", "words", "reviewer")


@dataclass(frozen=True)
class Defects:
    """What reviewers found in one language's random sample, with the exact 95 % interval."""

    language: str
    kept: int
    """Kept clips of the language when the sample was drawn."""
    drawn: int
    answered: int
    defects: int
    rate: float | None
    low: float | None
    high: float | None


def read_answers(path: Path, clips: Sequence[str]) -> tuple[list[Decision], int]:
    """The decisions of a reviewed manifest, and how many rows were left empty.

    ``clips`` are the data set's clip ids. Decisions are accept or reject (also keep, yes, no) in
    any case; a rejection needs one of ``REVIEW_REASONS``, and ``other`` needs words. Raises
    InputUnreadable, with the line, for a file of another kind, an unknown clip, decision or reason,
    or a clip answered twice otherwise.
    """
    decisions: dict[str, Decision] = {}
    empty = 0
    ids = set(clips)
    for where, row in _rows(path):
        decision = _decision(row, where, ids)
        if decision is None:
            empty += 1
            continue
        before = decisions.setdefault(decision.clip_id, decision)
        if before != decision:
            raise InputUnreadable(
                f"{where}: expected one answer on each clip, found a second, different one on "
                f"{decision.clip_id}; keep one of them."
            )
    return list(decisions.values()), empty


def _decision(row: Mapping[str, str], where: str, ids: set[str]) -> Decision | None:
    clip, answer, reason = row["clip_id"], row["decision"].lower(), row["reason"].lower()
    if not answer:
        if reason:
            raise _wrong(where, "a decision beside the reason", "none", "write accept or reject")
        return None
    if clip not in ids:
        hint = nearest(clip, ids)
        raise _wrong(
            where, "a clip of this data set", f"{clip!r}{hint}", "check --out and the line"
        )
    if answer not in _DECISIONS:
        hint = nearest(answer, _DECISIONS)
        raise _wrong(where, "accept or reject", f"{answer!r}{hint}", "mend that line")
    accepted = _DECISIONS[answer]
    if accepted and reason:
        raise _wrong(
            where, "no reason beside an accepted clip", f"{reason!r}", "clear one of the two"
        )
    if not accepted and reason not in REVIEW_REASONS:
        hint = nearest(reason, REVIEW_REASONS)
        names = ", ".join(REVIEW_REASONS)
        raise _wrong(where, f"one of the reasons {names}", f"{reason!r}{hint}", "mend that line")
    if reason == "other" and not row["words"]:
        raise _wrong(where, "words beside the reason 'other'", "none", "say in words what is wrong")
    return Decision(clip, accepted, reason, row["words"], row["reviewer"])


def _wrong(where: str, expected: str, value: str, remedy: str) -> InputUnreadable:
    return InputUnreadable(
        f"{where}: expected {expected}, found {value}; {remedy}. Nothing was imported."
    )


def _rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row stands, and its five answers' columns as stripped text."""
    try:
        lines = _parquet_rows(path) if path.suffix == ".parquet" else _lines(path)
        for where, row in lines:
            _check_columns(path, row)
            yield where, {name: str(row.get(name) or "").strip() for name in _COLUMNS}
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowInvalid) as error:
        raise InputUnreadable(
            f"Expected a reviewed manifest (CSV in UTF-8, or Parquet) in {path}, found none "
            f"that can be read ({error}); export one with `tfw review export OUT`."
        ) from error


def _check_columns(path: Path, row: Mapping[Any, Any]) -> None:
    for name in ("clip_id", "decision"):
        if name not in row:
            names = [str(key) for key in row]
            raise InputUnreadable(
                f"Expected a column {name!r} in {path}, found {', '.join(names)}"
                f"{nearest(name, names)}; start from the file that `tfw review export` wrote."
            )


def _lines(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    reader = csv_rows(path)
    for row in reader:
        yield f"{path}, line {reader.line_num}", row


def _parquet_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for index, row in enumerate(pq.read_table(path).to_pylist(), start=1):
        yield f"{path}, row {index}", row


def defect_rates(manifest: pd.DataFrame, decisions: Mapping[str, Decision]) -> list[Defects]:
    """Rates of rejected clips per language, from the answered clips of the random stratum alone.

    Clips near gates were chosen by their values and would bias a rate. ``low`` and ``high`` are
    the exact (Clopper-Pearson) two-sided 95 % interval: at most 4 defects of 203 keep ``high``
    under 5 %.
    """
    drawn = manifest[[RANDOM in str(strata).split(";") for strata in manifest["stratum"]]]
    rates = []
    for language, rows in drawn.groupby(drawn["language"].astype(str), sort=True):
        answers = [decisions[clip] for clip in rows["clip_id"] if clip in decisions]
        defects = sum(not answer.accepted for answer in answers)
        low, high = exact_interval(defects, len(answers)) if answers else (None, None)
        rates.append(
            Defects(
                str(language),
                round(len(rows) / float(rows["sampling_probability"].iloc[0])),
                len(rows),
                len(answers),
                defects,
                defects / len(answers) if answers else None,
                low,
                high,
            )
        )
    return rates


def overall_rate(rates: Sequence[Defects]) -> float | None:
    """The defect rate of all languages, weighted by their kept clips; None before any answer."""
    answered = [row for row in rates if row.rate is not None]
    total = sum(row.kept for row in answered)
    return sum(row.kept * (row.rate or 0.0) for row in answered) / total if total else None
