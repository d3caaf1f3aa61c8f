"""Loading a finished data set with pandas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from talkingface_wild.core.errors import UsageError, nearest
from talkingface_wild.dataset.layout import Layout

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("clips", "sources", "ledger", "items", "tracks")


def load(out: str | Path, table: str = "clips") -> pd.DataFrame:
    """One table of the latest commit in ``out``: clips, sources, ledger, items, or tracks (the
    measures that hold a value per sample, such as face_boxes, by clip_id).

    Whole numbers stay whole where some are null: such a column is of pandas' type Int64.

    Raises InputUnreadable when ``out`` holds no data set, UsageError for an unknown table.
    """
    if table not in TABLES:
        raise UsageError(
            f"Expected a table out of {', '.join(TABLES)}, found {table!r}{nearest(table, TABLES)}."
        )
    import pandas as pd
    import pyarrow as pa
    import pyarrow.dataset as ds

    folder = Layout(Path(out)).latest() / table
    frame = pd.read_parquet(folder)
    for field in ds.dataset(folder, partitioning="hive").schema:
        # An index that pandas wrote is in the schema, and no column.
        if field.name not in frame or not pa.types.is_integer(field.type):
            continue
        if pd.api.types.is_float_dtype(frame[field.name]):
            frame[field.name] = frame[field.name].astype("Int64")
    if table in ("ledger", "items"):
        from talkingface_wild.dataset.decisions import with_review_reasons

        frame = with_review_reasons(frame, "verdict_" if table == "items" else "")
    if "language" in frame:
        frame["language"] = frame["language"].astype("string")
    return frame
