"""Declared columns become Arrow fields, frames become Arrow tables of exactly these."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from talkingface_wild.core.columns import TYPES, Column
from talkingface_wild.dataset.arrow_schema import (
    CLIP_COLUMNS,
    LEDGER_COLUMNS,
    SOURCE_COLUMNS,
    arrow_field,
    arrow_schema,
    arrow_table,
)

ARROW = {
    "float": pa.float64(),
    "int": pa.int64(),
    "string": pa.string(),
    "bool": pa.bool_(),
    "list<float>": pa.list_(pa.float64()),
    "list<int>": pa.list_(pa.int64()),
}


@pytest.mark.parametrize("kind", TYPES)
def test_every_declared_type_has_an_arrow_type(kind):
    field = arrow_field(Column("x", kind, "what it means", "px", 0, 10, 2))
    assert field.type == ARROW[kind]
    assert field.nullable
    notes = {key.decode(): value.decode() for key, value in field.metadata.items()}
    assert (notes["meaning"], notes["unit"], notes["range"]) == ("what it means", "px", "0..10")
    assert notes.get("decimals") == ("2" if "float" in kind else None)


def test_one_sided_ranges_leave_the_other_side_open():
    assert arrow_field(Column("x", "int", "m", low=1)).metadata[b"range"] == b"1.."
    assert arrow_field(Column("x", "int", "m", high=1)).metadata[b"range"] == b"..1"


def test_what_the_frame_lacks_is_null_and_what_nobody_declared_is_left_out():
    columns = [Column("a", "int", "m"), Column("b", "list<int>", "m")]
    table = arrow_table(pd.DataFrame({"a": [1, 2], "c": ["x", "y"]}), columns)
    assert table.schema == arrow_schema(columns)
    assert table.to_pydict() == {"a": [1, 2], "b": [None, None]}


@pytest.mark.parametrize(
    ("kind", "values", "stored"),
    [
        ("string", pd.Series(["a", None, pd.NA, np.nan], dtype=object), ["a", None, None, None]),
        ("string", pd.Series(["a", None], dtype="string[pyarrow]"), ["a", None]),
        ("string", pd.Series(["a", None], dtype="string[python]"), ["a", None]),
        ("string", pd.Series(pd.Categorical(["b", None, "b"])), ["b", None, "b"]),
        ("string", pd.Series(pd.Categorical([None, None])), [None, None]),
        ("float", pd.Series([1.5, None], dtype="Float64"), [1.5, None]),
        ("float", pd.Series([1.5, np.nan]), [1.5, None]),
        ("float", pd.Series([1, None, np.nan], dtype=object), [1.0, None, None]),
        ("int", pd.Series([1, None], dtype="Int64"), [1, None]),
        ("int", pd.Series([1, pd.NA], dtype=object), [1, None]),
        ("bool", pd.Series([True, None], dtype="boolean"), [True, None]),
        ("bool", pd.Series([True, None], dtype=object), [True, None]),
        ("list<float>", pd.Series([[1.0, None], None], dtype=object), [[1.0, None], None]),
        ("list<int>", pd.Series([[], np.array([2])], dtype=object), [[], [2]]),
    ],
)
def test_missing_is_null_whatever_pandas_calls_it(kind, values, stored):
    table = arrow_table(pd.DataFrame({"x": values}), [Column("x", kind, "m")])
    assert table["x"].to_pylist() == stored
    assert table.schema.field("x").type == ARROW[kind]


def test_names_of_the_fixed_columns_are_unique_and_explained():
    for columns in (CLIP_COLUMNS, SOURCE_COLUMNS, LEDGER_COLUMNS):
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning for column in columns)
