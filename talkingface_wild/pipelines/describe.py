"""The tables of a recipe's data set, described by the declarations of its stages."""

from __future__ import annotations

from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.dataset.commit import is_track, item_columns
from talkingface_wild.dataset.schema import CLIP_COLUMNS, LEDGER_COLUMNS, SOURCE_COLUMNS
from talkingface_wild.engine.plan import columns_of
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stages import stage_class

TABLES = ("clips", "tracks", "sources", "ledger", "items")


def described_columns(table: str, recipe: str) -> list[tuple[Column, str]]:
    """Each column of a table with the stage that gives it (empty for what every data set has)."""
    if table not in TABLES:
        raise UsageError(
            f"Expected a table out of {', '.join(TABLES)}, found {table!r}{nearest(table, TABLES)}."
        )
    if table in ("sources", "ledger"):
        return [
            (column, "") for column in (SOURCE_COLUMNS if table == "sources" else LEDGER_COLUMNS)
        ]
    if table == "items":
        stages = [stage_class(choice.name) for choice in load_recipe(recipe).stages]
        return item_columns(stages)
    first = CLIP_COLUMNS if table == "clips" else CLIP_COLUMNS[:1]
    rows = {column.name: (column, "") for column in first}
    for choice in load_recipe(recipe).stages:
        for column in columns_of(stage_class(choice.name)):
            if is_track(column) == (table == "tracks"):
                rows.setdefault(column.name, (column, choice.name))
    return list(rows.values())
