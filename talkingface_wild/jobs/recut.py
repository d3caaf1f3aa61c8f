"""A new commit from stored measures under other gates. Opens no video, starts no worker."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from talkingface_wild.core.gate import Gate
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.old_layout import bring_over
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.engine.ruling import KEPT, PENDING, Ruling
from talkingface_wild.pipelines.commit_ruling import commit_ruling
from talkingface_wild.pipelines.stored_measures import kept_in, open_stored


@dataclass(frozen=True)
class Change:
    """Clips and hours of one language before and after."""

    language: str
    clips_before: int
    clips_after: int
    won: int
    lost: int
    hours_before: float
    hours_after: float


@dataclass(frozen=True)
class Blank:
    """Clips that a changed gate met without a value of its column."""

    gate: str
    column: str
    clips: int
    kept: bool
    """Whether they were kept all the same (``missing: pass``); else rejected as unmeasured."""


@dataclass(frozen=True)
class Recut:
    """What a recut came to, or would come to; ``pending`` counts what the next run finishes.

    ``before`` is the number of the commit that it began from; a dry run's ``commit`` is that one.
    """

    before: int
    commit: Commit
    dry_run: bool
    changes: list[Change]
    pending: int
    blanks: list[Blank]


def recut(
    out: Path, settings: Sequence[str] = (), dry_run: bool = False, made_by: str = "recut"
) -> Recut:
    """Rule anew over the latest commit's measures with changed gates, and commit.

    A dry run writes nothing. Raises RecipeError for a setting that is no gate or whose column
    nothing was measured in, InputUnreadable where there is no data set.
    """
    layout = Layout(out.absolute())
    layout.latest()
    with contextlib.nullcontext() if dry_run else folder_lock(layout.out):
        if not dry_run:
            layout.check_linked()
            bring_over(layout)
        stored = open_stored(out, settings)
        before = _kept_clips(stored.commit)
        ruling = stored.ruling()
        if dry_run:
            commit = Commit(stored.number, stored.commit, new=False)
            after = kept_in(ruling)
        else:
            commit = commit_ruling(
                layout,
                stored.recipe,
                stored.plan,
                ruling,
                stored.sources,
                measured_in=stored.commit,
                made_by=made_by,
            )
            after = _kept_clips(commit.folder)
    pending = int((ruling.verdicts["state"] == PENDING).sum())
    return Recut(
        stored.number,
        commit,
        dry_run,
        _changes(before, after),
        pending,
        _blanks(stored.changed, ruling),
    )


def _blanks(gates: Sequence[Gate], ruling: Ruling) -> list[Blank]:
    verdicts, table = ruling.verdicts, ruling.table
    clips = (table["level"] == "clip").to_numpy(bool)
    blanks = []
    for gate in gates:
        if gate.missing == "pass":
            where = (verdicts["state"] == KEPT).to_numpy(bool)
            where &= table[gate.column].isna().to_numpy(bool)
        else:
            where = (
                (verdicts["gate"] == gate.name) & (verdicts["reason"] == "unmeasured")
            ).to_numpy(bool)
        if count := int((where & clips).sum()):
            blanks.append(Blank(gate.name, gate.column, count, gate.missing == "pass"))
    return blanks


def recommit(out: Path) -> Commit:
    """The same gates again: takes in what reviewers decided since the last commit."""
    return recut(out, made_by="review").commit


def _kept_clips(commit: Path) -> pd.DataFrame:
    table = pq.read_table(commit / "clips", columns=["clip_id", "language", "clip_seconds"])
    frame: pd.DataFrame = table.to_pandas()
    frame["language"] = frame["language"].astype(str)
    return frame


def _changes(before: pd.DataFrame, after: pd.DataFrame) -> list[Change]:
    rows = []
    for language in sorted(set(before["language"]) | set(after["language"])):
        old = before[before["language"] == language]
        new = after[after["language"] == language]
        old_ids, new_ids = set(old["clip_id"]), set(new["clip_id"])
        rows.append(
            Change(
                language,
                len(old),
                len(new),
                len(new_ids - old_ids),
                len(old_ids - new_ids),
                round(float(old["clip_seconds"].sum()) / 3600, 6),
                round(float(new["clip_seconds"].sum()) / 3600, 6),
            )
        )
    return rows
