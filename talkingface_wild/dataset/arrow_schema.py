"""Arrow schemas of the tables, made from the declared columns, with their metadata in fields."""

from collections.abc import Iterable

import pandas as pd
import pyarrow as pa

from talkingface_wild.core.columns import Column

_ARROW = {
    "float": pa.float64(),
    "int": pa.int64(),
    "bool": pa.bool_(),
    "string": pa.string(),
    "list<float>": pa.list_(pa.float64()),
    "list<int>": pa.list_(pa.int64()),
}

NOT_MEASURED = "not measured"
"""What the ledger and ``why`` say of what was let through because nothing was measured."""
CLIP_COLUMNS: tuple[Column, ...] = (
    Column("clip_id", "string", "hash of the source's id and the span"),
    Column("source_id", "string", "the source it was cut from; key of sources/"),
    Column("source_path", "string", "path of the video as listed, relative to the list or folder"),
    Column("source_url", "string", "address of the video, where it has one"),
    Column(
        "language", "string", "BCP-47 tag of the language, after any relabelling; the partition key"
    ),
    Column("licence", "string", "licence as the list gives it"),
    Column("consent", "string", "consent as the list gives it"),
    Column("review", "string", "a reviewer's answer: accepted, or null where nobody looked"),
)
SOURCE_COLUMNS: tuple[Column, ...] = (
    Column("source_id", "string", "hash of the video and the span that was asked for"),
    Column(
        "media_key",
        "string",
        "what the video is: sha256:… of a file, site:id or the address of a remote one",
    ),
    Column("source_path", "string", "path as listed, relative to the list or folder"),
    Column("source_url", "string", "address, where it has one"),
    Column("language", "string", "BCP-47 tag as listed, searched or named by the folder"),
    Column("given_start_seconds", "float", "start of the span asked for", "s", decimals=3),
    Column("given_end_seconds", "float", "end of the span asked for", "s", decimals=3),
    Column("given_crop", "list<int>", "region asked for: left, top, width, height", "px"),
    Column("channel", "string", "channel or author as listed"),
    Column("licence", "string", "licence as the list gives it"),
    Column("consent", "string", "consent as the list gives it"),
    Column("query", "string", "search query that found it"),
    Column("query_date", "string", "day of that search"),
    Column("query_rank", "int", "rank in that search, from 1"),
    Column("state", "string", "split, rejected, failed or pending"),
    Column("reason", "string", "why it was rejected, failed or is pending"),
    Column("clips", "int", "clips that were cut from it"),
    Column("clips_kept", "int", "clips of it that are in clips/"),
)
LEDGER_COLUMNS: tuple[Column, ...] = (
    Column("item_id", "string", "a source or a clip"),
    Column("level", "string", "source or clip"),
    Column("source_id", "string", "the source it comes from"),
    Column("language", "string", "BCP-47 tag as listed"),
    Column("clip_seconds", "float", "length of the clip; null for sources", "s", decimals=3),
    Column("stage", "string", "stage of the recipe"),
    Column("state", "string", "kept, rejected, failed or pending, after that stage"),
    Column("gate", "string", "gate that rejected it; null where the stage itself did"),
    Column("reason", "string", "reason from the closed list"),
    Column("detail", "string", f"what exactly was found; {NOT_MEASURED}: let through, not judged"),
    Column("value", "string", "measured value at the gate"),
    Column("bound", "string", "the gate's bound for this language"),
    Column("attempts", "int", "times the stage was tried"),
    Column(
        "seconds", "float", "wall seconds the stage took, shared among its batch", "s", decimals=4
    ),
    Column(
        "cost_cpu_seconds",
        "float",
        "processor seconds the stage took, shared among its batch",
        "s",
        decimals=4,
    ),
)


def arrow_field(column: Column) -> pa.Field:
    """One field, with unit, meaning and range in its metadata."""
    metadata = {"meaning": column.meaning, "unit": column.unit}
    if column.low is not None or column.high is not None:
        low, high = ("" if bound is None else bound for bound in (column.low, column.high))
        metadata["range"] = f"{low}..{high}"
    if column.type in ("float", "list<float>"):
        metadata["decimals"] = str(column.decimals)
    return pa.field(column.name, _ARROW[column.type], metadata=metadata)


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The schema of a table with these columns, in this order."""
    return pa.schema([arrow_field(column) for column in columns])


def arrow_table(frame: pd.DataFrame, columns: Iterable[Column]) -> pa.Table:
    """``frame`` as an Arrow table of exactly these columns; what the frame lacks is null."""
    schema = arrow_schema(columns)
    arrays = [
        _array(frame[field.name], field.type)
        if field.name in frame.columns
        else pa.nulls(len(frame), field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: pd.Series, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    """A column as Arrow of this type; what pandas counts as missing is null."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        array = pa.array(values, from_pandas=True).dictionary_decode()
    elif values.dtype == object:
        array = pa.array(values.to_numpy(), kind, from_pandas=True)
    else:
        array = pa.array(values, from_pandas=True)
    return array if array.type == kind else array.cast(kind)
