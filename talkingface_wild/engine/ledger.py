"""The ledger of a ruling: a row per item and stage that it reached, made a column at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from talkingface_wild.engine.item_table import fact


@dataclass(frozen=True)
class LedgerEntry:
    """What one step of a ruling says of the items ``where`` (a mask over the table's rows).

    The arrays are as long as the table; None stands for a column of nulls.
    """

    where: np.ndarray
    stage: str
    state: str
    reasons: np.ndarray | None = None
    details: np.ndarray | None = None
    values: np.ndarray | None = None
    bounds: np.ndarray | None = None
    gate: str | None = None


def ledger_of(table: pd.DataFrame, entries: Sequence[LedgerEntry]) -> pd.DataFrame:
    """The ledger: entries in order, within an entry the items in order of the table.

    Columns: item_id, level, group, root_id, stage, state, gate, reason, detail, value, bound, and
    attempts, seconds, cpu_seconds of the stage's record where it keeps one.
    """
    picked = [np.flatnonzero(entry.where) for entry in entries]
    rows = np.concatenate([np.zeros(0, dtype=np.intp), *picked])
    sizes = [len(indices) for indices in picked]
    frame = pd.DataFrame(
        {name: table[name].array.take(rows) for name in ("item_id", "level", "group", "root_id")}
    )
    frame["stage"] = _constants([entry.stage for entry in entries], sizes)
    frame["state"] = _constants([entry.state for entry in entries], sizes)
    frame["gate"] = _constants([entry.gate for entry in entries], sizes)
    for name, attribute in (
        ("reason", "reasons"),
        ("detail", "details"),
        ("value", "values"),
        ("bound", "bounds"),
    ):
        column = np.full(len(rows), None, dtype=object)
        begin = 0
        for entry, indices in zip(entries, picked, strict=True):
            source = getattr(entry, attribute)
            if source is not None:
                column[begin : begin + len(indices)] = source[indices]
            begin += len(indices)
        frame[name] = pd.Series(column, dtype=object)
    for name in ("attempts", "seconds", "cpu_seconds"):
        numbers = [
            _numbers(table, fact(entry.stage, name), indices)
            for entry, indices in zip(entries, picked, strict=True)
        ]
        costs = pd.Series(np.concatenate([np.zeros(0), *numbers])).astype("Float64")
        frame[name] = costs.astype("Int64") if name == "attempts" else costs
    return frame


def _constants(names: Sequence[str | None], sizes: Sequence[int]) -> pd.Categorical:
    categories = list(dict.fromkeys(name for name in names if name is not None))
    codes = [-1 if name is None else categories.index(name) for name in names]
    from_codes: Any = pd.Categorical.from_codes
    column: pd.Categorical = from_codes(np.repeat(np.array(codes, dtype=int), sizes), categories)
    return column


def _numbers(table: pd.DataFrame, name: str, indices: np.ndarray) -> np.ndarray:
    if name not in table:
        return np.full(len(indices), np.nan)
    return np.asarray(table[name].array.take(indices).to_numpy(float, na_value=np.nan))
