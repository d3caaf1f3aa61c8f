"""Does a run say what its files say? Scores again from features, a sample again from videos."""

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild import weights
from talkingface_wild.benchmark.base import Score
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.measure_stage import (
    Features,
    FeaturesConfig,
    content_key,
    extractors_of,
    fingerprints_of,
    jobs,
    sides_from,
)
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.scoring import Scoring, rescore, scoring_of
from talkingface_wild.core.errors import WeightMissing
from talkingface_wild.core.fingerprint import digest
from talkingface_wild.core.outcome import Done
from talkingface_wild.engine.attempt import attempt
from talkingface_wild.engine.stage import Item, Workplace

SCORE_TOLERANCE = 1e-6
"""Relative; a score is arithmetic on stored numbers."""
FEATURE_TOLERANCE = 2e-3
"""Of the features' spread: other threads and batches move the last bits, float16 keeps eleven."""


@dataclass(frozen=True)
class Checked:
    """One comparison. The field names are keys of ``tfw bench verify --json``."""

    what: str
    held: bool
    found: str


def verify(
    run: BenchRun, clips: int = 2, tell: Callable[[str], None] | None = None
) -> list[Checked]:
    """Recompute the run's scores from its features, and the features of some clips from the files.

    The clips are the first by a hash of their names, so that nobody can pick them. Raises
    WeightMissing when a network that the run used is not here.
    """
    tell = tell or (lambda text: None)
    scoring = scoring_of(run)
    _same_weights(run)
    now = fingerprints_of(scoring.protocol, scoring.metrics)
    result = f"measured by tfw {run.facts.get('version')}, and otherwise by this version"
    stale = [
        Checked(f"{name} as it was measured", False, result)
        for name, fingerprint in now.items()
        if scoring.prints.get(name) != fingerprint
    ]
    if stale:
        return stale
    rows = run.clips()
    scored = rows[rows["state"] != "unscored"]
    checks = _scores(run, set(scored["clip"]))
    sample = sorted(set(scored["clip"]), key=lambda name: digest([name, "verify"]))[:clips]
    for row in scored[scored["clip"].isin(sample)].to_dict("records"):
        tell(f"measuring {row['clip']} again from its files")
        checks += _features(scoring, row)
    return checks


def _scores(run: BenchRun, clips: set[str]) -> list[Checked]:
    """Every score again from what is stored."""
    scores = rescore(run, clips)
    checks = []
    for name, score in run.scores.items():
        again = scores[name]
        held = score.n == again.n and all(
            _close(getattr(score, part), getattr(again, part)) for part in ("value", "low", "high")
        )
        result = _numbers(again) if held else f"{_numbers(score)} stored, {_numbers(again)} now"
        checks.append(Checked(f"{name} from stored features", held, result))
    return checks


def _numbers(score: Score) -> str:
    numbers = ("none" if v is None else f"{v:.6g}" for v in (score.value, score.low, score.high))
    value, low, high = numbers
    return f"{value} [{low}, {high}] of {score.n}"


def _close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=SCORE_TOLERANCE, abs_tol=1e-9)


def _same_weights(run: BenchRun) -> None:
    for name, state in run.weights.items():
        sha256 = weights.sha256(name)
        if sha256 != state.get("sha256"):
            raise WeightMissing(
                f"Expected the weight {name} that made {run.folder} "
                f"({str(state.get('sha256'))[:12]}…), found {str(sha256)[:12]}…; bring that file "
                "back with `tfw weights import DIR`."
            )


def _features(scoring: Scoring, row: Mapping[Any, Any]) -> list[Checked]:
    """One clip measured again into an empty store, each array beside the stored one."""
    with tempfile.TemporaryDirectory(prefix="tfw-verify-") as folder:
        config = FeaturesConfig(scoring.protocol.to_json(), scoring.metrics, "features")
        stage = Features(config, Workplace(Path(folder)))
        stage.open()
        item = Item("verify", "clip", str(row["language"]), json.loads(row["asked"]))
        outcome = attempt(stage, [item])[0][0]
        what = f"{row['clip']} from its files"
        if not isinstance(outcome, Done):
            return [Checked(what, False, f"{outcome.reason}: {outcome.detail}")]
        keys = json.loads(str(outcome.values["keys"]))
        if keys != json.loads(row["keys"]):
            return [Checked(what, False, "the files are not the ones that were scored")]
        again = FeatureStore(Path(folder) / "features")
        return _compared(str(row["clip"]), keys, scoring, again)


def _compared(
    clip: str, keys: Mapping[str, Sequence[str]], scoring: Scoring, again: FeatureStore
) -> list[Checked]:
    checks = []
    extractors = extractors_of(scoring.protocol, scoring.metrics)
    for name, extractor, inputs in jobs(extractors, sides_from(keys)):
        key = content_key(extractor, inputs)
        (before, reason), (now, reason_now) = (
            store.load(key, scoring.prints[extractor.name]) for store in (scoring.store, again)
        )
        worst = max(
            (_apart(before[n], now[n]) if n in now else math.inf for n in before), default=0.0
        )
        held = worst <= FEATURE_TOLERANCE and before.keys() == now.keys() and reason == reason_now
        result = reason_now or f"differs by {worst:.2g} of its spread at most"
        checks.append(Checked(f"{clip}, {name}", held, result))
    return checks


def _apart(before: Any, now: Any) -> float:
    """The largest difference over the spread of the values; infinite for other shapes."""
    if before.shape != now.shape:
        return math.inf
    if not before.size:
        return 0.0
    one, other = (np.asarray(a, dtype=np.float64) for a in (before, now))
    spread = float(one.std()) or max(float(np.abs(one).max()), 1e-12)
    return float(np.abs(one - other).max()) / spread
