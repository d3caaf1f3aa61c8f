"""A large run of made-up features: tables of any subset in a second, and no video is opened."""

import json
import time

import numpy as np
import pytest

from talkingface_wild.benchmark import clip_pair, decoded_video
from talkingface_wild.benchmark.feature_store import FeatureStore
from talkingface_wild.benchmark.measure_stage import extractors_of, sides_from
from talkingface_wild.benchmark.protocol import load_protocol
from talkingface_wild.benchmark.runs import BenchRun, read_run, write_run
from talkingface_wild.benchmark.scoring import Scoring, rescore, scoring_of
from talkingface_wild.benchmark.signature import Signature
from talkingface_wild.benchmark.tables.leaderboard import build_table
from talkingface_wild.core.errors import InputUnreadable

CLIPS, PEOPLE = 300, 60
METRICS = ("ssim", "psnr", "sync_c", "efid")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A finished run of 300 clips whose videos never existed."""
    folder = tmp_path_factory.mktemp("large")
    protocol, store = load_protocol("tfw-v1"), FeatureStore(folder / "features")
    prints = {e.name: e.fingerprint() for e in extractors_of(protocol, METRICS)}
    random = np.random.default_rng(0)
    rows = [_row(place, store, prints, random) for place in range(CLIPS)]
    used = dict.fromkeys(w for e in extractors_of(protocol, METRICS) for w in e.weights())
    weights = {name: {"sha256": None, "official": False} for name in used}
    head = Signature(("tfw-v1", "list=made:01234567", f"clips=0/{CLIPS}", "≤375f@25", "512"))
    scoring = Scoring(protocol, METRICS, prints, store, "made", head, weights)
    facts = {"protocol": protocol.to_json(), "metrics": list(METRICS), "prints": prints}
    facts |= {"head": list(head.parts), "notes": []}
    run = BenchRun(
        folder, "made", "made", "tfw-v1", "made", "01234567", CLIPS, scoring.scores(rows),
        weights=weights, facts=facts,
    )  # fmt: skip
    write_run(run, rows)
    return folder


def _row(place, store, prints, random):
    clip = f"c{place:03d}"
    keys = {side: [f"{side}-{place:03d}", "sound"] for side in ("generated", "reference")}
    for side in (sides_from(keys).generated, sides_from(keys).reference):
        picture, heard = side.content(False), side.content(True)
        means = 10 + random.normal(0, 0.1, (1, 31))
        means[0, 15] -= place / 100
        lips = {"means": means, "windows": np.array([300]), "nulls": np.zeros(8)}
        store.save(heard, prints["lipsync"], lips)
        faces = {"expression": random.normal(size=(75, 64)).astype(np.float32)}
        store.save(picture, prints["expression"], {**faces, "asked": np.array([75])})
    both = "+".join(keys[side][0] for side in ("generated", "reference"))
    alike = np.full(374, 0.5 + place / 1000)
    similarity = {"ssim": alike, "psnr": alike * 40, "frame": np.arange(1, 375)}
    store.save(both, prints["similarity"], similarity)
    return {
        "clip": clip, "seed": 0, "language": "en" if place % 2 else "ko",
        "group": f"p{place % PEOPLE}", "split": "test", "state": "scored", "reason": None,
        "detail": None, "frames": 375, "codec": "h264", "flags": "", "generated": "gone.mp4",
        "candidate": "file", "reference": "gone too.mp4", "sound": "", "mux_offset_ms": None,
        "keys": json.dumps(keys), "refused": "{}", "replaced": "", "decodes": 0, "asked": "{}",
        "ssim": 0.5 + place / 1000,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _no_video(monkeypatch):
    def refused(*arguments, **more):
        raise AssertionError("a video was opened")

    for module in (clip_pair, decoded_video):
        monkeypatch.setattr(module, "decode_video", refused)
    monkeypatch.setattr(decoded_video, "open_media", refused)


def test_any_subset_is_scored_in_a_moment_without_a_video(large):
    run = read_run(large)
    chosen = {f"c{place:03d}" for place in range(0, CLIPS, 2)}
    begun = time.process_time()
    found = rescore(run, chosen)
    assert time.process_time() - begun < 5.0
    assert found["ssim"].n == 150
    assert found["ssim"].value == pytest.approx(np.mean([0.5 + p / 1000 for p in range(0, 300, 2)]))
    assert "clips=150/300" in found["ssim"].signature
    assert found["efid"].n == 150 and found["efid"].low < found["efid"].value
    assert len(found["efid"].replicates) == 20


def test_all_clips_give_the_runs_own_scores(large):
    run = read_run(large)
    found = rescore(run, {f"c{place:03d}" for place in range(CLIPS)})
    for name, score in run.scores.items():
        assert found[name].value == pytest.approx(score.value, rel=1e-12)
        assert found[name].signature == score.signature


def test_a_language_is_a_subset_like_any_other(large):
    run = read_run(large)
    rows = run.clips()
    korean = set(rows.loc[rows["language"] == "ko", "clip"])
    assert rescore(run, korean)["sync_c"].n == 150


def test_a_table_needs_no_video(large):
    begun = time.process_time()
    table = build_table([read_run(large)])
    assert time.process_time() - begun < 5.0
    assert table


def test_features_that_are_gone_are_named(large, tmp_path):
    import shutil

    shutil.copytree(large, tmp_path / "copy")
    run = read_run(tmp_path / "copy")
    store = scoring_of(run).store
    assert store.folder == tmp_path / "copy" / "features"
    next(store.folder.rglob("*.npz")).unlink()
    with pytest.raises(InputUnreadable, match="delete that file and run the same"):
        rescore(run, {f"c{place:03d}" for place in range(CLIPS)})
