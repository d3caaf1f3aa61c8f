"""Writes rows as CSV: columns in the order in which rows name them, empty without a value."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from talkingface_wild.core.paths import write_text


def write_table(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """One line a row, in one step; numbers in six digits."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_shown(row.get(name)) for name in columns] for row in rows)
    write_text(path, stream.getvalue())


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
