"""The tables of a recipe's data set, described by the declarations of its stages."""

from __future__ import annotations

from talkingface_wild.core.columns import Column
from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.dataset.schema import CLIP_COLUMNS, LEDGER_COLUMNS, SOURCE_COLUMNS
from talkingface_wild.engine.plan import columns_of
from talkingface_wild.pipelines.recipe import load_recipe
from talkingface_wild.pipelines.stages import stage_class

TABLES = ("clips", "sources", "ledger")


def described_columns(table: str, recipe: str) -> list[tuple[Column, str]]:
    """Each column of a table with the stage that gives it (empty for what every data set has)."""
    if table not in TABLES:
        raise UsageError(
            f"Expected a table out of {', '.join(TABLES)}, found {table!r}{nearest(table, TABLES)}."
        )
    if table != "clips":
        return [
            (column, "") for column in (SOURCE_COLUMNS if table == "sources" else LEDGER_COLUMNS)
        ]
    known = {column.name for column in CLIP_COLUMNS}
    rows = [(column, "") for column in CLIP_COLUMNS]
    for choice in load_recipe(recipe).stages:
        cls = stage_class(choice.name)
        rows += [(column, choice.name) for column in columns_of(cls) if column.name not in known]
    return rows
