"""A new commit from stored measures under other gates. Opens no video, starts no worker."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from talkingface_wild.core.gate import Gate
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.commit_diff import LanguageChange, language_changes
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.old_layout import bring_over
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.engine.ruling import KEPT, PENDING, Ruling
from talkingface_wild.jobs.request import RecutRequest
from talkingface_wild.pages.sweep_figure import write_figure
from talkingface_wild.pipelines.commit_ruling import commit_ruling
from talkingface_wild.pipelines.stored_measures import kept_in, open_stored
from talkingface_wild.pipelines.sweep import STEPS, Range, Sweep, sweep


@dataclass(frozen=True)
class Blank:
    """Clips that a changed gate met without a value of its column."""

    gate: str
    column: str
    clips: int
    kept: bool
    """Whether they were kept all the same (``missing: pass``); else rejected as unmeasured."""

    @property
    def sentence(self) -> str:
        """What became of them, and how they are kept."""
        clips = "1 clip has" if self.clips == 1 else f"{self.clips} clips have"
        if self.kept:
            return (
                f"{clips} no value of {self.column}: kept, as gates.{self.gate}.missing=pass says."
            )
        return (
            f"{clips} no value of {self.column}: rejected as unmeasured; "
            f"keep such clips with `--set gates.{self.gate}.missing=pass`."
        )


@dataclass(frozen=True)
class Recut:
    """What a recut changed, or would change; ``pending`` counts what the next run finishes.

    ``before`` is the number of the commit that it began from; a dry run's ``commit`` is that one.
    """

    before: int
    commit: Commit
    dry_run: bool
    languages: list[LanguageChange]
    pending: int
    without_value: list[Blank]


def recut(request: RecutRequest, made_by: str = "recut") -> Recut:
    """Rule anew over the latest commit's measures with changed gates, and commit.

    A dry run writes nothing. Raises RecipeError for a setting that is no gate or whose column
    nothing was measured in, InputUnreadable where there is no data set.
    """
    dry_run = request.dry_run
    layout = Layout(request.out.absolute())
    layout.latest()
    with contextlib.nullcontext() if dry_run else folder_lock(layout.out):
        if not dry_run:
            layout.check_linked()
            bring_over(layout)
        stored = open_stored(request.out, request.settings)
        before = _kept_clips(stored.commit)
        ruling = stored.ruling()
        if dry_run:
            commit = Commit(stored.number, stored.commit, new=False)
            after = kept_in(ruling).set_index("clip_id")
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
        language_changes(before, after),
        pending,
        _blanks(stored.changed, ruling),
    )


def sweep_of(request: RecutRequest, reporter: Reporter) -> tuple[Sweep, Path | None]:
    """The sweep and, but for a dry run, the picture drawn of it; commits nothing.

    Raises RecipeError and UsageError for what cannot be moved; a picture that cannot be written is
    a warning.
    """
    bounds = Range(STEPS if request.steps is None else request.steps, request.least, request.most)
    swept = sweep(request.out, str(request.sweep), request.settings, request.at_least, bounds)
    if request.dry_run:
        return swept, None
    try:
        return swept, write_figure(request.out, swept)
    except OSError as error:
        reporter.warn(f"The picture could not be written in {request.out}: {error.strerror}.")
        return swept, None


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
    return recut(RecutRequest(out=out), made_by="review").commit


def _kept_clips(commit: Path) -> pd.DataFrame:
    table = pq.read_table(commit / "clips", columns=["clip_id", "language", "clip_seconds"])
    frame: pd.DataFrame = table.to_pandas()
    frame["language"] = frame["language"].astype(str)
    return frame.set_index("clip_id")
