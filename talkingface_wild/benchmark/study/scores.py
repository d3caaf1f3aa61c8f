"""Scores of a study as the paper's Fig. 4: shares of preference, with intervals."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from talkingface_wild.benchmark.study.key import Key
from talkingface_wild.benchmark.study.ratings import Rating
from talkingface_wild.core.arrays import Floats

RESAMPLES = 2000
FEW_RATERS = 5
"""With fewer the intervals say little of people in general."""
OVERALL = "overall"
RULE = (
    "Points by rank: {points}, none for the rest; a method's preference is its share of all points "
    "in %, by chance {chance:.1f} %. Intervals: 95 %, percentile bootstrap over raters and cases "
    "together, {resamples} resamples."
)


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


def score_study(answers: Sequence[Rating], key: Key, seed: int = 0) -> StudyScores:
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
    answers: Sequence[Rating],
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
