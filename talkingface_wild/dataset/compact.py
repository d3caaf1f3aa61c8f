"""Compact commits: columns that are null in every row are left out of clips/ and named instead."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from talkingface_wild.core.columns import Column
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.engine.plan import Plan

NULL_COLUMNS = "null_columns"
"""Of a compact commit's manifest: each column left out of clips/, and why it is null."""
_EMPTY = "null in every row"


def stored_null_columns(commit: Path) -> dict[str, str] | None:
    """The columns that a commit left out, with reasons; None for one that is not compact."""
    manifest = json.loads((commit / "manifest.json").read_text(encoding="utf-8"))
    left_out: dict[str, str] | None = manifest.get(NULL_COLUMNS)
    return left_out


def is_compact(layout: Layout) -> bool:
    """Whether the latest commit is compact; false where there is none."""
    return layout.has_commit() and stored_null_columns(layout.latest()) is not None


def null_columns(clips: pd.DataFrame, columns: Sequence[Column], plan: Plan) -> dict[str, str]:
    """The columns of clips/ without any value, each with the reason.

    None for a table without rows: nothing is known of its columns.
    """
    if clips.empty:
        return {}
    reasons: dict[str, str] = {}
    for planned in plan.stages:
        why = plan.unmeasured.get(planned.name)
        for column in planned.stage.columns if why else ():
            reasons.setdefault(column.name, f"stage {planned.name} was not measured: {why}")
    return {
        column.name: reasons.get(column.name, _EMPTY)
        for column in columns
        if column.name not in clips or clips[column.name].isna().all()
    }
