"""One clip on its way into the store, and 400 clips on their way from the store into a table."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from talkingface_wild.benchmark.decoded_video import DecodedVideo, DecodeSettings, decode_video
from talkingface_wild.benchmark.extractors.extractor import Extractor, PairExtractor
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.measure_stage import extractors_of
from talkingface_wild.benchmark.protocol import Protocol, load_protocol
from talkingface_wild.benchmark.scoring import Scoring
from talkingface_wild.benchmark.signature import Signature

Row = tuple[str, str, str]
"""What was measured, the figure, the bound it is held against."""
ROOT = Path(__file__).resolve().parents[2]
CLIPS = 400
FRAMES, WINDOWS = 75, 23
"""Rows that tfw-v1 takes of a clip of 375 frames."""


def clip() -> Iterator[Row]:
    """One real clip (TFW_SHARED, else ../shared): decoding it, and what needs no weights."""
    shared = Path(os.environ.get("TFW_SHARED", ROOT.parent / "shared"))
    path = shared / "media" / "clips" / "may.mp4"
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        view = decode_video(path, DecodeSettings(), Path(folder))
        spent, count = time.perf_counter() - begun, len(view)
        yield f"decoding {count} frames onto 512²", f"{spent:.2f} s", "once"
        names = ("ssim", "psnr", "tje", "flicker", "drift")
        for extractor in extractors_of(load_protocol("tfw-v1"), names):
            if not extractor.weights():
                yield f"{extractor.name}, {count} frames", f"{_spent(extractor, view):.2f} s", "–"


def _spent(extractor: Extractor, view: DecodedVideo) -> float:
    begun = time.perf_counter()
    if isinstance(extractor, PairExtractor):
        extractor.compare(view, view)
    else:
        extractor.extract(view)
    return time.perf_counter() - begun


def table() -> Iterator[Row]:
    """Scores of 400 clips from stored features, each distance with and without its interval."""
    with tempfile.TemporaryDirectory() as folder:
        store, protocol = FeatureStore(Path(folder)), load_protocol("tfw-v1")
        rows = _rows(store, protocol)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*.npz")) / 1e6
        yield f"features of {CLIPS} pairs for fid, kid, fvd, kvd", f"{size:.0f} MB", "–"
        for metric in ("fid", "kid", "fvd", "kvd"):
            scoring = _scoring(store, protocol, (metric,))
            seconds = []
            for jackknife in (False, True):
                begun = time.perf_counter()
                score = scoring.scores(rows, jackknife)[metric]
                seconds.append(time.perf_counter() - begun)
                if score.value is None:
                    raise RuntimeError(f"{metric} has no value: this measured something else")
            figure = f"{seconds[0]:.1f} s, with 20 folds left out in turn {seconds[1]:.1f} s"
            yield f"{metric} of {CLIPS} clips from stored features", figure, "seconds"


def _rows(store: FeatureStore, protocol: Protocol) -> list[dict[str, object]]:
    """The clips, their features already in the store."""
    random, rows = np.random.default_rng(0), []
    prints = _prints(protocol)
    for index in range(CLIPS):
        keys = {side: [f"{side}-{index}", ""] for side in ("generated", "reference")}
        for picture, _ in keys.values():
            pool = random.gamma(0.5, 0.8, (FRAMES, 2048)).astype(np.float16)
            logits = random.standard_normal((WINDOWS, 400), dtype=np.float32)
            store.save(picture, prints["inception"], {"pool": pool})
            store.save(picture, prints["i3d"], {"logits": logits})
        row = {"clip": f"clip-{index}", "group": f"person-{index // 2}", "language": "en"}
        row |= {"seed": 0, "keys": json.dumps(keys), "codec": "frames", "flags": "", "replaced": ""}
        rows.append(row)
    return rows


def _prints(protocol: Protocol) -> dict[str, str]:
    extractors = extractors_of(protocol, ("fid", "fvd"))
    return {extractor.name: extractor.fingerprint(lambda name: None) for extractor in extractors}


def _scoring(store: FeatureStore, protocol: Protocol, metrics: tuple[str, ...]) -> Scoring:
    head = Signature((protocol.name, "list=made-up:00000000", f"clips={CLIPS}/{CLIPS}"))
    return Scoring(protocol, metrics, _prints(protocol), store, "made up", head, {})


MEASUREMENTS = {"clip": clip, "table": table}
