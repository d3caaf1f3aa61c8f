"""The latest commit as recorded: tables, recipe, gates, declared columns. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from talkingface_wild.core.clip import Source, source_from_json
from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.language_names import UNKNOWN
from talkingface_wild.dataset.commit import MANIFEST, UNMEASURED
from talkingface_wild.dataset.commits import read_origin
from talkingface_wild.dataset.decisions import with_review_reasons
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.item_table import FACTS, fact

_COMPARISON_WORDS = {"at_least": ">=", "at_most": "<=", "above": ">", "below": "<", "equals": "=="}
_TYPES = {pa.float64(): "float", pa.int64(): "int", pa.string(): "string", pa.bool_(): "bool"}

_NULLABLE = {
    pa.string(): pd.StringDtype("pyarrow"),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


@dataclass(frozen=True)
class Recorded:
    """One commit, read once. Frames: ``items`` is indexed by item id, the others by position.

    ``owners`` names the stage that gives each column; ``unmeasured`` the stages that measured
    nothing and why; ``origins`` the sources by id, with the folder that each path is relative to.
    ``written`` is when the commit was made, as it says itself, in UTC.
    """

    layout: Layout
    number: int
    written: datetime
    recipe: str
    summary: str
    stages: tuple[str, ...]
    gates: tuple[Gate, ...]
    columns: Mapping[str, Column]
    owners: Mapping[str, str]
    unmeasured: Mapping[str, str]
    items: pd.DataFrame
    clips: pd.DataFrame
    ledger: pd.DataFrame
    sources: pd.DataFrame
    origins: Mapping[str, Source]

    @property
    def name(self) -> str:
        """What the data set is called: its folder."""
        return self.layout.out.resolve().name

    def row(self, item: str) -> pd.Series[Any]:
        """One item's row of items/."""
        return cast("pd.Series[Any]", self.items.loc[item])

    def language_of(self, item: str) -> str:
        """The final language of an item: as relabelled, else as listed."""
        row = self.row(item)
        for name in ("language", "group"):
            if name in row.index and isinstance(row[name], str):
                return str(row[name])
        return UNKNOWN

    def verdict_of(self, item: str) -> str:
        """What became of an item, in words: ``kept``, or ``rejected: too_short``."""
        row = self.row(item)
        words = [row["verdict_state"], row["verdict_reason"]]
        return ": ".join(str(word) for word in words if isinstance(word, str))

    def measured_rows(self, column: str) -> pd.DataFrame:
        """The items that a column was measured on: sources where sources have it, else clips.

        Clips that were cut further are left out: their parts stand for them.
        """
        level = self.items["level"]
        roots = self.items[level == "source"]
        if column in roots and roots[column].notna().any():
            return roots
        return self.items[(level == "clip") & (self.items["verdict_state"] != "split")]


def read_recorded(out: Path) -> Recorded:
    """Read the latest commit of ``out``.

    Raises InputUnreadable when there is none, or it is damaged.
    """
    layout = Layout(out)
    folder = layout.latest()
    try:
        recipe = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
        schema = pq.read_schema(folder / "items" / "part-0.parquet")
        items = with_review_reasons(_table(folder, "items"), "verdict_")
        items = items.set_index("item_id", drop=False)
        stages = tuple(str(next(iter(entry))) for entry in recipe["stages"])
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Recorded(
            layout=layout,
            number=int(folder.name),
            written=datetime.fromisoformat(read_origin(folder)["at"]).astimezone(UTC),
            recipe=str(recipe.get("name", "")),
            summary=str(recipe.get("summary", "")),
            stages=stages,
            gates=tuple(
                _gate(name, entry)
                for name, entry in (recipe["gates"] or {}).items()
                if not entry.get("off")
            ),
            columns={field.name: _column(field) for field in schema},
            owners=column_owners(schema),
            unmeasured=manifest.get(UNMEASURED) or _unmeasured_before(folder, items, stages),
            items=items,
            clips=_table(folder, "clips"),
            ledger=with_review_reasons(_table(folder, "ledger")),
            sources=_table(folder, "sources"),
            origins=_origins(layout),
        )
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        raise InputUnreadable(
            f"Expected a whole commit in {folder}, found one that cannot be read ({error!r}); "
            f"write it anew with `tfw recut {out}`."
        ) from error


def _table(folder: Path, table: str) -> pd.DataFrame:
    """One table of this commit, which stays the same while a newer one is published.

    Whole numbers stay whole where some are missing.
    """
    whole = {pa.int64(): pd.Int64Dtype()}
    frame: pd.DataFrame = pq.read_table(folder / table).to_pandas(types_mapper=whole.get)
    if "language" in frame:
        frame["language"] = frame["language"].astype("string")
    return frame


def _gate(name: str, entry: Mapping[str, Any]) -> Gate:
    word = next(word for word in _COMPARISON_WORDS if word in entry)
    return Gate(
        name,
        entry["column"],
        _COMPARISON_WORDS[word],
        entry[word],
        entry["reason"],
        entry.get("missing", "reject"),
        entry.get("per_language") or {},
        str(entry.get("meaning") or ""),
    )


def _column(field: pa.Field) -> Column:
    notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    return Column(
        field.name,
        _kind(field.type),
        notes.get("meaning", ""),
        notes.get("unit", ""),
        decimals=int(notes.get("decimals", 4)),
    )


def _kind(type_: pa.DataType) -> str:
    return f"list<{_kind(type_.value_type)}>" if pa.types.is_list(type_) else _TYPES[type_]


def column_owners(schema: pa.Schema) -> dict[str, str]:
    """The stage of each measured column in a schema of items/, from its field metadata."""
    stages = {field.name: (field.metadata or {}).get(b"stage") for field in schema}
    return {name: stage.decode() for name, stage in stages.items() if stage is not None}


def _unmeasured_before(folder: Path, items: pd.DataFrame, stages: Sequence[str]) -> dict[str, str]:
    """Why stages measured nothing in a commit of an earlier version, whose manifest does not say:
    from fingerprints.json, else from the columns of such words that its tables had.
    """
    reasons: dict[str, str] = {}
    path = folder / "fingerprints.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for stage in stages:
        entry = stored.get(stage)
        facts = entry if isinstance(entry, dict) else {}
        why = facts.get("unmeasured") or facts.get("measured_nothing")
        name = f"{stage}_unmeasured"
        if not why and name in items and items[name].notna().any():
            why = items[name].dropna().iloc[0]
        if why:
            reasons[stage] = str(why)
    return reasons


def stage_ran(recorded: Recorded, stage: str) -> bool:
    """Whether a stage keeps records of single items (stages over the whole table do not)."""
    return all(fact(stage, name) in recorded.items for name in FACTS)


def _origins(layout: Layout) -> dict[str, Source]:
    if not layout.sources.is_file():
        return {}
    entries = json.loads(layout.sources.read_text(encoding="utf-8"))
    return {entry["id"]: source_from_json(entry) for entry in entries}


def load_items(commit: Path) -> pd.DataFrame:
    """The wide table of a commit, indexed by item, without the verdicts; lists stay Arrow's."""
    table = pq.read_table(commit / "items")
    names = [name for name in table.column_names if not name.startswith("verdict_")]
    frame: pd.DataFrame = table.select(names).to_pandas(types_mapper=_dtype)
    return frame.set_index("item_id", drop=False)


def _dtype(type_: pa.DataType) -> object:
    return pd.ArrowDtype(type_) if pa.types.is_list(type_) else _NULLABLE.get(type_)
