"""The wide table: a row per item with its measures, and each stage's state, reason and cost.

Built from the journal without applying a gate; a ruling (``ruling.py``) then says what is kept.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from talkingface_wild.engine.journal import Journal, Record
from talkingface_wild.engine.plan import Plan, Planned
from talkingface_wild.engine.stage import Item
from talkingface_wild.engine.worker import child_item

FACTS = ("state", "reason", "detail", "attempts", "seconds", "cpu_seconds", "given")
"""What is kept of each stage's record, in columns named ``@stage:fact``."""

TEXT_FACTS = ("state", "reason", "detail", "given")
BASE = ("item_id", "level", "parent_id", "root_id", "born", "group")

STRING = "string[pyarrow]"
"""Text in the wide table: Arrow's, which handles columns without Python objects."""


def fact(stage: str, name: str) -> str:
    """The column that holds one fact of a stage's record."""
    return f"@{stage}:{name}"


def build_table(
    plan: Plan, journal: Journal, roots: Iterable[Item]
) -> tuple[pd.DataFrame, dict[str, Item]]:
    """The wide table, indexed by item id, and the items by id with all values that are known.

    Children follow their parent; ``born`` is the stage that made them (empty for roots).
    """
    rows: list[dict[str, Any]] = []
    items: dict[str, Item] = {}
    for root in roots:
        for row, item in _grow(plan, journal, root):
            rows.append(row)
            items[item.id] = item
    names = [column.name for column in plan.columns]
    facts = [
        fact(planned.name, name) for planned in plan.stages if not planned.whole for name in FACTS
    ]
    table = pd.DataFrame(rows, columns=[*BASE, *names, *facts])
    table = typed(table, plan)
    return table.set_index("item_id", drop=False), items


def typed(table: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """The table with nullable dtypes by declaration, so that empty and full columns look alike."""
    kinds = {"float": "Float64", "int": "Int64", "bool": "boolean", "string": STRING}
    dtypes: dict[str, str] = {
        column.name: kinds.get(column.type, "object") for column in plan.columns
    }
    for planned in plan.stages:
        if not planned.whole:
            dtypes |= {fact(planned.name, name): STRING for name in TEXT_FACTS}
            dtypes[fact(planned.name, "attempts")] = "Int64"
            dtypes |= {fact(planned.name, name): "Float64" for name in ("seconds", "cpu_seconds")}
    dtypes |= dict.fromkeys(BASE, STRING)
    return table.astype({name: dtype for name, dtype in dtypes.items() if name in table.columns})


def with_all_columns(table: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    """The table with the plan's columns that it lacks, without values: a commit of an older
    version has none of the columns that a stage has got since.
    """
    lacking = [column.name for column in plan.columns if column.name not in table.columns]
    nulls = pd.DataFrame(None, index=table.index, columns=lacking, dtype=object)
    return pd.concat([table, typed(nulls, plan)], axis=1) if lacking else table


def _grow(plan: Plan, journal: Journal, root: Item) -> Iterator[tuple[dict[str, Any], Item]]:
    """The rows of one root and all that came of it, depth first."""
    out = journal.folder.parent
    stack: list[tuple[Item, int, str, str]] = [(root, 0, "", "")]
    while stack:
        item, position, parent, born = stack.pop()
        base = (item.id, item.level, parent, root.id, born, item.group)
        row: dict[str, Any] = dict(zip(BASE, base, strict=True))
        values = dict(item.values)
        children: list[tuple[Item, int, str, str]] = []
        for index in range(position, len(plan.stages)):
            planned = plan.stages[index]
            if planned.whole or planned.stage.level != item.level or planned.unmeasured is not None:
                continue
            record = journal.get(item.id, planned.fingerprint)
            if record is None or not _files_are_there(planned, record, out):
                continue
            row |= {fact(planned.name, name): getattr(record, name) for name in FACTS}
            if record.values:
                values |= record.values
            if record.children is not None:
                row[fact(planned.name, "state")] = "split"
                split = replace(item, values=values)
                children = [
                    (child_item(split, **child), index + 1, item.id, planned.name)
                    for child in record.children
                ]
                break
        yield {**values, **row}, replace(item, values=values)
        stack.extend(reversed(children))


def _files_are_there(planned: Planned, record: Record, out: Path) -> bool:
    """Whether the files that a result names are still on the disk."""
    names = getattr(planned.stage, "files", ())
    values = record.values or {}
    return all((out / str(values[name])).is_file() for name in names if values.get(name))


def without_lost_files(table: pd.DataFrame, plan: Plan, out: Path) -> pd.DataFrame:
    """The table without the results whose files are gone from the folder: they are still to do."""
    for planned in plan.stages:
        names = [name for name in getattr(planned.stage, "files", ()) if name in table]
        lost = np.zeros(len(table), bool)
        for name in names:
            lost |= [
                isinstance(path, str) and not (out / path).is_file()
                for path in table[name].to_numpy(object)
            ]
        if lost.any():
            columns = [column.name for column in planned.stage.columns]
            facts = [fact(planned.name, name) for name in FACTS]
            table = table.copy()
            table.loc[lost, [name for name in (*columns, *facts) if name in table]] = pd.NA
    return table


def declared(plan: Plan) -> dict[str, str]:
    """Which stage gives each declared column."""
    return {
        column.name: planned.name for planned in plan.stages for column in planned.stage.columns
    }
