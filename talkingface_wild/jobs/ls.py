"""The clips of a commit as a list: name, language, seconds, state, reason, and any measure.

Reads only the columns that are asked for; sources that never became clips are listed too.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.core.language_names import UNKNOWN
from talkingface_wild.core.reasons import ALL
from talkingface_wild.dataset.condition import Condition
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.jobs.request import STATES, LsRequest

COLUMNS = ("id", "name", "language", "seconds", "state", "reason")
"""What a row always has; ``name`` is the source's file name or address, and the clip's span."""
_LEAST_ID = 8
_VERDICT = ("state", "reason", "stage", "gate", "detail", "value", "bound")
_KINDS = {pa.float64(): "number", pa.int64(): "number", pa.string(): "text", pa.bool_(): "bool"}
_SOURCES = ("source_id", "source_path", "source_url")


@dataclass(frozen=True)
class Catalogue:
    """The rows, by column; ``matching`` counts them before the limit, ``total`` all of the set."""

    columns: tuple[str, ...]
    rows: list[dict[str, Any]]
    matching: int
    total: int
    seconds: float
    """Length of all matching rows."""
    id_length: int
    """So many first characters tell every id of the set, at least eight."""


def ls(query: LsRequest) -> Catalogue:
    """List the latest commit. Raises UsageError for an unknown column, reason or language."""
    folder = Layout(query.out).latest()
    schema = pq.read_schema(folder / "items" / "part-0.parquet")
    kinds = _kinds(schema)
    condition = None if query.where is None else Condition(query.where, kinds)
    order = [] if query.sort is None else [query.sort.removeprefix("-")]
    named = [*(condition.columns if condition else ()), *order]
    for option, names in (("--columns", query.columns or ()), ("--sort", order)):
        for name in names:
            if name not in kinds:
                raise UsageError(
                    f"{option} expects columns of the set, found {name!r}{nearest(name, kinds)}; "
                    "`tfw schema --table items` has them."
                )
    shown = _shown(query, named)
    table = _table(folder, schema, [*COLUMNS, "source", "start", *shown, *named])
    ids = pq.read_table(folder / "items", columns=["item_id"])["item_id"].to_pylist()
    total = len(table)
    table = _filtered(table, query, condition)
    rows = _sorted(table, query.sort)
    columns = ("id", "name", *(name for name in shown if name not in ("id", "name")))
    limit = len(rows) if query.limit is None else query.limit
    return Catalogue(
        columns,
        [{name: row[name] for name in columns} for row in rows[:limit]],
        len(rows),
        total,
        float(sum(row["seconds"] or 0.0 for row in rows)),
        _telling_length(ids),
    )


def _kinds(schema: pa.Schema) -> dict[str, str]:
    """The columns that can be listed and compared, with their kind."""
    kinds = {field.name: _KINDS[field.type] for field in schema if field.type in _KINDS}
    kinds = {name: kind for name, kind in kinds.items() if not name.startswith(("@", "verdict_"))}
    ours = dict.fromkeys(("id", "name", "source", "language", *_VERDICT), "text")
    return {**ours, "seconds": "number", **kinds, "language": "text"}


def _shown(query: LsRequest, named: Sequence[str]) -> list[str]:
    if query.columns is not None:
        return list(query.columns)
    return list(dict.fromkeys([*COLUMNS, *(name for name in named if name != "source")]))


def _table(folder: Path, schema: pa.Schema, names: Sequence[str]) -> pa.Table:
    """The finished items of the set with these columns, our own and measured ones."""
    base = ["item_id", "level", "root_id", "group", "verdict_state"]
    spans = ["language", "clip_seconds", "source_seconds", "start_seconds", "end_seconds"]
    verdicts = [f"verdict_{name}" for name in _VERDICT if name in names]
    read = dict.fromkeys([*base, *spans, *verdicts, *names])
    items = pq.read_table(folder / "items", columns=[name for name in read if name in schema.names])
    state, level = items["verdict_state"], items["level"]
    unmade = pc.and_(pc.equal(level, "source"), pc.not_equal(state, "kept"))
    final = pc.and_(pc.or_(pc.equal(level, "clip"), unmade), pc.not_equal(state, "split"))
    items = items.filter(final).combine_chunks()
    columns = {name: items[name] for name in items.column_names}

    def either(*parts: str) -> Any:
        present = [columns[part] for part in parts if part in columns]
        return pc.coalesce(*present) if present else pa.nulls(len(items), pa.float64())

    sources = _source_names(folder)
    roots = [sources.get(root) for root in columns["root_id"].to_pylist()]
    starts, ends = (
        columns[n].to_pylist() if n in columns else [None] * len(items) for n in spans[3:]
    )
    ours = {
        "id": columns["item_id"],
        "source": pa.array(roots, pa.string()),
        "language": pc.fill_null(either("language", "group"), UNKNOWN),
        "seconds": either("clip_seconds", "source_seconds"),
        "start": pa.array(starts, pa.float64()),
        "name": pa.array(map(_name, roots, starts, ends), pa.string()),
    }
    ours |= {name: columns[f"verdict_{name}"] for name in _VERDICT if f"verdict_{name}" in columns}
    return pa.table({**columns, **ours}).select(list(dict.fromkeys(names)))


def _source_names(folder: Path) -> dict[str, str]:
    table = pq.read_table(folder / "sources", columns=list(_SOURCES))
    ids, paths, urls = (table[name].to_pylist() for name in _SOURCES)
    return {i: path or url or i for i, path, url in zip(ids, paths, urls, strict=True)}


def _name(source: str | None, start: float | None, end: float | None) -> str:
    """The source's file name, or its address, and the span."""
    text = source or UNKNOWN
    name = text if "://" in text else text.rsplit("/", 1)[-1]
    return name if start is None or end is None else f"{name} {start:.1f}–{end:.1f}"


def _filtered(table: pa.Table, query: LsRequest, condition: Condition | None) -> pa.Table:
    judges = condition is not None and not set(_VERDICT).isdisjoint(condition.columns)
    states = query.states or (STATES if query.reason is not None or judges else ("kept",))
    masks = [pc.is_in(table["state"], value_set=pa.array(states, pa.string()))]
    if query.reason is not None:
        masks.append(_reason_mask(table, query.reason))
    if query.language:
        present = set(table["language"].unique().to_pylist())
        for tag in query.language:
            if tag not in present:
                raise UsageError(
                    f"--language expects a language of the set ({', '.join(sorted(present))}), "
                    f"found {tag!r}{nearest(tag, present)}."
                )
        masks.append(pc.is_in(table["language"], value_set=pa.array(query.language, pa.string())))
    if query.source is not None:
        masks.append(_source_mask(table, query.source))
    if condition is not None:
        masks.append(condition.mask({name: table[name] for name in condition.columns}))
    return table.filter(pc.fill_null(functools.reduce(pc.and_, masks), False))


def _source_mask(table: pa.Table, text: str) -> Any:
    try:
        return pc.match_substring(table["source"], text, ignore_case=True)
    except UnicodeError:
        raise UsageError(
            f"--source expects text in UTF-8, found {text!r}; give another part of the path."
        ) from None


def _reason_mask(table: pa.Table, reason: str) -> Any:
    """Rows of one reason; a reason with parts (``review:dubbed``) is meant by its first one too."""
    reasons = table["reason"]
    present = {str(name) for name in reasons.unique().to_pylist() if name is not None}
    if reason not in ALL and not any(reason in (n, n.split(":")[0]) for n in present):
        raise UsageError(
            f"--reason expects a reason of the closed list, found {reason!r}"
            f"{nearest(reason, [*ALL, *sorted(present)])}; "
            f"in this set: {', '.join(sorted(present)) or 'none'}."
        )
    return pc.or_(pc.equal(reasons, reason), pc.starts_with(reasons, f"{reason}:"))


def _sorted(table: pa.Table, sort: str | None) -> list[dict[str, Any]]:
    """The rows by source and time, or by a column."""
    rows: list[dict[str, Any]] = table.to_pylist()
    rows.sort(key=lambda row: (row["source"] or "", row["start"] or 0.0, row["id"]))
    if sort is not None:
        name = sort.removeprefix("-")
        some = [row for row in rows if row[name] is not None]
        some.sort(key=lambda row: row[name], reverse=sort.startswith("-"))
        rows = [*some, *(row for row in rows if row[name] is None)]
    return rows


def _telling_length(ids: Sequence[str]) -> int:
    """How many first characters tell every id from all others, ``_LEAST_ID`` at least."""
    ordered = sorted(ids)
    most = _LEAST_ID
    for one, other in itertools.pairwise(ordered):
        while one[:most] == other[:most] and most < max(len(one), len(other)):
            most += 1
    return most
