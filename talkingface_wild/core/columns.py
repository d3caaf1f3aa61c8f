"""A column is declared once: name, type, unit, meaning, range, precision. Schema, docs and report
come from it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from talkingface_wild.core.outcome import Value

TYPES = ("float", "int", "string", "bool", "list<float>", "list<int>")
"""The types a column may have; ``dataset/arrow_schema.py`` says which Arrow type each becomes."""


@dataclass(frozen=True)
class Column:
    """One measured or given column.

    ``unit`` is empty for text and pure numbers; ``decimals`` is the precision to which floats are
    rounded in the finished table; ``low`` and ``high`` bound what is possible, not what is wanted.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    decimals: int = 4
    locates: bool = False
    """Whether it only says where a file lies: any later stage may read it, no fingerprint of which
    covers it."""

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise ValueError(
                f"column {self.name!r} has type {self.type!r}; expected one of {TYPES}"
            )

    def clean(self, value: Value) -> Value:
        """``value`` as this column stores it: rounded, NaN and infinity as None, numpy scalars as
        Python's, text without what UTF-8 cannot hold. A value of another kind is a TypeError or
        ValueError.
        """
        if value is None:
            return None
        if self.type == "float":
            return self._rounded(value)
        if self.type == "int":
            return int(value)  # type: ignore[arg-type]
        if self.type == "bool":
            return bool(value)
        if self.type == "list<float>":
            return [self._rounded(v) for v in value]  # type: ignore[union-attr, return-value]
        if self.type == "list<int>":
            return [int(v) for v in value]  # type: ignore[union-attr]
        return plain_text(str(value))

    def _rounded(self, value: object) -> float | None:
        number = float(value)  # type: ignore[arg-type]
        return round(number, self.decimals) + 0.0 if math.isfinite(number) else None


def plain_text(text: str) -> str:
    """``text`` with ``?`` for what UTF-8 cannot hold: half surrogate pairs, from odd file names."""
    return text.encode("utf-8", "replace").decode("utf-8")


def clean_values(columns: tuple[Column, ...], values: Mapping[str, Value]) -> dict[str, Value]:
    """``values`` cleaned by their declarations; a value without a declared column is a KeyError."""
    by_name = {column.name: column for column in columns}
    return {name: by_name[name].clean(value) for name, value in values.items()}
