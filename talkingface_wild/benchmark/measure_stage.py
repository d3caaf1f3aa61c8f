"""The one stage of a benchmark: measure what the metrics need of a clip, and store it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from talkingface_wild.benchmark.candidates import Candidate
from talkingface_wild.benchmark.clip_pair import ClipPair, PairSide
from talkingface_wild.benchmark.clips import BenchClip
from talkingface_wild.benchmark.extractors.extractor import Extractor, PairExtractor, VideoExtractor
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.metrics import METRICS
from talkingface_wild.benchmark.protocol import Protocol, from_json
from talkingface_wild.core.columns import Column
from talkingface_wild.core.outcome import Done, ItemFailed, ItemRejected, Outcome
from talkingface_wild.engine.stage import SILENT, Cache, Item, Resources, Stage

GENERATED, REFERENCE, PAIR, STILL = "generated", "reference", "pair", "still"
PIXELS = Cache("pixels")
"""Decoded pictures of a clip's sides, while it is measured."""


@dataclass(frozen=True)
class FeaturesConfig:
    """What is measured, and where it is kept."""

    protocol: dict[str, Any]
    """The whole protocol as plain data: any change of it measures anew."""
    metrics: tuple[str, ...]
    features: str = field(default="features", metadata=SILENT)
    """Folder of the store, absolute or relative to the run's."""


def extractors_of(protocol: Protocol, metrics: Sequence[str]) -> tuple[Extractor, ...]:
    """Each extractor that the metrics need, once."""
    by_name = {e.name: e for name in metrics for e in METRICS[name].extractors(protocol)}
    return tuple(by_name.values())


def fingerprints_of(protocol: Protocol, metrics: Sequence[str]) -> dict[str, str]:
    """By extractor, its fingerprint with the weights that are here."""
    return {e.name: e.fingerprint() for e in extractors_of(protocol, metrics)}


class Features(Stage):
    """Decodes each side of a clip at most once and stores every extractor's answer.

    A method's video that is missing, broken or far too short is replaced by the static frame, as
    the protocol says, and the row says so; so is the answer of an extractor that refuses the
    method's video but not the real one. Every refusal is stored with its reason.
    """

    name = "features"
    reads = (PIXELS,)
    columns = (
        Column("bench_state", "string", "scored, or static where the method's video failed"),
        Column("bench_reason", "string", "why the method's video failed"),
        Column("bench_detail", "string", "what was found"),
        Column("frames", "int", "frames of the generated side", "frames", 0),
        Column("reference_frames", "int", "frames of the reference side", "frames", 0),
        Column("codec", "string", "how the video was delivered; frames: never encoded"),
        Column("flags", "string", "codec! size! crop! fps! short! long! brief!, or empty"),
        Column("keys", "string", "JSON: the content keys by side, with and without sound"),
        Column("refused", "string", "JSON: why an extractor had no answer, by side/extractor"),
        Column("replaced", "string", "extractors whose answer is the static frame's"),
        Column("mux_offset_ms", "float", "the container's sound behind the driving one", "ms"),
        Column("decodes", "int", "videos decoded for this clip; 0 where all was stored", "", 0),
    )
    Config = FeaturesConfig
    resources = Resources(gpus=0.5)

    @classmethod
    def weights(cls, config: FeaturesConfig) -> tuple[str, ...]:
        """Every weight of every extractor."""
        extractors = extractors_of(from_json(config.protocol), config.metrics)
        return tuple(dict.fromkeys(name for e in extractors for name in e.weights()))

    def open(self) -> None:
        """Nothing yet: a network is loaded when the first clip needs it."""
        self.protocol = from_json(self.config.protocol)
        self.extractors = extractors_of(self.protocol, self.config.metrics)
        self.prints = fingerprints_of(self.protocol, self.config.metrics)
        self.store = FeatureStore(self.place.out / self.config.features)
        self._ready: set[str] = set()

    def process(self, items: Sequence[Item]) -> list[Outcome]:
        """One answer per clip."""
        return [self._one(item) for item in items]

    def _one(self, item: Item) -> Outcome:
        clip = BenchClip(**item.payload["clip"])
        candidate = Candidate(**item.payload["candidate"])
        pixels = PIXELS.folder(item, self.place)
        with ClipPair(clip, candidate, self.protocol, self.store, pixels) as pair:
            real = pair.reference()
            state, reason, detail = "scored", None, None
            try:
                generated, reference = pair.sides()
            except (ItemRejected, ItemFailed) as error:
                if candidate.kind != "file":
                    raise
                state, reason, detail = "static", error.outcome.reason, error.outcome.detail
                generated, reference = pair.still(), real
            own = candidate.kind == "file" and state == "scored"
            still = pair.still() if own or (real is None and clip.portrait) else None
            sides = Sides(generated, reference, still)
            refused = self._measure(pair, sides)
            replaced = self._replace(pair, still, refused) if own else []
            brief = ["brief!"] if real is not None and real.frames < clip.frames else []
            mux_offset_ms = pair.mux_offset_ms(Path(candidate.path), generated) if own else None
            return Done(
                {
                    "bench_state": state,
                    "bench_reason": reason,
                    "bench_detail": detail or None,
                    "frames": generated.frames,
                    "reference_frames": reference.frames if reference else None,
                    "codec": generated.codec,
                    "flags": " ".join(dict.fromkeys([*generated.flags, *brief])),
                    "keys": json.dumps(sides.keys()),
                    "refused": json.dumps(refused),
                    "replaced": " ".join(replaced) or None,
                    "mux_offset_ms": mux_offset_ms,
                    "decodes": pair.decodes,
                }
            )

    def _measure(self, pair: ClipPair, sides: Sides) -> dict[str, str]:
        """Run every extractor whose features are not stored; the reasons of those that refuse."""
        reasons = {
            name: self._store_features(pair, extractor, inputs)
            for name, extractor, inputs in jobs(self.extractors, sides)
        }
        return {name: reason for name, reason in reasons.items() if reason is not None}

    def _store_features(
        self, pair: ClipPair, extractor: Extractor, inputs: tuple[PairSide, ...]
    ) -> str | None:
        """Store an extractor's features unless they are there; why it refused, or None."""
        key, fingerprint = content_key(extractor, inputs), self.prints[extractor.name]
        if not self.store.has(key, fingerprint):
            self._ensure_open(extractor)
            videos = [pair.video(side) for side in inputs]
            try:
                if isinstance(extractor, PairExtractor):
                    features = extractor.compare(videos[0], videos[1])
                elif isinstance(extractor, VideoExtractor):
                    features = extractor.extract(videos[0])
                self.store.save(key, fingerprint, features)
            except ItemRejected as error:
                reason = f"{error.outcome.reason}: {error.outcome.detail}"
                self.store.refuse(key, fingerprint, reason)
        return self.store.load(key, fingerprint)[1]

    def _replace(
        self, pair: ClipPair, still: PairSide | None, refused: Mapping[str, str]
    ) -> list[str]:
        """Measure the static frame where the method's video alone was refused; which extractors."""
        return [
            extractor.name
            for extractor in self.extractors
            if not extractor.pair
            and still is not None
            and f"{GENERATED}/{extractor.name}" in refused
            and f"{REFERENCE}/{extractor.name}" not in refused
            and self._store_features(pair, extractor, (still,)) is None
        ]

    def _ensure_open(self, extractor: Extractor) -> None:
        if extractor.name not in self._ready:
            extractor.open(self.place.device, self.place.threads)
            self._ready.add(extractor.name)


@dataclass(frozen=True)
class Sides:
    """The sides of a clip; ``still`` is there where the reference picture may have to stand in."""

    generated: PairSide | None
    reference: PairSide | None
    still: PairSide | None = None

    def keys(self) -> dict[str, list[str]]:
        """Picture and sound key of each side, from which every content key is made."""
        named = {GENERATED: self.generated, REFERENCE: self.reference, STILL: self.still}
        return {n: [s.picture_key, s.sound_key] for n, s in named.items() if s is not None}


def sides_from(keys: Mapping[str, Sequence[str]]) -> Sides:
    """The sides that ``Sides.keys`` wrote: enough to find what is stored of them."""

    def side(name: str) -> PairSide | None:
        return PairSide(None, keys[name][0], keys[name][1], 0) if name in keys else None

    return Sides(side(GENERATED), side(REFERENCE), side(STILL))


Job = tuple[str, Extractor, tuple[PairSide, ...]]


def jobs(extractors: Sequence[Extractor], sides: Sides) -> Iterator[Job]:
    """(``side/extractor``, the extractor, the sides it looks at) for all that apply to a clip."""
    generated, reference = sides.generated, sides.reference
    for extractor in extractors:
        if extractor.pair:
            if generated is not None and reference is not None:
                yield f"{PAIR}/{extractor.name}", extractor, (generated, reference)
            continue
        if generated is not None:
            yield f"{GENERATED}/{extractor.name}", extractor, (generated,)
        stand_in = sides.still if extractor.portrait_will_do else None
        real = reference or stand_in
        if real is not None:
            yield f"{REFERENCE}/{extractor.name}", extractor, (real,)


def content_key(extractor: Extractor, inputs: Sequence[PairSide]) -> str:
    """The store's key of what the extractor looks at."""
    return "+".join(side.content(extractor.hears) for side in inputs)
