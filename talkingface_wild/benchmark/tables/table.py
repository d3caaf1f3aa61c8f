"""The nouns of a table of scores: cells, rows, blocks, columns. Plain data, built elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from talkingface_wild.benchmark.base import Better, Score
from talkingface_wild.benchmark.runs import MOST_FAILURES, BenchRun
from talkingface_wild.benchmark.signature import Signature

FEW_WINDOWS, MIXED = "†", "‡"
LEAST_WINDOWS = 2048
"""FVD on fewer windows is marked; see docs/metrics.md."""
LEAST_SHARE = 0.9
"""Share of the list under which the table's name says its count."""


@dataclass(frozen=True)
class Cell:
    """One number of the table; ``printed`` is its text where it was read, not measured."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: str = ""
    deviation: float | None = None
    printed: str = ""
    best: bool = False
    second: bool = False
    marks: str = ""
    unofficial: tuple[str, ...] = ()
    signature: str = ""
    note: str = ""


@dataclass(frozen=True)
class ScoreRow:
    """One method, floor or printed row; cells by metric."""

    name: str
    model: str
    cells: Mapping[str, Cell]
    failures: int = 0


@dataclass(frozen=True)
class RowBlock:
    """Rows under one heading, compared with one another only where ``ranked``."""

    title: str
    rows: tuple[ScoreRow, ...]
    ranked: bool


@dataclass(frozen=True)
class ScoreColumn:
    """A metric; ``n`` is what all its cells count, None where they differ and each says its own."""

    metric: str
    title: str
    better: Better
    n: int | None = None
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """What the renderers write."""

    title: str
    columns: tuple[ScoreColumn, ...]
    blocks: tuple[RowBlock, ...]
    footer: tuple[str, ...]
    unofficial: tuple[str, ...] = ()
    """Weights behind some cell that are not the published ones."""


@dataclass(frozen=True)
class Mixed:
    """A cell whose signature is not its column's."""

    row: str
    metric: str
    parts: tuple[str, ...]


def videos_of(run: BenchRun) -> int:
    """How many videos a run asked of its method: one a clip and seed."""
    return max(int(run.facts.get("asked", run.listed * run.seeds)), 1)


def fails_often(run: BenchRun) -> bool:
    """Whether so many of a method's videos failed that nothing of its row may be bold."""
    return run.failures > MOST_FAILURES * videos_of(run)


def windows_of(score: Score) -> int | None:
    """How many windows an FVD is of: its own count, else the signature's ``fvd=…:2300w:…``."""
    if score.metric != "fvd":
        return None
    if isinstance(score.extra.get("windows"), int):
        return int(score.extra["windows"])
    if score.unit == "windows":
        return score.n
    match = re.search(r":(\d+)w:", Signature.parse(score.signature).part("fvd") or "")
    return int(match[1]) if match else None
