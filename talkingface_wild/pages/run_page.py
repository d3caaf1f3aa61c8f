"""The page of one benchmark run, without scripts or outside hosts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from talkingface_wild.benchmark.base import Score
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.signature import Signature, merged
from talkingface_wild.benchmark.tables.common_clips import scored_clips
from talkingface_wild.benchmark.tables.score_columns import ARROWS, in_order, title_of, written
from talkingface_wild.benchmark.tables.table import fails_often, videos_of
from talkingface_wild.benchmark.tables.text import UNOFFICIAL
from talkingface_wild.core.language_names import NAMES
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reasons import ALL
from talkingface_wild.pages.charts import binned, histogram
from talkingface_wild.pages.line_chart import dot_row, line_chart
from talkingface_wild.pages.svg import number
from talkingface_wild.pages.templating import NONE, Cell, MarkedText, noun, render
from talkingface_wild.pages.worst_clips import worst_clips

MOST_ROWS = 200
"""Unscored clips that the page lists."""
Rows = list[tuple[Cell, ...]]


def write_page(run: BenchRun, output: Path) -> None:
    """Write the page of ``run`` to ``output``: scores, distributions, curves, worst clips, losses.

    Frames of at most twelve clips are decoded; a video that is gone is said, not an error. The page
    holds small pictures of people.
    """
    write_text(output, page(run))


def page(run: BenchRun) -> str:
    """The whole page as text."""
    metrics = in_order(run.scores, [m for m, score in run.scores.items() if score.better == "none"])
    scores = {metric: run.scores[metric] for metric in metrics}
    words = f"Model {run.model}, protocol {run.protocol}, list {run.list_name} ({run.list_sha8})."
    if run.facts.get("trained_on"):
        words += f" Trained on {run.facts['trained_on']}."
    clips = run.clips()
    unscored = clips[clips["state"] != "scored"]
    frame = scored_clips(run)
    signatures = (Signature.parse(s.signature) for s in run.scores.values() if s.signature)
    return render(
        "run.html",
        title=f"Benchmark: {run.name}, {run.protocol} on {run.list_name}",
        run=run,
        words=words,
        cards=_cards(run, frame),
        warnings=_warnings(run),
        scores=[_score_cells(metric, score) for metric, score in scores.items()],
        distributions=_distributions(scores, frame),
        curves=_curves(scores.values()),
        headings=[_heading(metric, score) for metric, score in scores.items()],
        languages=_languages(run, metrics),
        worst=worst_clips(run),
        lost=[_lost_cells(row) for row in unscored.head(MOST_ROWS).to_dict("records")],
        more_lost=max(len(unscored) - MOST_ROWS, 0),
        refusals=_refusals(clips.get("refused", ())),
        weights=_weights(run.weights),
        signature=str(merged(signatures)),
        facts=_facts(run.facts),
    )


def _heading(metric: str, score: Score) -> str:
    return f"{title_of(metric)} {ARROWS[score.better]}".strip()


def _cards(run: BenchRun, frame: pd.DataFrame) -> list[tuple[str, str]]:
    languages = frame["language"].replace("", None).nunique()
    people = frame["group"].nunique()
    counts = [
        (f"of {number(run.listed)} {noun(run.listed, 'clip', 'clips')} scored", len(frame)),
        (f"{noun(run.failures, 'video', 'videos')} failed", run.failures),
        (noun(people, "identity", "identities"), people),
        *([(noun(languages, "language", "languages"), languages)] if languages else []),
        (noun(run.seeds, "seed", "seeds"), run.seeds),
    ]
    return [(name, number(count)) for name, count in counts]


def _warnings(run: BenchRun) -> list[str]:
    warnings = []
    unofficial = sorted({name for score in run.scores.values() for name in score.unofficial})
    if unofficial:
        names = ", ".join(unofficial)
        warnings.append(f"{UNOFFICIAL}: {names}. These numbers may be compared with nothing.")
    if fails_often(run):
        share = f"{run.failures / videos_of(run):.0%}"
        warnings.append(f"{share} of the videos failed: nothing of this run is bold in a table.")
    return warnings


def _score_cells(metric: str, score: Score) -> tuple[Cell, ...]:
    interval = NONE
    if score.low is not None and score.high is not None:
        interval = f"{written(score.low, metric)} … {written(score.high, metric)}"
    remarks = [score.note, *score.warnings, *([UNOFFICIAL] if score.unofficial else [])]
    return (
        _heading(metric, score),
        written(score.value, metric),
        interval,
        NONE if score.deviation is None else f"±{written(score.deviation, metric)}",
        score.n,
        score.unit,
        "; ".join(remark for remark in remarks if remark),
    )


def _distributions(
    scores: Mapping[str, Score], frame: pd.DataFrame
) -> list[tuple[str, str, Markup]]:
    """Histograms of clips, or what leaving a fold out does to a distance between sets."""
    distributions = []
    for metric, score in scores.items():
        if metric in frame.columns and frame[metric].notna().any():
            values = frame[metric].dropna().to_numpy(np.float64)
            mean = float(values.mean())
            bins = binned(values, np.ones(len(values), np.bool_), [mean])
            chart = histogram(bins, {"mean": mean}, "", f"{title_of(metric)} of clips")
            clips = f"{len(values)} {noun(len(values), 'clip', 'clips')}"
            remark = f"{clips}, median {written(float(np.median(values)), metric)}"
        elif score.replicates and score.value is not None:
            chart = dot_row(list(score.replicates.values()), score.value, title_of(metric))
            remark = "a distance between two sets: no value of one clip"
        else:
            continue
        distributions.append((_heading(metric, score), remark, chart))
    return distributions


def _curves(scores: Iterable[Score]) -> list[tuple[list[tuple[str, Markup]], str]]:
    """The paper's Fig. 5 for each metric that has a curve, and how many clips fail on the way."""
    curves = []
    for score in scores:
        curve = score.extra.get("curve")
        if not isinstance(curve, Mapping) or not curve.get("frames"):
            continue
        frames = [float(at) for at in curve["frames"]]
        charts = [
            (name, line_chart(frames, values, name))
            for name, values in curve.items()
            if name != "frames" and len(values) == len(frames)
        ]
        failures, words = score.extra.get("failure_frames"), ""
        if isinstance(failures, Mapping):
            words = f"Clips whose identity fails on the way: {len(failures)}"
            if failures:
                clip, frame = min(failures.items(), key=lambda pair: int(pair[1]))
                words += f", the first at frame {frame} ({clip})"
            words += "."
        curves.append((charts, words))
    return curves


def _languages(run: BenchRun, metrics: Sequence[str]) -> Rows:
    rows: Rows = []
    for language, scores in sorted(run.languages.items()):
        most = max((score.n for score in scores.values() if score.unit == "clips"), default=0)
        cells = [written(scores[m].value if m in scores else None, m) for m in metrics]
        rows.append((language, NAMES.get(language, ""), most, *cells))
    return rows


def _lost_cells(row: Mapping[Any, Any]) -> tuple[Cell, ...]:
    reason = _text(row.get("reason"))
    state = "failed, static frame" if row["state"] == "static" else "not scored"
    return (str(row["clip"]), state, reason, ALL.get(reason, ""), _text(row.get("detail")))


def _refusals(column: Iterable[Any]) -> Rows:
    """How often each extractor had no answer for each reason, the most frequent first."""
    counts: dict[tuple[str, str], int] = {}
    for text in column:
        try:
            reasons = json.loads(text) if isinstance(text, str) else {}
        except ValueError:
            continue
        for name, why in reasons.items() if isinstance(reasons, dict) else ():
            counts[str(name), str(why)] = counts.get((str(name), str(why)), 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(name, why, count) for (name, why), count in ordered[:MOST_ROWS]]


def _weights(weights: Mapping[str, Mapping[str, Any]]) -> Rows:
    rows: Rows = []
    for name, facts in sorted(weights.items()):
        standing = MarkedText("published file", class_="ok")
        if not facts.get("official"):
            standing = MarkedText("UNOFFICIAL", class_="bad")
        sha256 = MarkedText(_text(facts.get("sha256")) or NONE, "code")
        rows.append((name, _text(facts.get("file")), standing, sha256))
    return rows


def _facts(facts: Mapping[str, Any]) -> Rows:
    rows: Rows = [
        (name, text) for name in ("version", "machine") if (text := _text(facts.get(name)))
    ]
    missing = facts.get("left_out") or {}
    rows += [(f"left out: {m}", f"lacks {', '.join(names)}") for m, names in missing.items()]
    rows += [("note", str(note)) for note in facts.get("notes") or ()]
    return rows


def _text(value: Any) -> str:
    """Text of a cell that may be empty."""
    return "" if value is None or value != value else str(value)
