"""A commit: clips/, sources/, ledger/ and items/ as Parquet with a manifest, published by one atomic replace."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from talkingface_wild.core.clip import Source
from talkingface_wild.core.columns import Column
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.languages import UNKNOWN
from talkingface_wild.core.paths import atomic_symlink, disk_full, sync_file
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.schema import (
    CLIP_COLUMNS,
    LEDGER_COLUMNS,
    SOURCE_COLUMNS,
    arrow_schema,
    arrow_table,
)
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.ruling import KEPT, Ruling
from talkingface_wild.engine.table import BASE, FACTS, fact


@dataclass(frozen=True)
class Commit:
    """What was written: its number and folder; ``new`` is false when it equals the one before."""

    number: int
    folder: Path
    new: bool


def clip_columns(plan: Plan) -> list[Column]:
    """The columns of clips/: who and where, then every measure in order of the stages."""
    known = {column.name for column in CLIP_COLUMNS}
    return [*CLIP_COLUMNS, *(column for column in plan.columns if column.name not in known)]


def write_commit(
    layout: Layout,
    plan: Plan,
    ruling: Ruling,
    sources: Sequence[Source],
    documents: Mapping[str, str],
) -> Commit:
    """Write a commit and point ``dataset`` at it; nothing is written when it would equal the latest.

    ``documents`` are further text files of the commit by name (the resolved recipe).
    """
    layout.commits.mkdir(parents=True, exist_ok=True)
    building = layout.commits / f".building-{uuid.uuid4().hex}"
    try:
        _write_tables(building, plan, ruling, sources)
        for name, text in documents.items():
            (building / name).write_text(text, encoding="utf-8")
        manifest = _manifest(building)
        (building / "manifest.json").write_text(json.dumps(manifest, indent=1, sort_keys=True))
        return _publish(layout, building, manifest)
    except OSError as error:
        if error.errno == 28:
            raise disk_full(building) from error
        raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _publish(layout: Layout, building: Path, manifest: dict[str, object]) -> Commit:
    numbers = [int(path.name) for path in layout.commits.iterdir() if path.name.isdigit()]
    if layout.dataset.exists():
        latest = layout.dataset.resolve()
        known = json.loads((latest / "manifest.json").read_text())
        if known == manifest:
            return Commit(int(latest.name), latest, new=False)
    number = max(numbers, default=0) + 1
    final = layout.commits / f"{number:06d}"
    for path in sorted(building.rglob("*")):
        sync_file(path)
    building.rename(final)
    sync_file(layout.commits)
    atomic_symlink(layout.dataset, f"commits/{final.name}")
    return Commit(number, final, new=True)


def _write_tables(folder: Path, plan: Plan, ruling: Ruling, sources: Sequence[Source]) -> None:
    by_id = {source.id: source for source in sources}
    clips = clips_frame(plan, ruling, by_id)
    columns = clip_columns(plan)
    inside = [column for column in columns if column.name != "language"]
    for language, rows in clips.groupby("language", sort=True):
        _write(folder / "clips" / f"language={language}", arrow_table(rows, inside))
    if clips.empty:
        _write(folder / "clips", arrow_schema(columns).empty_table())
    _write(folder / "sources", _sources_table(ruling, sources, clips))
    _write(folder / "ledger", _ledger_table(ruling))
    _write(folder / "items", items_table(plan, ruling))


def _write(folder: Path, table: pa.Table) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "part-0.parquet", compression="zstd")


def clips_frame(plan: Plan, ruling: Ruling, sources: Mapping[str, Source]) -> pd.DataFrame:
    """The kept clips with all their columns, sorted by id."""
    kept = (ruling.verdicts["state"] == KEPT) & (ruling.table["level"] == "clip")
    rows = ruling.table[kept.to_numpy(bool)].copy()
    owners = [sources.get(root) for root in rows["root_id"]]
    rows["clip_id"] = rows["item_id"]
    rows["source_id"] = rows["root_id"]
    rows["source_path"] = [owner.path if owner else None for owner in owners]
    rows["source_url"] = [owner.url if owner else None for owner in owners]
    rows["licence"] = [owner.licence if owner else None for owner in owners]
    rows["consent"] = [owner.consent if owner else None for owner in owners]
    if "language" not in rows:
        rows["language"] = rows["group"]
    rows["language"] = rows["language"].fillna(rows["group"]).fillna(UNKNOWN).astype(object)
    if "review" not in rows:
        rows["review"] = None
    return rows.sort_values("clip_id")


def _sources_table(ruling: Ruling, sources: Sequence[Source], clips: pd.DataFrame) -> pa.Table:
    verdicts, table = ruling.verdicts, ruling.table
    made = table.loc[(table["level"] == "clip").to_numpy(bool), "root_id"].value_counts()
    kept = clips["source_id"].value_counts()
    given = sorted({name for source in sources for name in source.given})
    rows = []
    for source in sources:
        found = source.found
        rank = str(found.get("rank", ""))
        row: dict[str, object] = {
            "source_id": source.id,
            "media_key": source.media_key,
            "source_path": source.path,
            "source_url": source.url,
            "language": source.language,
            "given_start_seconds": source.start_seconds,
            "given_end_seconds": source.end_seconds,
            "given_crop": list(source.crop) if source.crop else None,
            "channel": source.channel,
            "licence": source.licence,
            "consent": source.consent,
            "query": found.get("query"),
            "query_date": found.get("date"),
            "query_rank": int(rank) if rank.isdigit() else None,
            "state": verdicts.at[source.id, "state"],
            "reason": verdicts.at[source.id, "reason"],
            "clips": int(made.get(source.id, 0)),
            "clips_kept": int(kept.get(source.id, 0)),
        }
        row |= {f"given_{name}": source.given.get(name) for name in given}
        rows.append(row)
    extra = [Column(f"given_{name}", "string", "a further column of the list, as given") for name in given]
    columns = [*SOURCE_COLUMNS, *(c for c in extra if c.name not in {k.name for k in SOURCE_COLUMNS})]
    frame = pd.DataFrame(rows, columns=[column.name for column in columns], dtype=object)
    return arrow_table(frame.sort_values("source_id"), columns)


def _ledger_table(ruling: Ruling) -> pa.Table:
    ledger = ruling.ledger.copy()
    seconds = ruling.table.get("clip_seconds")
    if seconds is not None:
        ledger["clip_seconds"] = seconds.reindex(ledger["item_id"]).to_numpy(object, na_value=None)
    ledger = ledger.rename(columns={"root_id": "source_id", "group": "language", "cpu_seconds": "cost_cpu_seconds"})
    for name in ("value", "bound"):
        column = ledger[name].to_numpy(object)
        some = np.array([value is not None and value == value for value in column], bool)
        text = np.full(len(column), None, dtype=object)
        text[some] = [str(value) for value in column[some]]
        ledger[name] = text
    return arrow_table(ledger, LEDGER_COLUMNS)


def items_table(plan: Plan, ruling: Ruling) -> pa.Table:
    """The wide table with its verdicts: what ``recut``, ``why`` and ``report`` work on."""
    columns = [Column(name, "string", "the item") for name in BASE]
    columns += list({column.name: column for column in plan.columns}.values())
    kinds = dict(zip(FACTS, ("string", "string", "string", "int", "float", "float"), strict=True))
    for planned in plan.stages:
        if not planned.whole:
            columns += [
                Column(fact(planned.name, name), kinds[name], f"{name} of the stage {planned.name}", decimals=6)
                for name in FACTS
            ]
    frame = ruling.table.reset_index(drop=True)
    verdict_names = ("state", "stage", "gate", "reason", "detail", "value", "bound")
    for name in verdict_names:
        column = ruling.verdicts[name].to_numpy(object)
        frame[f"verdict_{name}"] = [None if value is None or value != value else str(value) for value in column]
        columns.append(Column(f"verdict_{name}", "string", f"{name} of the verdict"))
    return arrow_table(frame, columns)


def _manifest(folder: Path) -> dict[str, object]:
    files: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            entry: dict[str, object] = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
            if path.suffix == ".parquet":
                entry["rows"] = pq.read_metadata(path).num_rows
            files[path.relative_to(folder).as_posix()] = entry
    tables = {}
    for table in ("clips", "sources", "ledger", "items"):
        tables[table] = sum(
            int(entry["rows"])  # type: ignore[index, call-overload]
            for name, entry in files.items()
            if name.startswith(f"{table}/")
        )
    return {"files": files, "rows": tables, "format": 1}
