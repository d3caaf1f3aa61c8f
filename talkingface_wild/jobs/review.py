"""A sample for reviewers, and their answers taken into a new commit."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from talkingface_wild.core.reporter import Reporter
from talkingface_wild.dataset.answers import Defects, defect_rates, overall_rate, read_answers
from talkingface_wild.dataset.commit import Commit
from talkingface_wild.dataset.decisions import load_decisions, save_decisions
from talkingface_wild.dataset.layout import Layout
from talkingface_wild.dataset.review import (
    RANDOM,
    check_no_answers_are_lost,
    draw_sample,
    manifest,
    write_manifest,
)
from talkingface_wild.dataset.snapshot import read_recorded
from talkingface_wild.jobs import recut
from talkingface_wild.jobs.request import ReviewExportRequest, ReviewImportRequest
from talkingface_wild.pages.sheets import write_sheets


@dataclass(frozen=True)
class ReviewSample:
    """Where the manifest and its CSV are, how many clips it has, how many of them at random."""

    manifest: Path
    csv: Path
    clips: int
    random: int
    sheets: list[Path]


@dataclass(frozen=True)
class Reviewed:
    """The commit without the rejected clips, and the rates of defects in the random clips."""

    commit: Commit
    accepted: int
    rejected: int
    empty: int
    defects: list[Defects]
    defect_rate: float | None


def export(
    request: ReviewExportRequest, progress: Callable[[int, int], None] | None = None
) -> ReviewSample:
    """Write the manifest and contact sheets; ``progress`` hears the clips drawn, and of how many.

    Raises UsageError where answers that were not imported would be lost.
    """
    recorded = read_recorded(request.out)
    check_no_answers_are_lost(recorded.layout)
    sample = draw_sample(recorded, request.per_language, request.per_gate, request.seed)
    pages: list[str] = []
    if request.sheets:
        total = len(sample)
        heard = None if progress is None else lambda done: progress(done, total)
        pages = write_sheets(recorded, sample, heard)
    parquet, text = write_manifest(recorded.layout, manifest(recorded, sample))
    random = sum(RANDOM in drawn.strata for drawn in sample)
    return ReviewSample(parquet, text, len(sample), random, [request.out / page for page in pages])


def import_answers(request: ReviewImportRequest, reporter: Reporter) -> Reviewed:
    """Take answers in and commit. Raises InputUnreadable for one wrong line, and takes none."""
    folder = request.folder
    recorded = read_recorded(folder)
    clips = recorded.items.index[recorded.items["level"] == "clip"]
    decisions, empty = read_answers(request.file, [str(clip) for clip in clips])
    if not decisions:
        reporter.warn(
            f"{request.file} holds no answers; write accept or reject into its column decision."
        )
    save_decisions(recorded.layout, decisions)
    commit = recut.recommit(folder)
    rates = _rates(Layout(folder), reporter)
    accepted = sum(decision.accepted for decision in decisions)
    rejected = len(decisions) - accepted
    return Reviewed(commit, accepted, rejected, empty, rates, overall_rate(rates))


def _rates(layout: Layout, reporter: Reporter) -> list[Defects]:
    path = layout.review / "manifest.parquet"
    if not path.is_file():
        reporter.warn(
            f"{path} is not there, so which clips were drawn at random is unknown, "
            "and no defect rate can be told."
        )
        return []
    return defect_rates(pd.read_parquet(path), load_decisions(layout))
