"""From stored features to scores: no video is opened here, and none is needed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from talkingface_wild import __version__
from talkingface_wild.benchmark.base import Features, Metric, Sample, Score
from talkingface_wild.benchmark.candidates import half_of
from talkingface_wild.benchmark.extractors.base import Extractor
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.opening import Side
from talkingface_wild.benchmark.protocol import Protocol, from_json
from talkingface_wild.benchmark.runs import BenchRun
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.benchmark.stage import extractors_of, jobs
from talkingface_wild.benchmark.store import FeatureStore
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

    def samples(self, rows: Iterable[Row]) -> Iterator[Sample]:
        """One clip's features at a time, as stored."""
        extractors = extractors_of(self.protocol, self.metrics)
        rows = list(rows)
        groups = [str(row["group"]) for row in rows]
        for row in rows:
            half = half_of(str(row["group"]), groups) if self.model == "halves" else None
            yield self._sample(row, extractors, half)

    def _sample(self, row: Row, extractors: Sequence[Extractor], half: int | None) -> Sample:
        keys = json.loads(row["keys"])
        sides = {name: Side(found[0], found[1], 0) for name, found in keys.items()}
        generated, reference = sides.get("generated"), sides.get("reference")
        if half is not None:
            generated, reference = (generated, None) if half == 0 else (None, reference)
        found: dict[str, dict[str, Features]] = {"generated": {}, "reference": {}, "pair": {}}
        refused: dict[str, str] = {}
        for name, extractor, looked_at in jobs(extractors, generated, reference):
            side, _, extractor_name = name.partition("/")
            content = "+".join(part.content(extractor.hears) for part in looked_at)
            features, why = self.store.load(content, self.prints[extractor.name])
            if why is None:
                found[side][extractor_name] = features
            else:
                refused[name] = why
        barred = {"ssim", "psnr", "tje", "drift"} if "crop!" in str(row["flags"]) else set()
        return Sample(
            clip=str(row["clip"]),
            group=str(row["group"]),
            language=str(row["language"]),
            generated=found["generated"],
            reference=found["reference"],
            pair=found["pair"],
            refused=refused,
            barred=frozenset(barred),
            seed=int(row["seed"]),
        )

    def _signed(self, metric: Metric, score: Score, rows: Sequence[Row]) -> Score:
        names = [n for e in metric.extractors(self.protocol) for n in e.weights()]
        unofficial = tuple(
            n for n in dict.fromkeys(names) if not self.weights.get(n, {}).get("official")
        )
        parts = list(self.head.parts)
        at = next((i for i, p in enumerate(parts) if p.startswith("clips=")), len(parts) - 1)
        listed = parts[at].partition("/")[2] or str(len(rows))
        parts[at] = f"clips={len({row['clip'] for row in rows})}/{listed}"
        codecs = "+".join(sorted({str(row["codec"]) for row in rows})) or "none"
        own = metric_part(metric, self.protocol, self.weights, score.n)
        seeds = len({row["seed"] for row in rows})
        signature = Signature((*parts, f"in={codecs}", own, f"seeds={seeds}", f"tfw={__version__}"))
        return dataclasses.replace(score, signature=str(signature), unofficial=unofficial)


def metric_part(
    metric: Metric, protocol: Protocol, weights: Mapping[str, Mapping[str, Any]], n: int
) -> str:
    """The part of the signature that says what this metric computed, and with which weights."""

    def short(name: str) -> str:
        return str(weights.get(name, {}).get("sha256") or "none")[:8]

    version = f"{metric.name}.{metric.version}"
    cast = ":bf16" if protocol.autocast else ""
    if metric.part == "fid":
        fid = protocol.fid
        return f"fid={fid.resize}:{short(fid.network)}{cast}:{n}f{fid.first}s{fid.stride}"
    if metric.part == "fvd":
        fvd = protocol.fvd
        ddof = "" if fvd.ddof == 1 else ":ddof0"
        return f"fvd=i3d-{fvd.geometry}:{short(fvd.network)}{cast}{ddof}:{n}x{fvd.window}"
    if metric.part == "sync":
        sync = protocol.sync
        face = f"s3fd.25:{short('s3fd')}+{sync.tracks}" if sync.pipeline == "tracked" else "whole"
        steps = "+".join(sync.recode) or "lossless"
        return f"sync={face}+syncnetv2:{short('syncnet_v2')}:drivewav:{steps}:f{sync.first}"
    if metric.part == "similarity":
        like = protocol.similarity
        return f"{metric.name}={like.channels}-{like.window}:f{like.first}s{like.stride}"
    if metric.part == "efid":
        faces = protocol.expression
        network = "inception_fid" if metric.name == "efid_inception" else "deep3d"
        points = f"{faces.detector}:{short(faces.detector)}"
        return f"{metric.name}={network}:{short(network)}+{points}"
    if metric.part in ("csim", "drift"):
        who = protocol.identity
        points = f"{who.detector}:{short(who.detector)}"
        return f"{metric.name}={who.network}:{short(who.network)}+{points}"
    return f"{metric.name}={version}"


def over_seeds(scores: Sequence[Score]) -> Score:
    """One score of several seeds: means of value and bounds, and the deviation between seeds."""
    if len(scores) == 1:
        return scores[0]
    values = [score.value for score in scores if score.value is not None]
    if not values:
        return scores[0]

    def mean(name: str) -> float | None:
        found = [getattr(s, name) for s in scores if getattr(s, name) is not None]
        return float(np.mean(found)) if found else None

    clips = {
        c: float(np.mean([s.clips[c] for s in scores if c in s.clips])) for c in scores[0].clips
    }
    folds = scores[0].replicates.keys()
    replicates = {
        f: float(np.mean([s.replicates[f] for s in scores if f in s.replicates])) for f in folds
    }
    signature = Signature.parse(scores[0].signature)
    parts = [f"seeds={len(scores)}" if p.startswith("seeds=") else p for p in signature.parts]
    return dataclasses.replace(
        scores[0],
        value=mean("value"),
        low=mean("low"),
        high=mean("high"),
        raw=mean("raw"),
        deviation=float(np.std(values, ddof=1)) if len(values) > 1 else None,
        clips=clips,
        replicates=replicates,
        signature=str(Signature(tuple(parts))),
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
    kept = rows[rows["clip"].isin(clips) & (rows["state"] != "unscored")]
    plain = kept.astype(object).where(kept.notna(), None)
    records: list[Any] = plain.to_dict("records")
    return scoring_of(run).scores(records)
