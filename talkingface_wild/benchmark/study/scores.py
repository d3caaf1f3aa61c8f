"""Scores of a study as the paper's Fig. 4: shares of preference, with intervals, and their bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.benchmark.study.answers import Answer
from talkingface_wild.benchmark.study.making import QUESTIONS, Key
from talkingface_wild.dataset.markup import Markup, joined, tag

Floats = npt.NDArray[np.float64]

RESAMPLES = 2000
FEW_RATERS = 5
"""With fewer the intervals say little of people in general."""
OVERALL = "overall"
RULE = (
    "Points by rank: {points}, none for the rest; a method's preference is its share of all points "
    "in %, by chance {chance:.1f} %. Intervals: 95 %, percentile bootstrap over raters and cases "
    "together, {resamples} resamples."
)
_COLOURS = (
    "#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5",
    "#9c6b4e", "#9498a0",
)  # fmt: skip


@dataclass(frozen=True)
class Preference:
    """One method's result on one question; shares in %."""

    question: str
    method: str
    share: float
    low: float | None
    """None with fewer than two raters or cases."""
    high: float | None
    first: float
    """% of the answers that put it first."""
    answers: int


@dataclass(frozen=True)
class StudyScores:
    """All preferences, and what they rest on."""

    study: str
    rule: str
    raters: int
    cases: int
    answers: int
    preferences: tuple[Preference, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def score_study(answers: Sequence[Answer], key: Key, seed: int = 0) -> StudyScores:
    """Preferences by question and over all of them, in the key's order of methods.

    Answers count alike, whoever gave them; a resample draws raters and cases with replacement, so
    that neither one person's taste nor one clip makes the interval.
    """
    raters = sorted({answer.rater for answer in answers})
    cases = sorted({answer.case for answer in answers})
    drawn = _draws(len(raters), len(cases), seed)
    preferences: list[Preference] = []
    for question in (*key.questions, OVERALL):
        own = [a for a in answers if question in (a.question, OVERALL)]
        if own:
            preferences += _preferences(question, own, key, raters, cases, drawn)
    ranks = "/".join(str(key.ranks - place) for place in range(key.ranks))
    chance = 100 / len(key.methods)
    rule = RULE.format(points=ranks, chance=chance, resamples=RESAMPLES)
    warnings = []
    if len(raters) < FEW_RATERS:
        warnings.append(f"{len(raters)} of the {FEW_RATERS} raters that a study needs at least")
    expected = len(raters) * len(key.cases) * len(key.questions)
    if len(answers) < expected:
        warnings.append(f"{expected - len(answers)} of {expected} questions were left open")
    return StudyScores(
        key.study, rule, len(raters), len(cases), len(answers), tuple(preferences), tuple(warnings)
    )


def _draws(raters: int, cases: int, seed: int) -> tuple[Floats, Floats]:
    """How often each rater, (resamples, raters), and each case is drawn."""
    generator = np.random.default_rng(seed)

    def counts(things: int) -> Floats:
        drawn = generator.multinomial(things, np.full(things, 1 / things), size=RESAMPLES)
        return drawn.astype(np.float64)

    return counts(raters), counts(cases)


def _preferences(
    question: str,
    answers: Sequence[Answer],
    key: Key,
    raters: Sequence[str],
    cases: Sequence[str],
    drawn: tuple[Floats, Floats],
) -> list[Preference]:
    place = {name: index for index, name in enumerate(key.methods)}
    rows = {rater: index for index, rater in enumerate(raters)}
    columns = {case: index for index, case in enumerate(cases)}
    points_RCM = np.zeros((len(raters), len(cases), len(key.methods)))
    first = np.zeros(len(key.methods))
    for answer in answers:
        row, column = rows[answer.rater], columns[answer.case]
        for rank, letter in enumerate(answer.letters):
            method = place[key.cases[answer.case].letters[letter]]
            points_RCM[row, column, method] += key.ranks - rank
            first[method] += rank == 0
    share = 100 * points_RCM.sum(axis=(0, 1)) / points_RCM.sum()
    bounds = _interval(points_RCM, *drawn) if min(len(raters), len(cases)) > 1 else None
    return [
        Preference(
            question,
            name,
            float(share[index]),
            None if bounds is None else float(bounds[0][index]),
            None if bounds is None else float(bounds[1][index]),
            float(100 * first[index] / len(answers)),
            len(answers),
        )
        for name, index in place.items()
    ]


def _interval(points_RCM: Floats, rater_BR: Floats, case_BC: Floats) -> tuple[Floats, Floats]:
    """2.5 and 97.5 % of the shares over the resamples, by method."""
    flat = points_RCM.reshape(len(points_RCM), -1)
    by_case = (rater_BR @ flat).reshape(len(rater_BR), *points_RCM.shape[1:])
    points_BM = (by_case * case_BC[:, :, None]).sum(axis=1)
    total = points_BM.sum(axis=1)
    shares = 100 * points_BM[total > 0] / total[total > 0, None]
    low, high = np.percentile(shares, [2.5, 97.5], axis=0)
    return low, high


def study_picture(scores: StudyScores) -> str:
    """Bars of every question side by side, intervals as whiskers, as one SVG file."""
    methods = list(dict.fromkeys(one.method for one in scores.preferences))
    questions = list(dict.fromkeys(one.question for one in scores.preferences))
    titles = {question.id: question.title for question in QUESTIONS} | {OVERALL: "Overall"}
    bar, gap, left, top, tall = 26, 34, 46, 18, 220
    group = max(bar * len(methods) + gap, 150)
    width = left + group * len(questions) + 10
    most = max(max(one.high or one.share for one in scores.preferences), 10.0) * 1.08
    scale = tall / most
    parts: list[Markup] = [_ruler(left, top, tall, width, most)]
    for one in scores.preferences:
        begin = left + questions.index(one.question) * group + (group - bar * len(methods)) / 2
        x = begin + methods.index(one.method) * bar
        y = top + tall - one.share * scale
        words = f"{one.method}, {titles.get(one.question, one.question)}: {one.share:.1f} %"
        fill = _COLOURS[methods.index(one.method) % len(_COLOURS)]
        parts.append(_rect(x, y, bar - 4, one.share * scale, fill, words))
        if one.low is not None and one.high is not None:
            middle = x + (bar - 4) / 2
            ends = (top + tall - one.high * scale, top + tall - one.low * scale)
            parts.append(_line(middle, ends[0], middle, ends[1], "#222"))
    for index, question in enumerate(questions):
        middle = left + index * group + group / 2
        parts.append(_text(middle, top + tall + 18, titles.get(question, question), "middle"))
    chance = top + tall - 100 / len(methods) * scale
    parts.append(_line(left, chance, width - 10, chance, "#999", dashed=True))
    for row, method in enumerate(methods):
        y = top + tall + 34 + 18 * row
        parts.append(_rect(left, y, 12, 12, _COLOURS[row % len(_COLOURS)], method))
        parts.append(_text(left + 18, y + 10, method, "start"))
    height = top + tall + 44 + 18 * len(methods)
    svg = tag(
        "svg",
        tag("title", "Preferences in %"),
        tag("rect", x="0", y="0", width=str(width), height=str(height), fill="#fff"),
        *parts,
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {width} {height}",
        width=str(width),
        height=str(height),
        font_family="sans-serif",
        font_size="12",
    )
    return f"{svg}\n"


def _ruler(left: int, top: int, tall: int, width: int, most: float) -> Markup:
    """The axis, its numbers in %."""
    step = next(step for step in (5, 10, 20, 25, 50) if most / step <= 6 or step == 50)
    parts: list[Markup] = []
    for value in range(0, int(most) + 1, step):
        y = top + tall - value * tall / most
        parts.append(_line(left, y, width - 10, y, "#e5e5e5"))
        parts.append(_text(left - 6, y + 4, f"{value} %", "end"))
    return joined(*parts)


def _rect(x: float, y: float, width: float, height: float, fill: str, words: str) -> Markup:
    place = {"x": f"{x:.1f}", "y": f"{y:.1f}", "width": f"{width:.1f}", "height": f"{height:.1f}"}
    return tag("rect", tag("title", words), fill=fill, **place)


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, dashed: bool = False) -> Markup:
    place = {"x1": f"{x1:.1f}", "y1": f"{y1:.1f}", "x2": f"{x2:.1f}", "y2": f"{y2:.1f}"}
    return tag("line", stroke=stroke, stroke_dasharray="4 3" if dashed else None, **place)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return tag("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)
