"""One HTML page on one benchmark run, without scripts or outside hosts; all text is escaped."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild import __version__
from talkingface_wild.benchmark.base import Score
from talkingface_wild.benchmark.pages.line_chart import dot_row, line_chart
from talkingface_wild.benchmark.pages.worst_clips import WorstClip, worst_clips
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.signature import Signature, merged
from talkingface_wild.benchmark.tables.columns import ARROWS, in_order, title_of, written
from talkingface_wild.benchmark.tables.survivors import scored_clips
from talkingface_wild.benchmark.tables.table import fails_often, videos_of
from talkingface_wild.benchmark.tables.text import UNOFFICIAL
from talkingface_wild.core.languages import NAMES
from talkingface_wild.core.paths import write_text
from talkingface_wild.core.reasons import ALL
from talkingface_wild.dataset.charts import binned, histogram, number
from talkingface_wild.dataset.markup import Content, Markup, tag
from talkingface_wild.dataset.report_page import POLICY, table

MOST_ROWS = 200
"""Unscored clips that the page lists."""


def write_page(run: BenchRun, output: Path) -> None:
    """Write the page of ``run`` to ``output``: scores, distributions, curves, worst clips, losses.

    Frames of at most twelve clips are decoded; a video that is gone is said, not an error. The page
    holds small pictures of people.
    """
    write_text(output, page(run))


def page(run: BenchRun) -> str:
    """The whole page as text."""
    title = f"Benchmark: {run.name}, {run.protocol} on {run.list_name}"
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("style", Markup(_style())),
    )
    main = tag(
        "main",
        _overview(run),
        _scores(run),
        _distributions(run),
        _curves(run),
        _languages(run),
        _worst(worst_clips(run)),
        _losses(run),
        _weights(run),
        _made_by(run),
        tag("footer", f"Written by talkingface-wild {__version__}."),
    )
    return f"<!doctype html>\n{tag('html', head, tag('body', main), lang='en')}\n"


def _style() -> str:
    shared = resources.files("talkingface_wild.dataset") / "report.css"
    own = resources.files("talkingface_wild.benchmark.pages") / "page.css"
    return shared.read_text("utf-8") + own.read_text("utf-8")


def _section(title: str, *content: Content) -> Markup:
    return tag("section", tag("h2", title), *content)


def _ordered(scores: Mapping[str, Score]) -> list[str]:
    return in_order(scores, [name for name, score in scores.items() if score.better == "none"])


def _head(metric: str, score: Score) -> str:
    return f"{title_of(metric)} {ARROWS[score.better]}".strip()


def _overview(run: BenchRun) -> Markup:
    frame = scored_clips(run)
    languages = frame["language"].replace("", None).nunique()
    facts = [
        (f"of {number(run.listed)} {_noun(run.listed, 'clip', 'clips')} scored", len(frame)),
        (f"{_noun(run.failures, 'video', 'videos')} failed", run.failures),
        (_noun(people := frame["group"].nunique(), "identity", "identities"), people),
        *([(_noun(languages, "language", "languages"), languages)] if languages else []),
        (_noun(run.seeds, "seed", "seeds"), run.seeds),
    ]
    cards = [
        tag("div", tag("b", number(count)), tag("span", name), class_="card")
        for name, count in facts
    ]
    unofficial = sorted({name for score in run.scores.values() for name in score.unofficial})
    notes = []
    if unofficial:
        said = f"{UNOFFICIAL}: {', '.join(unofficial)}. These numbers may be compared with nothing."
        notes.append(tag("p", said, class_="warning"))
    if fails_often(run):
        share = run.failures / videos_of(run)
        said = f"{share:.0%} of the videos failed: nothing of this run is bold in a table."
        notes.append(tag("p", said, class_="warning"))
    what = f"Model {run.model}, protocol {run.protocol}, list {run.list_name} ({run.list_sha8})."
    if run.facts.get("trained_on"):
        what += f" Trained on {run.facts['trained_on']}."
    return tag(
        "header", tag("h1", run.name), tag("p", what), tag("div", *cards, class_="cards"), *notes
    )


def _noun(count: int, one: str, more: str) -> str:
    return one if count == 1 else more


def _scores(run: BenchRun) -> Markup:
    rows: list[tuple[Content, ...]] = []
    for metric in _ordered(run.scores):
        score = run.scores[metric]
        interval = "—"
        if score.low is not None and score.high is not None:
            interval = f"{written(score.low, metric)} … {written(score.high, metric)}"
        remarks = [score.note, *score.warnings, *([UNOFFICIAL] if score.unofficial else [])]
        rows.append(
            (
                _head(metric, score),
                written(score.value, metric),
                interval,
                "—" if score.deviation is None else f"±{written(score.deviation, metric)}",
                score.n,
                score.unit,
                "; ".join(remark for remark in remarks if remark),
            )
        )
    headings = ("metric", "value", "95 % interval", "between seeds", "n", "of", "remarks")
    return _section("Scores", table(headings, rows))


def _distributions(run: BenchRun) -> Markup:
    """Histograms of clips, or what leaving a fold out does to a distance between sets."""
    frame = scored_clips(run)
    cards = []
    for metric in _ordered(run.scores):
        score = run.scores[metric]
        if metric in frame.columns and frame[metric].notna().any():
            values = frame[metric].dropna().to_numpy(np.float64)
            bounds = {"mean": float(values.mean())}
            bins = binned(values, np.ones(len(values), np.bool_), list(bounds.values()))
            drawn = histogram(bins, bounds, "", f"{title_of(metric)} of clips")
            clips = f"{len(values)} {_noun(len(values), 'clip', 'clips')}"
            said = f"{clips}, median {written(float(np.median(values)), metric)}"
        elif score.replicates and score.value is not None:
            drawn = dot_row(list(score.replicates.values()), score.value, title_of(metric))
            said = "a distance between two sets: no value of one clip"
        else:
            continue
        cards.append(
            tag("article", tag("h3", _head(metric, score)), tag("p", said, class_="rule"), drawn)
        )
    if not cards:
        return _section("Distributions", tag("p", "No metric has values of clips or folds."))
    return _section("Distributions", tag("div", *cards, class_="grid"))


def _curves(run: BenchRun) -> Markup | str:
    """The paper's Fig. 5 for each metric that has a curve; nothing where none has."""
    parts: list[Content] = []
    for metric in _ordered(run.scores):
        curve = run.scores[metric].extra.get("curve")
        if not isinstance(curve, Mapping) or not curve.get("frames"):
            continue
        frames = [float(at) for at in curve["frames"]]
        cards = [
            tag("article", tag("h3", name), line_chart(frames, values, name))
            for name, values in curve.items()
            if name != "frames" and len(values) == len(frames)
        ]
        parts.append(tag("div", *cards, class_="grid"))
        failed = run.scores[metric].extra.get("failure_frames")
        if isinstance(failed, Mapping):
            first = min(failed.items(), key=lambda pair: int(pair[1]), default=None)
            said = f", the first at frame {first[1]} ({first[0]})" if first else ""
            parts.append(tag("p", f"Clips whose identity fails on the way: {len(failed)}{said}."))
    if not parts:
        return ""
    said = "Means over the clips that are long enough, around each frame."
    return _section("Drift", tag("p", said), *parts)


def _languages(run: BenchRun) -> Markup | str:
    if not run.languages:
        return ""
    metrics = _ordered(run.scores)
    rows: list[tuple[Content, ...]] = []
    for language, scores in sorted(run.languages.items()):
        most = max((score.n for score in scores.values() if score.unit == "clips"), default=0)
        cells = [written(scores[m].value if m in scores else None, m) for m in metrics]
        rows.append((language, NAMES.get(language, ""), most, *cells))
    headings = ("language", "name", "clips", *(_head(m, run.scores[m]) for m in metrics))
    note = "Distances between sets grow as sets shrink: compare them at equal counts only."
    return _section("Languages", table(headings, rows), tag("p", note))


def _worst(clips: Sequence[WorstClip]) -> Markup | str:
    if not clips:
        return ""
    figures = []
    for clip in clips:
        said = ", ".join(f"{title_of(name)} {value}" for name, value in clip.values.items())
        # The identity of a clip that nobody named is the clip itself: told once.
        named = dict.fromkeys(part for part in (clip.clip, clip.group, clip.language) if part)
        about = " · ".join(named)
        shown: Markup = tag("div", "no pictures", class_="empty")
        if clip.picture:
            shown = tag("img", src=clip.picture, alt=f"Frames of {clip.clip}")
        caption = tag("figcaption", tag("b", said), tag("br"), about, tag("br"), clip.missing)
        figures.append(tag("figure", shown, caption))
    said = "Generated frames above the reference’s, evenly spaced, for the worst of each metric."
    return _section("Worst clips", tag("p", said), tag("div", *figures, class_="strips"))


def _losses(run: BenchRun) -> Markup:
    rows = run.clips()
    lost = rows[rows["state"] != "scored"]
    cells: list[tuple[Content, ...]] = [
        (
            str(row["clip"]),
            "failed, static frame" if row["state"] == "static" else "not scored",
            _text(row.get("reason")),
            ALL.get(_text(row.get("reason")), ""),
            _text(row.get("detail")),
        )
        for row in lost.head(MOST_ROWS).to_dict("records")
    ]
    parts: list[Content] = [tag("p", "Every clip was scored.")]
    if cells:
        parts = [table(("clip", "state", "reason", "meaning", "what was found"), cells)]
    if len(lost) > len(cells):
        parts.append(tag("p", f"{len(lost) - len(cells)} more are in clips.parquet."))
    refused = _refusals(rows.get("refused", []))
    if refused:
        parts.append(tag("h3", "What could not be measured of scored clips"))
        parts.append(table(("of", "why", "clips"), refused))
    return _section("Clips that were not measured", *parts)


def _refusals(column: Any) -> list[tuple[Content, ...]]:
    """How often each extractor had no answer for each reason, the most frequent first."""
    counts: dict[tuple[str, str], int] = {}
    for text in column:
        try:
            found = json.loads(text) if isinstance(text, str) else {}
        except ValueError:
            continue
        for name, why in found.items() if isinstance(found, dict) else ():
            counts[str(name), str(why)] = counts.get((str(name), str(why)), 0) + 1
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(name, why, count) for (name, why), count in ordered[:MOST_ROWS]]


def _weights(run: BenchRun) -> Markup:
    if not run.weights:
        return _section("Weights", tag("p", "No metric of this run needs a network."))
    rows: list[tuple[Content, ...]] = []
    for name, facts in sorted(run.weights.items()):
        official = bool(facts.get("official"))
        said = tag("span", "published file", class_="ok")
        if not official:
            said = tag("span", "UNOFFICIAL", class_="bad")
        file, sha256 = _text(facts.get("file")), _text(facts.get("sha256"))
        rows.append((name, file, said, tag("code", sha256 or "—")))
    return _section("Weights", table(("weight", "file", "standing", "sha256"), rows))


def _made_by(run: BenchRun) -> Markup:
    signatures = (Signature.parse(s.signature) for s in run.scores.values() if s.signature)
    parts: list[Content] = [tag("p", tag("code", str(merged(signatures))))]
    facts = [(name, _text(run.facts.get(name))) for name in ("version", "machine")]
    rows: list[tuple[Content, ...]] = [(name, value) for name, value in facts if value]
    left_out = run.facts.get("left_out") or {}
    rows += [(f"left out: {m}", f"lacks {', '.join(names)}") for m, names in left_out.items()]
    rows += [("note", str(note)) for note in run.facts.get("notes") or ()]
    if rows:
        parts.append(table(("what", "value"), rows))
    return _section("Signature", *parts)


def _text(value: Any) -> str:
    """Text of a cell that may be empty."""
    return "" if value is None or value != value else str(value)
