"""Benchmark runs made of numbers alone: fixed random values of clips, written as real folders."""

from dataclasses import replace

import numpy as np

from talkingface_wild.benchmark.base import Score
from talkingface_wild.benchmark.runs import BenchRun, write_run
from talkingface_wild.functional.intervals import assign_folds, cluster_bootstrap, grouped_jackknife

CLIPS, PEOPLE, LANGUAGES = 40, 10, ("en", "ko")
MEANS = {
    "sync_c": (6.0, 1.0, "higher"),
    "sync_d": (8.0, -1.0, "lower"),
    "ssim": (0.7, 0.05, "higher"),
    "psnr": (24.0, 2.0, "higher"),
    "csim": (0.8, 0.05, "higher"),
    "flicker": (2.0, 0.1, "none"),
}
"""Value, what one unit of quality adds, which way is better."""
DISTANCES = {"fid": (40.0, -6.0), "fvd": (600.0, -80.0), "kid": (20.0, -4.0), "efid": (2.0, -0.4)}
WEIGHTS = (
    "inception_fid",
    "i3d_kinetics400",
    "s3fd",
    "syncnet_v2",
    "deep3d",
    "scrfd_2.5g",
    "arcface_r100",
)
PARTS = {"fid": "fid=clean:6726825d:600f:a1b2c3", "kid": "fid=clean:6726825d:600f:a1b2c3"}
PARTS |= {"fvd": "fvd=i3d-tfw:0b5f1c2a:920w:a1b2c3", "efid": "efid=d3d-epoch_20:0a1b2c3d"}
PARTS |= {name: "sync=s3fd.25+syncnetv2:961e8696:drivewav" for name in ("sync_c", "sync_d")}


def make_run(
    folder,
    name="mcdm",
    model="mcdm",
    quality=0.0,
    noise=0.05,
    lost=(),
    failed=0,
    official=True,
    parts=None,
    replicates=True,
    **head,
):
    """A run in ``folder``: ``quality`` moves every metric, ``lost`` clips are unscored."""
    random = np.random.default_rng(1)
    own = np.random.default_rng(abs(hash_of(name)))
    rows = [_row(index, lost, failed) for index in range(CLIPS)]
    shared = {metric: random.normal(0, 1, CLIPS) for metric in MEANS}
    list_name, sha8 = head.pop("list_name", "tiny-40"), head.pop("list_sha8", "89abcdef")
    protocol = head.pop("protocol", "tfw-v1")
    kept = [index for index, row in enumerate(rows) if row["state"] != "unscored"]
    before = (
        f"{protocol}|list={list_name}:{sha8}|clips={len(kept)}/{CLIPS}|375f@25|512|ref=0|in=h264"
    )

    def signature(metric):
        part = (parts or {}).get(metric, PARTS.get(metric))
        return "|".join([before, *([part] if part else []), "seeds=1", "tfw=0.2.0"])

    for metric, (value, gain, _) in MEANS.items():
        noisy = shared[metric] * abs(gain) + own.normal(0, noise * abs(gain), CLIPS)
        for index, row in enumerate(rows):
            scored = row["state"] != "unscored"
            row[metric] = float(value + gain * quality + noisy[index]) if scored else None
    scores = _scores(rows, random, own, quality, noise, signature, replicates)
    languages = {}
    for language in LANGUAGES:
        spoken = [row for row in rows if row["language"] == language]
        languages[language] = _scores(spoken, random, own, quality, noise, signature, replicates)
    if not official:
        marked = ("syncnet_v2",)
        scores = {key: replace(score, unofficial=marked) for key, score in scores.items()}
    weights = {name: {"sha256": "0" * 64, "official": True} for name in WEIGHTS}
    weights["syncnet_v2"]["official"] = official
    run = BenchRun(
        folder, name, model, protocol, list_name, sha8, CLIPS, scores, languages, weights, failed,
        **head,
    )  # fmt: skip
    write_run(run, rows)
    return run


def hash_of(text):
    """A number from a text, the same in every process."""
    return int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "little")


def _row(index, lost, failed):
    clip = f"clip-{index:02d}"
    state = "unscored" if clip in lost else "static" if index < failed else "scored"
    return {
        "clip": clip,
        "seed": 0,
        "language": LANGUAGES[index % 2],
        "group": f"person-{index % PEOPLE}",
        "split": "test",
        "state": state,
        "reason": {"unscored": "no_face", "static": "crash"}.get(state, ""),
        "detail": "no face in 375 frames" if state == "unscored" else "",
        "frames": 375,
        "codec": "h264",
        "flags": "codec!" if index == 39 else "",
        "generated": "",
        "reference": "",
        "mux_offset_ms": 0.0,
        "refused": "{}",
    }


def _scores(rows, random, own, quality, noise, signature, replicates):
    kept = [row for row in rows if row["state"] != "unscored"]
    groups = [row["group"] for row in kept]
    folds = sorted(set(assign_folds(groups).values()))
    scores = {}
    for metric, (value, gain) in DISTANCES.items():
        full = value + gain * quality + own.normal(0, noise * abs(gain))
        wave = np.random.default_rng(7).normal(0, 0.02 * value, len(folds))
        mine = own.normal(0, noise * abs(gain), len(folds))
        without = [float(full + wave[fold] + mine[fold]) for fold in folds]
        bounds = grouped_jackknife(full, without)
        by_fold = {str(fold): left for fold, left in zip(folds, without, strict=True)}
        scores[metric] = Score(
            metric, full, bounds.low, bounds.high, len(kept), "clips", signature(metric), "lower",
            replicates=by_fold if replicates else {},
        )  # fmt: skip
    for metric, (_, _, better) in MEANS.items():
        values = [row[metric] for row in kept]
        bounds = cluster_bootstrap(values, groups)
        scores[metric] = Score(
            metric, bounds.value, bounds.low, bounds.high, len(kept), "clips", signature(metric),
            better,
        )  # fmt: skip
    return scores
