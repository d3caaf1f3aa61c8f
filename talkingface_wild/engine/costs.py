"""What stages cost: typical seconds by stage and size, and how they are corrected by a journal.

A size is whatever the costs are given by: seconds of video, in curation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from talkingface_wild.engine.item_table import fact
from talkingface_wild.engine.plan import Plan

_DOUBT_SECONDS = 5.0
"""A stage's own records outweigh the typical cost once they are of more work than this."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one worker: ``fixed`` per item, ``per_unit`` of its size.

    ``opening`` is what the first item takes on top, in imports and in loading weights.
    """

    fixed: float = 0.0
    per_unit: float = 0.0
    opening: float = 0.0

    def of(self, count: float, size: float) -> float:
        """Seconds for ``count`` items of ``size`` units in all."""
        return count * self.fixed + size * self.per_unit


@dataclass(frozen=True)
class Costs:
    """Everything a forecast starts from. Without ``stages`` each item of a stage costs 1 s."""

    stages: Mapping[str, Cost] = field(default_factory=dict)
    sizes: Mapping[str, float] = field(default_factory=dict)
    """Sizes of roots by id, where they are known before anything was measured."""
    typical_size: float = 1.0
    """Size of a root of which nothing is known."""
    size_columns: tuple[str, ...] = ()
    """Columns that give an item's size once they are measured, the most exact first."""
    parts: Cost = Cost(fixed=1.0)
    """How many children a split of a root makes, by its size."""
    passes: Mapping[str, float] = field(default_factory=dict)
    """Share of a stage's items that go on; 1 where nothing is said."""
    speedup: float = 1.0
    """How many items are worked on at a time."""
    opening: float = 0.0
    """Seconds until the executor's workers begin, for each segment of the plan."""
    closing: float = 0.0
    """Seconds that follow the run: a commit, or scores."""
    closing_name: str = ""
    """What the last row of the board is called; without a name there is none."""
    roots_name: str = "sources"
    """What the roots are called, in the plural."""

    def stage(self, name: str) -> Cost:
        """One stage's cost."""
        return self.stages.get(name, Cost(fixed=1.0))

    def passing(self, name: str) -> float:
        """The share of a stage's items that go on."""
        return self.passes.get(name, 1.0)

    def corrected(self, plan: Plan, table: pd.DataFrame) -> Costs:
        """The same, with what each stage took in this folder by its journal."""
        stages = dict(self.stages)
        sizes = item_sizes(self, table)
        for planned in plan.stages:
            if planned.whole:
                continue
            network = planned.pool.network
            seconds = table[fact(planned.name, "seconds")].to_numpy(float, na_value=np.nan)
            processor = table[fact(planned.name, "cpu_seconds")].to_numpy(float, na_value=np.nan)
            # Wall seconds hold waiting for a core that another worker had; that is the pace's part.
            taken = seconds if network else np.fmin(seconds, processor)
            there = np.isfinite(taken)
            if not there.any():
                continue
            cost = self.stage(planned.name)
            typical = cost.of(int(there.sum()), float(sizes[there].sum()))
            factor = (_DOUBT_SECONDS + float(taken[there].sum())) / (_DOUBT_SECONDS + typical)
            stages[planned.name] = Cost(cost.fixed * factor, cost.per_unit * factor, cost.opening)
        return dataclasses.replace(self, stages=stages)


def item_sizes(costs: Costs, table: pd.DataFrame) -> np.ndarray:
    """The size of each row of a wide table, (N,) floats: measured, told before, or typical."""
    sizes = np.array(
        [costs.sizes.get(str(id_), np.nan) for id_ in table.index.to_numpy(object)], dtype=float
    )
    for column in reversed(costs.size_columns):
        if column in table.columns:
            measured = table[column].to_numpy(float, na_value=np.nan)
            sizes = np.where(np.isfinite(measured), measured, sizes)
    return np.where(np.isfinite(sizes), sizes, costs.typical_size)
