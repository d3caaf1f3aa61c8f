"""Typical costs of measuring a clip and of scoring, from the figures in docs/performance.md.

One thread of a CPU; the pace of a run corrects them for the machine at hand.
"""

import os
from collections.abc import Sequence

from talkingface_wild.benchmark.candidates import ClipCandidate
from talkingface_wild.benchmark.measure_stage import Features, extractors_of
from talkingface_wild.benchmark.protocol import Protocol
from talkingface_wild.engine.costs import Cost, Costs

SECONDS_PER_375_FRAMES = {
    "lipsync": 22.0,
    "inception": 5.0,
    "aligned_inception": 5.0,
    "i3d": 8.0,
    "identity": 8.0,
    "expression": 4.0,
    "similarity": 8.0,
    "jitter": 0.2,
    "changes": 0.1,
    "sharpness": 0.1,
}
"""Of one video, by extractor; lipsync is SyncNet and S3FD, similarity of a pair is SSIM and PSNR.

Measured by ``python -m tests.speed networks clip`` (docs/performance.md, Scoring).
"""
DECODING_PER_FRAME = 0.11 / 125
SCORING_PER_CLIP = 0.15
"""FID, KID, FVD and KVD of 400 clips with their intervals take under a minute."""
FRAMES = 375
"""Of a clip whose length is not known before it is opened: what tfw-v1 takes at most."""
RAY_OPENING = 6.0
"""Until the workers of ray begin; see pipelines/costs.yaml."""


def bench_costs(
    protocol: Protocol,
    metrics: Sequence[str],
    candidates: Sequence[ClipCandidate],
    engine: str,
    workers: int | None,
) -> Costs:
    """Costs of a run's one stage, sizes in frames of one side."""
    frames = protocol.frames or FRAMES
    sizes = {entry.item().id: float(entry.clip.frames or frames) for entry in candidates}
    per_frame = 0.0
    for extractor in extractors_of(protocol, metrics):
        sides = 1 if extractor.pair else 2
        per_frame += sides * SECONDS_PER_375_FRAMES.get(extractor.name, 1.0) / 375
    cores = os.cpu_count() or 1
    return Costs(
        stages={Features.name: Cost(0.2, per_frame + 2 * DECODING_PER_FRAME, 1.0)},
        sizes=sizes,
        typical_size=float(FRAMES),
        size_columns=("frames",),
        speedup=float(min(workers or cores, cores)) if engine == "ray" else 1.0,
        opening=RAY_OPENING if engine == "ray" else 0.0,
        closing=1.0 + SCORING_PER_CLIP * len(candidates),
        closing_name="scores",
        roots_name="clips",
    )


def measuring_seconds(
    protocol: Protocol, metrics: Sequence[str], engine: str, workers: int | None
) -> float:
    """Wall seconds that measuring and scoring one more video of full length will take."""
    costs = bench_costs(protocol, metrics, [], engine, workers)
    frames = float(protocol.frames or FRAMES)
    return costs.stage(Features.name).of(1, frames) / costs.speedup + SCORING_PER_CLIP
