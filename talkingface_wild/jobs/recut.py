"""A new commit from stored measures under other gates. Opens no video, starts no worker."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import pandas as pd
import pyarrow.parquet as pq
from pydantic import Field, model_validator

from talkingface_wild.core.errors import UsageError
from talkingface_wild.core.gate import Gate
from talkingface_wild.core.reporter import Reporter
from talkingface_wild.core.request import OPTION, DatasetRequest
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.commit_diff import LanguageChange, language_changes
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.old_layout import bring_over
from talkingface_wild.engine.lock import folder_lock
from talkingface_wild.engine.ruling import KEPT, PENDING, Ruling
from talkingface_wild.pages.sweep_figure import write_figure
from talkingface_wild.pipelines.commit_ruling import commit_ruling
from talkingface_wild.pipelines.stored_measures import kept_in, open_stored
from talkingface_wild.pipelines.sweep import STEPS, Range, Sweep, sweep


class RecutRequest(DatasetRequest):
    """Other gates on what a data set measured, or a sweep of one bound."""

    EXAMPLES: ClassVar = (
        "tfw recut demo_out --set gates.speech_ratio.at_least=0.85 --dry-run",
        "tfw recut demo_out --sweep clip_seconds --per-language",
        "tfw recut demo_out --sweep sharpness --from 5 --to 40 --steps 7",
        "tfw recut demo_out --set gates.length=5",
        "tfw recut demo_out --set gates.sharpness=off",
        "tfw recut demo_out --set gates.presence.zh=0.9",
    )

    settings: tuple[str, ...] = Field(default=(), json_schema_extra={OPTION: "--set"})
    """gates.NAME=BOUND, gates.NAME.LANGUAGE=BOUND, gates.NAME=off; NAME is a gate or, as in
    gates.yaw_p90.at_most=20, any measured column (at_least, at_most, above, below, equals)"""
    dry_run: bool = False
    """Say what would change, and write nothing."""
    sweep: str | None = None
    """Show what is kept as the bound of this gate or column moves."""
    steps: int | None = None
    """About so many steps of a sweep; default: 12."""
    least: float | None = Field(default=None, json_schema_extra={OPTION: "--from"})
    """First bound; default: about the 1st percentile."""
    most: float | None = Field(default=None, json_schema_extra={OPTION: "--to"})
    """Last bound; default: about the 99th percentile."""
    at_least: bool = False
    """Sweep a least value, not a greatest one."""
    per_language: bool = False
    """A column of a sweep's table per language."""

    @model_validator(mode="after")
    def _sweeps(self) -> Self:
        bounds = (self.steps, self.least, self.most, self.at_least, self.per_language)
        if self.sweep is None and bounds != (None, None, None, False, False):
            raise UsageError(
                "Expected --sweep COLUMN beside --steps, --from, --to, --at-least or "
                "--per-language, found none; for example "
                f"`tfw recut {self.out} --sweep clip_seconds`."
            )
        return self


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
