"""All stages of the paper's network at 128² on real clips, for so many minutes; writes videos.

A run that is stopped goes on where it was: its folder is TFW_SPEED_OUT/training. Clips are read
where it has no features yet, so these can be made on one machine and trained on another.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from talkingface_wild.core.errors import Interrupted
from talkingface_wild.models.mcdm import MCDMConfig, MCDMParts, preset
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.mcdm_trainer import TrainingRun, sample_frames
from talkingface_wild.models.training.loop import TrainingProgress
from tests.models.mcdm.proof import ssim_of_frames
from tests.speed.mcdm_findings import DEVICE, OUT, SMALL, Finding, wait
from tests.speed.mcdm_models import random_clips, random_parts
from tests.speed.mcdm_steps import STAGES, accelerator, stage_seconds
from tests.speed.mcdm_videos import write_sample

MINUTES = float(os.environ.get("TFW_SPEED_MINUTES", "20"))
STOP_MINUTES = float(os.environ.get("TFW_SPEED_STOP", "inf"))
"""This process stops after them and keeps what it has; the next one goes on."""
SHARES = {"1": 0.50, "2": 0.10, "3": 0.25}
"""Of the minutes; the rest is for features, encoders and videos."""
ROLLED = 6
"""Clips of a sample video."""
SETTINGS = (
    "picture.side=128",
    # No published VAE is at hand, so patches stand for it; m is 256 tokens a frame as at 512².
    "picture.codec=pca",
    "picture.latent_channels=16",
    "picture.shrink=4",
    "archived.patch=2",
    "archived.source=latent",
    "trunk.channels=[192, 384, 576]",
    "trunk.attention=[true, true, true]",
    "present.audio=mel",
    "present.audio_width=80",
    "present.image=latent",
    "present.image_width=256",
    "present.head=face_crop",
    "present.token_width=64",
    "present.width=384",
    "present.heads=6",
    "diffusion.prediction=sample",
    "diffusion.zero_snr=true",
    "diffusion.spacing=trailing",
    "prior_diffusion.prediction=sample",
    "prior_diffusion.zero_snr=true",
    "prior_diffusion.spacing=trailing",
    "training.precision=bf16",
    "training.ema=0.999",
    "training.checkpoint_every=500",
    "training.validate_every=500",
    *(
        f"training.{stage}.{name}={value}"
        for stage, rate, batch in (
            ("encoders", 1e-3, 64),
            ("stage1", 2e-4, 8),
            ("stage2", 3e-4, 32),
            ("stage3", 2e-4, 8),
        )
        for name, value in (
            ("rate", rate), ("batch", batch), ("warmup", 100), ("schedule", "cosine"),
        )
    ),
    "training.encoders.iterations=1500",
)  # fmt: skip
"""The preset ``paper`` with a narrower trunk, and with what needs no published weights."""
SMALL_SETTINGS = (
    "picture.side=64",
    "trunk.channels=[32, 64]",
    "trunk.attention=[true, true]",
    "trunk.layers=1",
    "trunk.groups=8",
    "present.width=48",
    "present.layers=2",
    "present.heads=4",
    "training.encoders.iterations=20",
    *(f"training.stage{stage}.batch=2" for stage in STAGES),
)


def training() -> Iterator[Finding]:
    """Features, encoders and the three stages; then losses, SSIM of rollouts, and their videos."""
    begun = time.monotonic()
    folder = OUT / "training"
    folder.mkdir(parents=True, exist_ok=True)
    config, said = planned(folder)
    yield Finding("training at 128²: iterations planned", said)
    course = TrainingRun(
        folder, config, tell=_tell, watch=_Watch(begun).show,
        accelerator=accelerator(config.training.precision),
    )  # fmt: skip
    for stage in course.stages():
        started = time.monotonic()
        try:
            result = course.run(stage, _make_features)
        except Interrupted as error:
            yield Finding("training at 128²", f"stopped for now: {error}")
            return
        if result is not None:
            wait()
            spent = time.monotonic() - started
            name = f"training at 128², {stage if stage.isalpha() else f'stage {stage}'}"
            yield Finding(name, f"{_plain(result)}; {spent:.0f} s", "–", {"result": result})
    yield from rolled(course)


def planned(folder: Path) -> tuple[MCDMConfig, str]:
    """The configuration with as many iterations as the minutes hold, measured once a folder."""
    path = folder / "plan.json"
    config = preset("paper").changed([*SETTINGS, *(SMALL_SETTINGS if SMALL else ())])
    if not path.is_file():
        parts, clips = random_parts(config, SMALL, frozen=False), random_clips(config)
        parts.to(DEVICE)
        plan = {
            stage: max(10, round(60 * MINUTES * SHARES[stage] / stage_seconds(parts, stage, clips)))
            for stage in STAGES
        }
        path.write_text(json.dumps(plan), "utf-8")
    plan = json.loads(path.read_text("utf-8"))
    settings = [f"training.stage{stage}.iterations={count}" for stage, count in plan.items()]
    settings += [f"training.stage{s}.warmup={min(100, n // 5)}" for s, n in plan.items()]
    said = ", ".join(f"stage {stage} {count:,}" for stage, count in plan.items())
    return config.changed(settings), said


def _make_features(parts: MCDMParts, folder: Path) -> dict[str, Any]:
    from talkingface_wild.models.mcdm.training.features import cache_features
    from tests.speed.mcdm_clips import keep_sounds, training_clips

    clips = training_clips(parts.config.picture.side)
    if SMALL:
        clips = clips[:2]
    keep_sounds(clips, folder.parent / "sounds")
    return cache_features(parts, clips, folder, device=DEVICE).figures()


def rolled(course: TrainingRun) -> Iterator[Finding]:
    """Rollouts from the first frame and the sound alone, beside the real frames, as videos."""
    parts = course.parts().eval()
    folder = course.out / "videos"
    scores: dict[str, list[list[float]]] = {"train": [], "val": []}
    for clip in CachedClip.read_folder(course.features_folder)[: 2 if SMALL else None]:
        made, without = (_halves(parts, clip, present) for present in (True, False))
        real, still = made[0], np.repeat(made[0][:1], len(made[0]), axis=0)
        rows = [made[1], without[1], still]
        means = [float(ssim_of_frames(one, real).mean()) for one in rows]
        scores[clip.facts.get("split", "train")].append(means)
        write_sample(folder / f"{clip.clip_id}.mp4", course.out / "sounds", [real, *rows[:2]])
    for split, found in scores.items():
        if not found:
            continue
        after, bare, same = (sum(column) / len(found) for column in zip(*found, strict=True))
        held = "held-out ends of clips" if split == "val" else "training clips"
        figure = f"SSIM {after:.3f}, without motion tokens {bare:.3f}, the first frame still "
        figure += f"{same:.3f}"
        numbers = {"made": after, "without": bare, "still": same}
        yield Finding(f"rollouts of {len(found)} {held}", figure, "–", numbers)
    yield Finding("videos (real, made, made without motion tokens)", f"{folder}/*.mp4")


def _halves(parts: MCDMParts, clip: CachedClip, present: bool) -> tuple[np.ndarray, np.ndarray]:
    """The real frames and the rollout."""
    both = torch.from_numpy(sample_frames(parts, clip, present=present, clips=ROLLED))
    real, made = both.chunk(2, dim=2)
    return real.contiguous().numpy(), made.contiguous().numpy()


class _Watch:
    """A line a minute on stderr; and an end to the process where one is asked for."""

    def __init__(self, begun: float) -> None:
        self.begun, self.told = begun, 0.0

    def show(self, progress: TrainingProgress) -> None:
        """Called after each iteration."""
        now = time.monotonic()
        if now - self.told > 60:
            self.told = now
            _tell(
                f"{progress.stage}: {progress.iteration}/{progress.iterations}, "
                f"loss {progress.loss:.4f}, {progress.seconds_left / 60:.1f} min left"
            )
        if now - self.begun > 60 * STOP_MINUTES:
            raise KeyboardInterrupt


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _plain(result: dict[str, Any]) -> str:
    shown = {k: v for k, v in result.items() if isinstance(v, int | float | str)}
    return ", ".join(
        f"{name} {value:.4f}" if isinstance(value, float) else f"{name} {value}"
        for name, value in shown.items()
    )
