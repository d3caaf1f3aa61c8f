"""A commit: clips/, sources/, ledger/, items/ and tracks/ as Parquet with a manifest, published by
one atomic replace.
"""

import json
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from talkingface_wild.core.clip import Source
from talkingface_wild.core.columns import Column
from talkingface_wild.core.fingerprint import file_sha256
from talkingface_wild.core.language_names import UNKNOWN
from talkingface_wild.core.paths import NO_ROOM, atomic_symlink, disk_full, sync_file
from talkingface_wild.dataset.arrow_schema import (
    CLIP_COLUMNS,
    LEDGER_COLUMNS,
    NOT_MEASURED,
    SOURCE_COLUMNS,
    arrow_schema,
    arrow_table,
)
from talkingface_wild.dataset.commits import ORIGIN, write_origin
from talkingface_wild.dataset.compact import NULL_COLUMNS, null_columns
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.load import TABLES
from talkingface_wild.engine.item_table import BASE, FACTS, fact
from talkingface_wild.engine.plan import Plan
from talkingface_wild.engine.ruling import KEPT, PENDING, Ruling
from talkingface_wild.engine.stage import Stage, Whole

FORMAT = 2
"""Of a commit: 2 names media in the store; 1, of version 0.3.0, named files of media/."""

MANIFEST = "manifest.json"
UNMEASURED = "unmeasured"
"""The manifest's entry that says why stages measured nothing: by stage, in words."""


@dataclass(frozen=True)
class Commit:
    """What was written: its number and folder; ``new`` is false when it equals the one before."""

    number: int
    folder: Path
    new: bool


def clip_columns(plan: Plan) -> list[Column]:
    """The columns of clips/: who and where, then every measure in order of the stages.

    Measures with a value per sample, ``list<float>``, are long: they lie in tracks/.
    """
    others = {column.name for column in (*CLIP_COLUMNS, *track_columns(plan))}
    return [*CLIP_COLUMNS, *(column for column in plan.columns if column.name not in others)]


def track_columns(plan: Plan) -> list[Column]:
    """The measures that hold a value per sample of a clip: columns of tracks/."""
    return [column for column in plan.columns if is_track(column)]


def is_track(column: Column) -> bool:
    """Whether a column holds a value per sample of a clip, and so lies in tracks/."""
    return column.type == "list<float>"


def write_commit(
    layout: Layout,
    plan: Plan,
    ruling: Ruling,
    sources: Sequence[Source],
    documents: Mapping[str, str],
    measured_in: Path | None = None,
    made_by: str = "curate",
    compact: bool = False,
) -> Commit:
    """Write a commit and point ``dataset`` at it; writes nothing when it would equal the latest.

    ``documents`` are further text files of the commit by name (the resolved recipe).
    ``measured_in`` is the commit whose items/ the ruling was made from: nothing was measured since,
    so its tracks/ are shared with the new one, by hard links. ``made_by`` (curate, recut, review)
    is noted beside the tables, and makes no difference between two commits. ``compact`` leaves
    columns without any value out of clips/ and names them in the manifest.
    """
    layout.commits.mkdir(parents=True, exist_ok=True)
    for left_by_a_killed_run in layout.half_written():
        shutil.rmtree(left_by_a_killed_run, ignore_errors=True)
    building = layout.commits / f".building-{uuid.uuid4().hex}"
    try:
        nulls = _write_tables(building, plan, ruling, sources, measured_in is None, compact)
        if measured_in is not None:
            _link(measured_in / "tracks", building / "tracks")
        for name, text in documents.items():
            (building / name).write_text(text, encoding="utf-8")
        manifest = manifest_of(building, measured_in) | {UNMEASURED: plan.unmeasured}
        manifest |= {NULL_COLUMNS: nulls} if compact else {}
        (building / MANIFEST).write_text(json.dumps(manifest, indent=1, sort_keys=True))
        write_origin(building, made_by)
        return _publish(layout, building, manifest)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise disk_full(building) from error
        raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _publish(layout: Layout, building: Path, manifest: dict[str, object]) -> Commit:
    if layout.dataset.exists():
        latest = layout.dataset.resolve()
        if json.loads((latest / MANIFEST).read_text()) == manifest:
            return Commit(int(latest.name), latest, new=False)
    number = layout.next_number()
    final = layout.commit(number)
    for path in sorted(building.rglob("*")):
        sync_file(path)
    building.rename(final)
    sync_file(layout.commits)
    atomic_symlink(layout.dataset, f"commits/{final.name}")
    return Commit(number, final, new=True)


def _write_tables(
    folder: Path, plan: Plan, ruling: Ruling, sources: Sequence[Source], tracks: bool, compact: bool
) -> dict[str, str]:
    """Write every table, two at a time: Arrow works outside Python's lock.

    Gives the columns that ``compact`` left out of clips/, and why they are null.
    """
    by_id = {source.id: source for source in sources}
    clips = clips_frame(plan, ruling, by_id)
    nulls = null_columns(clips, clip_columns(plan), plan) if compact else {}
    columns = [column for column in clip_columns(plan) if column.name not in nulls]

    def tables() -> Iterator[tuple[Path, pa.Table]]:
        yield folder / "ledger", _ledger_table(plan, ruling)
        yield folder / "items", items_table(plan, ruling)
        if tracks:
            yield folder / "tracks", tracks_table(plan, ruling)
        yield folder / "sources", _sources_table(ruling, sources, clips)
        for part, table in _partitions(clips, columns):
            yield folder / "clips" / part, table

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda entry: _write(*entry), tables()))
    return nulls


def _partitions(clips: pd.DataFrame, columns: Sequence[Column]) -> Iterator[tuple[str, pa.Table]]:
    """A table per language, named as Hive names partitions; one empty table if nothing is kept."""
    if clips.empty:
        yield "", arrow_schema(columns).empty_table()
        return
    clips = clips.sort_values("language", kind="stable")
    whole = arrow_table(clips, [column for column in columns if column.name != "language"])
    begin = 0
    for language, rows in clips["language"].value_counts(sort=False).items():
        yield f"language={language}", whole.slice(begin, rows)
        begin += rows


def _write(folder: Path, table: pa.Table) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / "part-0.parquet", compression="zstd")


def _link(there: Path, here: Path) -> None:
    """The files of a folder once more, by hard links; copied where the disk has none."""
    here.mkdir(parents=True)
    for path in sorted(there.iterdir()):
        try:
            os.link(path, here / path.name)
        except OSError:
            shutil.copy2(path, here / path.name)


def tracks_table(plan: Plan, ruling: Ruling) -> pa.Table:
    """The long measures of every clip that has any, kept or not, by its id."""
    columns = track_columns(plan)
    some = ruling.table[[column.name for column in columns]].notna().any(axis=1)
    frame = ruling.table[some.to_numpy(bool)].assign(clip_id=lambda rows: rows["item_id"])
    return arrow_table(frame, [Column("clip_id", "string", "the clip; key of clips/"), *columns])


def clips_frame(plan: Plan, ruling: Ruling, sources: Mapping[str, Source]) -> pd.DataFrame:
    """The kept clips with all their columns, sorted by id."""
    kept = (ruling.verdicts["state"] == KEPT) & (ruling.table["level"] == "clip")
    names = {column.name for column in clip_columns(plan)} & set(ruling.table.columns)
    rows = ruling.table.loc[kept.to_numpy(bool), [*BASE, *sorted(names - set(BASE))]].copy()
    owners = [sources.get(root) for root in rows["root_id"].to_numpy(object)]
    rows["clip_id"] = rows["item_id"]
    rows["source_id"] = rows["root_id"]
    for name in ("path", "url", "licence", "consent"):
        column = f"source_{name}" if name in ("path", "url") else name
        rows[column] = [getattr(owner, name) if owner else None for owner in owners]
    if "language" not in rows:
        rows["language"] = rows["group"]
    rows["language"] = rows["language"].fillna(rows["group"]).fillna(UNKNOWN).astype(object)
    if "review" not in rows:
        rows["review"] = None
    return rows.sort_values("clip_id")


def _sources_table(ruling: Ruling, sources: Sequence[Source], clips: pd.DataFrame) -> pa.Table:
    table = ruling.table
    verdicts = ruling.verdicts.reindex([source.id for source in sources])
    states = dict(zip(verdicts.index, verdicts["state"].fillna(PENDING), strict=True))
    reasons = dict(zip(verdicts.index, verdicts["reason"], strict=True))
    cut = table.loc[(table["level"] == "clip").to_numpy(bool), "root_id"].value_counts().to_dict()
    kept = clips["source_id"].value_counts().to_dict()
    listed = sorted({name for source in sources for name in source.given})
    further = {name: _further_name(name) for name in listed}
    rows = []
    for source in sources:
        search = source.found
        rank = str(search.get("rank", ""))
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
            "query": search.get("query"),
            "query_date": search.get("date"),
            "query_rank": int(rank) if rank.isdigit() else None,
            "state": states[source.id],
            "reason": reasons[source.id],
            "clips": int(cut.get(source.id, 0)),
            "clips_kept": int(kept.get(source.id, 0)),
        }
        row |= {column: source.given.get(name) for name, column in further.items()}
        rows.append(row)
    meaning = "a further column of the list, as given"
    extra = [Column(column, "string", meaning) for column in further.values()]
    columns = [*SOURCE_COLUMNS, *extra]
    frame = pd.DataFrame(rows, columns=[column.name for column in columns], dtype=object)
    return arrow_table(frame.sort_values("source_id"), columns)


def _further_name(name: str) -> str:
    """The column of a list's further column, apart from our own (``given_start_seconds``, …)."""
    ours = {column.name for column in SOURCE_COLUMNS}
    return f"given_{name}_as_listed" if f"given_{name}" in ours else f"given_{name}"


def _ledger_table(plan: Plan, ruling: Ruling) -> pa.Table:
    """The ledger; what a stage that measured nothing let through says so in ``detail``."""
    ledger, table = ruling.ledger, ruling.table
    names = {"root_id": "source_id", "group": "language", "cpu_seconds": "cost_cpu_seconds"}
    ledger = ledger.rename(columns=names)
    if "clip_seconds" in table:
        ids = pa.array(ledger["item_id"], pa.string(), from_pandas=True)
        places = pc.index_in(ids, pa.array(table["item_id"], pa.string(), from_pandas=True))
        ledger["clip_seconds"] = table["clip_seconds"].array.take(places.to_numpy())
    for name in ("value", "bound"):
        ledger[name] = _texts(ledger[name])
    let_through = ledger["stage"].isin(plan.unmeasured) & (ledger["state"] == KEPT)
    ledger["detail"] = ledger["detail"].mask(let_through, NOT_MEASURED)
    return arrow_table(ledger, LEDGER_COLUMNS)


def _texts(column: pd.Series) -> pd.Series:
    """Measured values and bounds of whatever type, as text."""
    texts = column.astype(object).where(column.notna(), None)
    some = column.notna().to_numpy(bool)
    texts[some] = [str(value) for value in column[some]]
    return texts


VERDICT = ("state", "stage", "gate", "reason", "detail", "value", "bound")
"""What items/ holds of each item's verdict, in columns named ``verdict_…``."""
_BASE_MEANINGS = {
    "item_id": "a source or a clip",
    "level": "source or clip",
    "parent_id": "what it was cut from; empty for sources",
    "root_id": "the source it comes from",
    "born": "the stage that cut it; empty for sources",
    "group": "BCP-47 tag as listed",
}
_FACT_TYPES = dict(
    zip(FACTS, ("string", "string", "string", "int", "float", "float", "string"), strict=True)
)


def item_columns(stages: Sequence[type[Stage] | type[Whole]]) -> list[tuple[Column, str]]:
    """The columns of items/ in order, each with the stage that gives it (empty for the rest)."""
    rows = {name: (Column(name, "string", _BASE_MEANINGS[name]), "") for name in BASE}
    for stage in stages:
        for column in stage.columns:
            if not is_track(column):
                rows.setdefault(column.name, (column, stage.name))
    for stage in stages:
        if stage.kind != "whole":
            for name, kind in _FACT_TYPES.items():
                column = Column(fact(stage.name, name), kind, f"{name} of the stage", decimals=6)
                rows[column.name] = (column, stage.name)
    verdicts = [Column(f"verdict_{name}", "string", f"{name} of the verdict") for name in VERDICT]
    return [*rows.values(), *((column, "") for column in verdicts)]


def items_table(plan: Plan, ruling: Ruling) -> pa.Table:
    """The wide table with its verdicts: what ``recut``, ``why`` and ``report`` work on."""
    columns = [column for column, _ in item_columns([planned.stage for planned in plan.stages])]
    verdicts = {f"verdict_{name}": ruling.verdicts[name].to_numpy(object) for name in VERDICT}
    for name in ("verdict_value", "verdict_bound"):
        verdicts[name] = _texts(pd.Series(verdicts[name], dtype=object)).to_numpy()
    table = arrow_table(ruling.table.reset_index(drop=True).assign(**verdicts), columns)
    return _with_owners(table, plan)


def _with_owners(table: pa.Table, plan: Plan) -> pa.Table:
    """The table with the first stage that gives each column in the field's metadata."""
    owners: dict[str, str] = {}
    for planned in plan.stages:
        for column in planned.stage.columns:
            owners.setdefault(column.name, planned.name)
    fields = [
        field.with_metadata({**(field.metadata or {}), "stage": owners[field.name]})
        if field.name in owners
        else field
        for field in table.schema
    ]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def manifest_of(folder: Path, measured_in: Path | None = None) -> dict[str, object]:
    """Hashes, sizes and rows of a commit's files, its format; tracks/ as ``measured_in`` says."""
    shared: dict[str, dict[str, Any]] = {}
    if measured_in is not None:
        shared = json.loads((measured_in / MANIFEST).read_text())["files"]
    files: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name not in (MANIFEST, ORIGIN):
            name = path.relative_to(folder).as_posix()
            if name.startswith("tracks/") and name in shared:
                files[name] = shared[name]
                continue
            entry: dict[str, Any] = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
            if path.suffix == ".parquet":
                entry["rows"] = pq.read_metadata(path).num_rows
            files[name] = entry
    tables = {
        table: sum(
            int(entry["rows"]) for name, entry in files.items() if name.startswith(f"{table}/")
        )
        for table in TABLES
    }
    return {"files": files, "rows": tables, "format": FORMAT}
