"""From stored features to scores: no video is opened here, and none is needed."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from talkingface_wild.benchmark.base import Features, Metric, Sample, Score
from talkingface_wild.benchmark.candidates import halves_of
from talkingface_wild.benchmark.clips import plain_rows
from talkingface_wild.benchmark.extractors.extractor import Extractor
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.measure_stage import content_key, extractors_of, jobs, sides_from
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.protocol import Protocol, from_json
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.core.version import __version__
from talkingface_wild.functional.intervals import assign_folds

FOLDS = 20
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Scoring:
    """How a run's rows become scores: protocol, prints of its extractors, where features lie."""

    protocol: Protocol
    metrics: tuple[str, ...]
    prints: Mapping[str, str]
    store: FeatureStore
    model: str
    head: Signature
    """The signature's common parts."""
    weights: Mapping[str, Mapping[str, Any]]

    def scores(self, rows: Sequence[Row], jackknife: bool = True) -> dict[str, Score]:
        """Every metric over the rows; the mean over seeds where there are several.

        Without ``jackknife`` distances between sets get no interval: each takes as many
        eigendecompositions as there are folds.
        """
        by_seed = [
            self._one_seed([row for row in rows if row["seed"] == seed], jackknife)
            for seed in sorted({int(row["seed"]) for row in rows})
        ]
        if not by_seed:
            return {}
        return {name: over_seeds([scores[name] for scores in by_seed]) for name in by_seed[0]}

    def _one_seed(self, rows: Sequence[Row], jackknife: bool) -> dict[str, Score]:
        folds = assign_folds([str(row["group"]) for row in rows], FOLDS)
        metrics = [METRICS[name](self.protocol, folds) for name in self.metrics]
        for metric in metrics:
            metric.jackknife = jackknife
        for sample in self.samples(rows):
            for metric in metrics:
                metric.update(sample)
        return {metric.name: self._signed(metric, metric.compute(), rows) for metric in metrics}

    def samples(self, rows: Sequence[Row]) -> Iterator[Sample]:
        """One clip's features at a time, as stored."""
        extractors = extractors_of(self.protocol, self.metrics)
        halves = halves_of(str(row["group"]) for row in rows)
        for row in rows:
            half = halves[str(row["group"])] if self.model == "halves" else None
            yield self._sample(row, extractors, half)

    def _sample(self, row: Row, extractors: Sequence[Extractor], half: int | None) -> Sample:
        sides = sides_from(json.loads(row["keys"]))
        open_set = sides.reference is None
        if half is not None:
            absent = {"reference": None} if half == 0 else {"generated": None}
            sides = dataclasses.replace(sides, **absent)
        replaced = str(row["replaced"] or "").split()
        features: dict[str, dict[str, Features]] = {"generated": {}, "reference": {}, "pair": {}}
        refused: dict[str, str] = {}
        for name, extractor, inputs in jobs(extractors, sides):
            side = name.partition("/")[0]
            if side == "generated" and extractor.name in replaced and sides.still is not None:
                inputs = (sides.still,)
            key = content_key(extractor, inputs)
            arrays, reason = self.store.load(key, self.prints[extractor.name])
            if reason is None:
                features[side][extractor.name] = arrays
            else:
                refused[name] = reason
        barred: Iterable[str] = ()
        if "crop!" in str(row["flags"]).split():
            # The video is re-framed: nothing may hold its frames against the reference's.
            features["pair"] = {}
            barred = (name for name in self.metrics if METRICS[name].compares(self.protocol))
        return Sample(
            clip=str(row["clip"]),
            group=str(row["group"]),
            language=str(row["language"]),
            **features,
            refused=refused,
            barred=frozenset(barred),
            seed=int(row["seed"]),
            open_set=open_set,
        )

    def _signed(self, metric: Metric, score: Score, rows: Sequence[Row]) -> Score:
        unofficial = tuple(
            name
            for name in metric.weights(self.protocol)
            if not self.weights.get(name, {}).get("official")
        )
        parts = list(self.head.parts)
        at = next((i for i, p in enumerate(parts) if p.startswith("clips=")), len(parts) - 1)
        listed = parts[at].partition("/")[2] or str(len(rows))
        parts[at] = f"clips={len({row['clip'] for row in rows})}/{listed}"
        codecs = "+".join(sorted({str(row["codec"]) for row in rows})) or "none"
        own = metric.signature_part(self.weights, score.n)
        seeds = len({row["seed"] for row in rows})
        signature = Signature((*parts, f"in={codecs}", own, f"seeds={seeds}", f"tfw={__version__}"))
        return dataclasses.replace(score, signature=str(signature), unofficial=unofficial)


def over_seeds(scores: Sequence[Score]) -> Score:
    """One score of several seeds: means of value and bounds, and the deviation between seeds."""
    first = scores[0]
    values = [score.value for score in scores if score.value is not None]
    if len(scores) == 1 or not values:
        return first

    def mean(values: Iterable[float | None]) -> float | None:
        numbers = [value for value in values if value is not None]
        return float(np.mean(numbers)) if numbers else None

    def means(name: str) -> dict[str, Any]:
        tables = [getattr(score, name) for score in scores]
        return {key: mean(table.get(key) for table in tables) for key in tables[0]}

    parts = Signature.parse(first.signature).parts
    parts = tuple(f"seeds={len(scores)}" if p.startswith("seeds=") else p for p in parts)
    numbers: dict[str, Any] = {
        name: mean(getattr(score, name) for score in scores)
        for name in ("value", "low", "high", "raw")
    }
    return dataclasses.replace(
        first,
        **numbers,
        deviation=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        clips=means("clips"),
        replicates=means("replicates"),
        signature=str(Signature(parts)),
    )


def scoring_of(run: BenchRun) -> Scoring:
    """How a finished run was scored, from what it wrote down."""
    facts = run.facts
    return Scoring(
        from_json(facts["protocol"]),
        tuple(facts["metrics"]),
        facts["prints"],
        FeatureStore(run.path),
        run.model,
        Signature(tuple(facts["head"])),
        run.weights,
    )


def rescore(run: BenchRun, clips: set[str]) -> dict[str, Score]:
    """The scores of a run on some of its clips, from stored features alone.

    Raises InputUnreadable where features were deleted.
    """
    rows = run.clips()
    rows = rows[rows["clip"].isin(clips) & (rows["state"] != "unscored")]
    return scoring_of(run).scores(plain_rows(rows))
