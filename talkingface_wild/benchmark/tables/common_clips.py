"""The clips that all rows of a table have, and each run's scores on just these. Opens no video."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from talkingface_wild.benchmark.base import Score, joined
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.functional.intervals import cluster_bootstrap

if TYPE_CHECKING:
    import pandas as pd

Rescore = Callable[[BenchRun, set[str]], Mapping[str, Score]]
"""Scores of a run on some of its clips, from its stored features."""
SCORED = ("scored", "static")
"""States of a clip that count: measured, or failed and scored with the static frame."""
OF_ALL_CLIPS = frozenset({"nsync"})
"""Metrics whose per-clip values stand on a scale made of all clips, so that their mean over fewer
is another number."""
NOT_ON_THESE = "was scored on other clips, and its stored features are needed for the common ones"


@dataclass(frozen=True)
class TableEntry:
    """A row to be: a run, or one language of it, with its scores on the clips of the table."""

    name: str
    run: BenchRun
    language: str
    scores: Mapping[str, Score]
    clips: pd.DataFrame
    """By clip: group, language, and the metrics' per-clip values, averaged over seeds."""


def scored_clips(run: BenchRun) -> pd.DataFrame:
    """The counted clips of a run, one row each in the index, values averaged over its seeds."""
    rows = run.clips()
    rows = rows[rows["state"].isin(SCORED)]
    values = [name for name in run.scores if name in rows.columns]
    heads = rows.groupby("clip", sort=True)[["group", "language"]].first()
    if not values:
        return heads
    means = rows.groupby("clip", sort=True)[values].agg("mean")
    return heads.join(means.astype("float64"))


def common_clips(frames: Sequence[pd.DataFrame]) -> set[str]:
    """Clips that every frame holds."""
    return set.intersection(*(set(frame.index) for frame in frames)) if frames else set()


def scores_on(
    run: BenchRun, frame: pd.DataFrame, clips: set[str], language: str, rescore: Rescore | None
) -> Mapping[str, Score]:
    """The scores of ``run`` on ``clips``; a ``language`` says that all of them are of that one.

    Stored scores where they are of these very clips; else means from the per-clip values, and the
    rest from ``rescore``. What can be had from neither has no value and says so.
    """
    if set(frame.index) == clips:
        return run.scores
    stored = run.languages.get(language)
    if stored and set(frame.index[frame["language"] == language]) == clips:
        return stored
    scores = {
        name: restricted
        for name, score in run.scores.items()
        if (restricted := _restricted_mean(score, run, frame, clips)) is not None
    }
    missing = [name for name in run.scores if name not in scores]
    if missing and rescore is not None:
        again = rescore(run, clips)
        scores |= {name: again[name] for name in missing if name in again}
    for name in missing:
        if name not in scores:
            scores[name] = _without_value(run.scores[name])
    return {name: scores[name] for name in run.scores}


def alike(entries: Sequence[TableEntry], unranked: Collection[str]) -> list[TableEntry]:
    """The entries with each mean over the clips on which every ranked row has a value.

    A method that fails on hard clips would else be averaged over easier ones. Rows of the models
    ``unranked`` (floors) neither count nor change.
    """
    ranked = [entry for entry in entries if entry.run.model not in unranked]
    scores = {id(entry): dict(entry.scores) for entry in ranked}
    for metric in {name: None for entry in ranked for name in entry.scores}:
        columns = [e.clips[metric].dropna() for e in ranked if metric in e.clips.columns]
        both = set.intersection(*(set(column.index) for column in columns)) if columns else set()
        for entry in ranked:
            if metric not in entry.clips.columns or metric not in entry.scores:
                continue
            if not both or set(entry.clips[metric].dropna().index) == both:
                continue
            score = _restricted_mean(entry.scores[metric], entry.run, entry.clips, both)
            if score is not None:
                note = f"on the {len(both)} clips with a value in every row"
                scores[id(entry)][metric] = replace(score, note=joined(note, score.note))
    return [replace(e, scores=scores[id(e)]) if id(e) in scores else e for e in entries]


def _restricted_mean(
    score: Score, run: BenchRun, frame: pd.DataFrame, clips: set[str]
) -> Score | None:
    """The score as a mean over ``clips``; None where it is no mean of the per-clip values."""
    if score.value is None or score.metric not in frame.columns:
        return None
    if score.replicates or score.metric in OF_ALL_CLIPS:
        return None
    every = frame[score.metric].dropna()
    if not len(every) or not math.isclose(every.mean(), score.value, rel_tol=1e-4, abs_tol=1e-9):
        return None
    kept = every[every.index.isin(clips)]
    if not len(kept):
        return _without_value(score)
    groups = frame.loc[kept.index, "group"].astype(str).tolist()
    interval = cluster_bootstrap(kept.tolist(), groups)
    return replace(
        score,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        n=len(kept),
        signature=_counted_anew(score.signature, f"{len(clips)}/{run.listed}"),
        note=interval.note or "",
        raw=None,
        deviation=None,
        clips={},
        extra={},
    )


def _without_value(score: Score) -> Score:
    return replace(
        score, value=None, low=None, high=None, n=0, note=NOT_ON_THESE, replicates={}, clips={}
    )


def _counted_anew(signature: str, count: str) -> str:
    parts = Signature.parse(signature).parts
    return str(Signature(tuple(f"clips={count}" if p.startswith("clips=") else p for p in parts)))


def languages_of(frames: Iterable[pd.DataFrame]) -> list[str]:
    """Languages that occur among the clips, in alphabetical order; unknown ones are left out."""
    return sorted({str(name) for frame in frames for name in frame["language"].dropna()} - {""})
