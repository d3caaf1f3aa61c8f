"""Items judged by one gate, and those nearest to its bound, for the report and for review."""

import numpy as np
import pandas as pd

from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.gate import COMPARISONS, Gate


def is_numeric(gate: Gate) -> bool:
    """Whether the gate's bound is a number, so that values can be near to it."""
    return isinstance(gate.bound, int | float) and not isinstance(gate.bound, bool)


def judged(items: pd.DataFrame, gate: Gate) -> pd.DataFrame:
    """The items that have a value for the gate's column: columns value, bound, passed, group.

    Bounds are those of each item's group, the language as listed, as in a ruling.
    """
    present = items[items[gate.column].notna()]
    groups = present["group"].astype(object)
    bounds = np.array([gate.bound_for(group) for group in groups], dtype=object)
    values = present[gate.column].to_numpy(object)
    compare = COMPARISONS[gate.comparison]
    passed = [bool(compare(value, bound)) for value, bound in zip(values, bounds, strict=True)]
    return pd.DataFrame(
        {"value": values, "bound": bounds, "passed": np.array(passed, bool), "group": groups},
        index=present.index,
    )


def nearest_to_bound(
    items: pd.DataFrame, gate: Gate, per_side: int, seed: int = 0
) -> tuple[list[str], list[str]]:
    """Ids of the items that pass, and of those that fail, nearest to their bound, nearest first.

    Ties are drawn by a hash of the seed and the id. Empty lists for gates without a number.
    """
    if not is_numeric(gate):
        return [], []
    rows = judged(items, gate)
    distance = (rows["value"].astype(float) - rows["bound"].astype(float)).abs()
    passed = rows["passed"].to_numpy(bool)
    return (_nearest(distance[passed], per_side, seed), _nearest(distance[~passed], per_side, seed))


def _nearest(distance: pd.Series, count: int, seed: int) -> list[str]:
    if count < 1 or distance.empty:
        return []
    reach = distance.nsmallest(count).iloc[-1]
    near = distance[distance <= reach]
    ranked = sorted((float(far), digest([seed, item]), str(item)) for item, far in near.items())
    return [item for _, _, item in ranked[:count]]
