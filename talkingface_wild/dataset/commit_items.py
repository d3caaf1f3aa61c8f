"""Reading a commit's items/ back as the wide table that rulings work on."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

_NULLABLE = {
    pa.string(): pd.StringDtype("pyarrow"),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
}


def load_items(commit: Path) -> pd.DataFrame:
    """The wide table of a commit, indexed by item, without the verdicts; lists stay Arrow's."""
    table = pq.read_table(commit / "items")
    names = [name for name in table.column_names if not name.startswith("verdict_")]
    frame: pd.DataFrame = table.select(names).to_pandas(types_mapper=_dtype)
    return frame.set_index("item_id", drop=False)


def _dtype(type_: pa.DataType) -> object:
    return pd.ArrowDtype(type_) if pa.types.is_list(type_) else _NULLABLE.get(type_)
