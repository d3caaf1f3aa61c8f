"""The sample that people review: random kept clips per language, and clips nearest to bounds.

Writes ``review/manifest.parquet`` and ``.csv``; contact sheets are drawn by ``sheets.py``.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from talkingface_wild.core.csv_rows import csv_rows
from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.paths import atomic_path
from talkingface_wild.dataset.borderline import nearest_to_bound
from talkingface_wild.dataset.decisions import load_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.snapshot import Recorded

RANDOM = "random"
ANSWERS = ("decision", "reason", "words", "reviewer")
"""Columns that are left empty for the reviewer."""
_SCALARS = {"float": pa.float64(), "int": pa.int64(), "bool": pa.bool_(), "string": pa.string()}


@dataclass
class Drawn:
    """One clip of the sample. ``probability`` is None unless it was drawn at random.

    At random, each kept clip of a language is drawn with probability n / N, its sample over its
    kept clips; clips near a gate are chosen by their value, so rates are estimated from the random
    stratum alone.
    """

    clip: str
    language: str
    strata: list[str] = field(default_factory=list)
    probability: float | None = None
    sheet: str | None = None


def draw_sample(recorded: Recorded, per_language: int, per_gate: int, seed: int) -> list[Drawn]:
    """The sample, sorted by language and clip; the same for the same data set, sizes and seed.

    Strata: ``random``, ``gate:<name>:pass``, ``gate:<name>:fail``; a clip in several is one entry.
    Random clips are those with the smallest hashes of seed and id, so a larger sample contains the
    smaller one. Raises UsageError for a negative size.
    """
    if per_language < 0 or per_gate < 0:
        raise UsageError(
            f"Expected sizes of 0 or more, found --per-language {per_language} and --per-gate "
            f"{per_gate}; leave an option out for its default."
        )
    sample: dict[str, Drawn] = {}
    languages = recorded.clips["language"].astype(str)
    for language, clips in recorded.clips["clip_id"].groupby(languages, sort=True):
        ranked = sorted(map(str, clips), key=lambda clip: digest([seed, clip]))
        for clip in ranked[:per_language]:
            probability = min(per_language, len(ranked)) / len(ranked)
            sample[clip] = Drawn(clip, str(language), [RANDOM], probability)
    items = recorded.items
    whole = items[(items["level"] == "clip") & (items["verdict_state"] != "split")]
    for gate in recorded.gates:
        if gate.column not in whole:
            continue
        sides = nearest_to_bound(whole, gate, per_gate, seed)
        for side, ids in zip(("pass", "fail"), sides, strict=True):
            for clip in ids:
                entry = sample.setdefault(clip, Drawn(clip, recorded.language_of(clip)))
                entry.strata.append(f"gate:{gate.name}:{side}")
    return sorted(sample.values(), key=lambda drawn: (drawn.language, drawn.clip))


def manifest(recorded: Recorded, sample: Sequence[Drawn]) -> pa.Table:
    """The rows given to reviewers: clip, span, why chosen, verdict, gated measures, no answers."""
    names = {
        str(row.source_id): row.source_path if isinstance(row.source_path, str) else row.source_url
        for row in recorded.sources.itertuples()
    }
    rows = recorded.items.loc[[drawn.clip for drawn in sample]]
    columns: dict[str, pa.Array] = {
        "clip_id": pa.array([drawn.clip for drawn in sample], pa.string()),
        "language": pa.array([drawn.language for drawn in sample], pa.string()),
        "stratum": pa.array([";".join(drawn.strata) for drawn in sample], pa.string()),
        "sampling_probability": pa.array([drawn.probability for drawn in sample], pa.float64()),
        "source": pa.array([names.get(root) for root in rows["root_id"]], pa.string()),
        "start_seconds": _array(rows, "start_seconds", pa.float64()),
        "end_seconds": _array(rows, "end_seconds", pa.float64()),
        "media_path": _array(rows, "media_path", pa.string()),
        "sheet": pa.array([drawn.sheet for drawn in sample], pa.string()),
        "verdict": pa.array([recorded.verdict_of(drawn.clip) for drawn in sample], pa.string()),
    }
    for gate in recorded.gates:
        kind = _SCALARS.get(recorded.columns[gate.column].type) if gate.column in rows else None
        if kind is not None and gate.column not in columns:
            columns[gate.column] = _array(rows, gate.column, kind)
    for name in ANSWERS:
        columns[name] = pa.array([""] * len(sample), pa.string())
    return pa.table(columns)


def _array(rows: pd.DataFrame, name: str, kind: pa.DataType) -> pa.Array:
    if name not in rows:
        return pa.nulls(len(rows), kind)
    values = [None if pd.isna(value) else value for value in rows[name]]
    return pa.array(
        [int(v) if v is not None and pa.types.is_integer(kind) else v for v in values], kind
    )


def write_manifest(layout: Layout, table: pa.Table) -> tuple[Path, Path]:
    """Write ``review/manifest.parquet`` and ``review/manifest.csv``; returns their paths.

    In the CSV a text that a spreadsheet would take for a formula gets a leading ``'``.
    """
    parquet, text = layout.review / "manifest.parquet", layout.review / "manifest.csv"
    with atomic_path(parquet) as temporary:
        pq.write_table(table, temporary)
    with (
        atomic_path(text) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream)
        writer.writerow([_harmless(name) for name in table.column_names])
        for row in table.to_pylist():
            writer.writerow([_harmless(value) for value in row.values()])
    return parquet, text


def _harmless(value: object) -> object:
    formula = isinstance(value, str) and (
        value.lstrip()[:1] in tuple("=+-@") or value[:1] in tuple("\t\r\n")
    )
    return f"'{value}" if formula else value


def check_no_answers_are_lost(layout: Layout) -> None:
    """Raise UsageError when ``review/manifest.csv`` holds answers that were never imported."""
    path = layout.review / "manifest.csv"
    if not path.is_file():
        return
    imported = load_decisions(layout)
    answered = [row.get("clip_id") for row in csv_rows(path) if _has_answer(row)]
    lost = [clip for clip in answered if clip not in imported]
    if lost:
        raise UsageError(
            f"Expected no answers to be overwritten, found {len(lost)} in {path} that were not "
            f"imported; import them with `tfw review import {path} --out {layout.out}`, or move "
            "that file away."
        )


def _has_answer(row: Mapping[str, object]) -> bool:
    return bool(str(row.get("decision") or "").strip())
