"""``make proof``: MCDM's three stages learn on a CPU that sound moves a mouth, shown by rollouts.

For each of two real clips (the first 100 frames at 25 fps, centre square to 64 pixels) the preset
``tiny`` is trained from nothing, then 6 clips of 8 frames are made from the first frame and the
sound alone, each from the archive of the one before. It is memorisation of one clip, and it proves
only that every part carries what it should.
"""

from __future__ import annotations

import argparse
import copy
import itertools
import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch

from talkingface_wild.functional import similarity
from talkingface_wild.media.decode import frames as decoded
from talkingface_wild.media.sound import read_sound
from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.mcdm import MCDMConfig, MCDMParts, preset
from talkingface_wild.models.mcdm.rollout import Rollout
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.encoder_tasks import run_encoders, take_tokens
from talkingface_wild.models.mcdm.training.predict_tokens import predict_tokens
from talkingface_wild.models.mcdm.training.stages import run_stage

FRAMES, SIDE, CLIPS = 100, 64, 6
MOUTH = (slice(38, 60), slice(18, 46))
FACE = (slice(8, 64), slice(8, 56))
SEEDS = (0, 1, 2)
"""A rollout's figures are the mean over three noises: one alone moves the correlation by 0.2."""
SETTINGS = (
    "training.stage1.iterations=500",
    "training.stage2.iterations=600",
    "training.stage3.iterations=1000",
    "training.stage3.rate=3e-3",
    "sampling.steps=15",
    "sampling.prior_steps=15",
)


@dataclass(frozen=True)
class Bounds:
    """What a clip's run must reach; the figures are the issue's."""

    ssim_over_static: float
    mouth_over_static: float


BOUNDS = {"hdtf_ocasio": Bounds(0.12, 3.0), "synthetic_9": Bounds(0.01, 0.5)}


@dataclass
class Rolled:
    """One rollout's figures."""

    ssim: float
    mouth_psnr: float
    correlation: float
    by_clip: list[float]
    frames: np.ndarray = field(repr=False)


STREAMS = ("symmetric", "residual", "attn_only")
"""What memory and present rows are made of (R6); the first is the default."""


@dataclass
class Proof:
    """One clip's run."""

    name: str
    losses: dict[str, tuple[float, float]]
    rollouts: dict[str, Rolled]
    truth: np.ndarray = field(repr=False)
    seconds: float = 0.0
    streams: dict[str, tuple[float, Rolled]] = field(default_factory=dict)
    """Stage-3 loss and one rollout by what the temporal rows are made of, if asked for."""

    def checks(self, bounds: Bounds) -> dict[str, tuple[float, float, bool]]:
        """Each figure, its bound and whether it holds."""
        made, still, without = (self.rollouts[k] for k in ("predicted", "static", "no tokens"))
        fall = {stage: before / after for stage, (before, after) in self.losses.items()}
        third = 100 * (1 - self.losses["3"][1] / self.losses["3"][0])
        least = {
            "stage 1 loss falls x": (fall["1"], 8.0),
            "stage 2 loss falls x": (fall["2"], 20.0),
            "stage 3 below stage 1 %": (third, 8.0),
            "SSIM over static": (made.ssim - still.ssim, bounds.ssim_over_static),
            "SSIM over no tokens": (made.ssim - without.ssim, 0.03),
            "mouth PSNR over static": (
                made.mouth_psnr - still.mouth_psnr,
                bounds.mouth_over_static,
            ),
            "mouth correlation": (made.correlation, 0.3),
            "last clip's SSIM over first's": (made.by_clip[-1] - made.by_clip[0], -0.05),
        }
        found = {name: (value, bound, value >= bound) for name, (value, bound) in least.items()}
        most = without.correlation
        found["mouth correlation, no tokens"] = (most, 0.15, most <= 0.15)
        return found


def read_pictures(path: Path) -> np.ndarray:
    """The first 100 frames at 25 fps, centre square to 64, (T, 64, 64, 3)."""
    taken = []
    for frame in itertools.islice(decoded(path, fps=25), FRAMES):
        picture = frame.rgb
        side = min(picture.shape[:2])
        top, left = ((size - side) // 2 for size in picture.shape[:2])
        square = picture[top : top + side, left : left + side]
        taken.append(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    return np.stack(taken)


def cached(path: Path, parts: MCDMParts) -> tuple[CachedClip, np.ndarray]:
    """The clip as training reads it, and its frames; the codec is fitted on it."""
    pictures = read_pictures(path)
    sound = read_sound(path, 0.0, len(pictures) / 25)
    frames = torch.from_numpy(pictures)
    parts.patch_codec.fit(frames)
    latents = parts.codec.encode(frames)

    def crop(part: tuple[slice, slice], side: int, cover: bool = False) -> torch.Tensor:
        shown = pictures.copy()
        if cover:
            shown[:, MOUTH[0], MOUTH[1]] = 128
        cut = [cv2.resize(p[part], (side, side), interpolation=cv2.INTER_AREA) for p in shown]
        return torch.from_numpy(np.stack(cut))

    clip = CachedClip(
        clip_id=path.stem,
        latents_TCHW=latents,
        sound_TE=parts.sound_features.rows(sound, 0, len(pictures)),
        image_TE=parts.image_features.rows(frames, latents),
        lips_TSSC=crop(MOUTH, 24),
        face_TSSC=crop(FACE, 32, cover=True),
        head_TSSC=crop(FACE, 32),
        facts={"split": "train"},
    )
    return clip, pictures


def motion(pictures: np.ndarray) -> np.ndarray:
    """Mean change of the mouth from frame to frame, (T - 1,)."""
    mouth = pictures[:, MOUTH[0], MOUTH[1]].astype(np.float64)
    return np.abs(np.diff(mouth, axis=0)).mean(axis=(1, 2, 3))


def ssim_of_frames(frames: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The SSIM of each pair of frames."""
    return np.array([similarity.ssim(*pair) for pair in zip(frames, truth, strict=True)])


def figures(made: np.ndarray, truth: np.ndarray) -> Rolled:
    """SSIM of frames, mouth PSNR (the first frame, which the still repeats, left out), motion."""
    ssim = ssim_of_frames(made, truth)
    part = (slice(1, None), *MOUTH)
    pairs = zip(*(np.ascontiguousarray(video[part]) for video in (made, truth)), strict=True)
    psnr = np.mean([similarity.psnr(*pair) for pair in pairs])
    ours, real = motion(made), motion(truth)
    still = ours.std() < 1e-9
    correlation = 0.0 if still else float(np.corrcoef(ours, real)[0, 1])
    by_clip = [float(part.mean()) for part in np.split(ssim, CLIPS)]
    return Rolled(float(ssim.mean()), float(psnr), correlation, by_clip, made)


def mean_figures(each: list[Rolled]) -> Rolled:
    """The mean over the seeds; the frames are the first's."""
    names = ("ssim", "mouth_psnr", "correlation")
    means = [float(np.mean([getattr(rolled, name) for rolled in each])) for name in names]
    by_clip = np.mean([rolled.by_clip for rolled in each], axis=0).tolist()
    return Rolled(*means, by_clip, each[0].frames)


def roll(
    parts: MCDMParts, clip: CachedClip, first: np.ndarray, kind: str, seed: int = 0
) -> np.ndarray:
    """48 frames in a closed loop from the first frame; ``kind`` says what tokens it reads."""
    rollout = Rollout(parts)
    state = rollout.start(torch.from_numpy(first), seed)
    config = parts.config
    made = []
    for _ in range(CLIPS):
        overlap = config.present.overlap
        start = state.position
        sound = sound_windows(
            clip.sound_TE, start - overlap, parts.prior_frames, config.present.audio_window
        )
        true_FKT = clip.tokens_TKW[start : start + config.clip.frames]
        edit = (lambda _, true=true_FKT: true) if kind == "true tokens" else None
        done = rollout.clip(state, sound, edit=edit, present=kind != "no tokens")
        state = done.state
        made.append(done.frames_FHWC.numpy())
    return np.concatenate(made)


def prove(
    path: Path, folder: Path, config: MCDMConfig, watch: bool = True, all_streams: bool = False
) -> Proof:
    """Train on one clip and roll it out; stage 3 again for the other streams if asked for."""
    started = time.monotonic()
    torch.manual_seed(0)
    parts = MCDMParts.build(config)
    clip, pictures = cached(path, parts)

    def show(progress: object) -> None:
        p = progress
        if watch and p.iteration % 100 == 0:
            print(f"  {p.stage} {p.iteration}/{p.iterations} loss {p.loss:.4f}", file=sys.stderr)

    run_encoders(parts, [clip], folder / "encoders", show)
    clip.tokens_TKW = take_tokens(parts, clip)
    losses, others = {}, {}
    for stage in ("1", "2", "3"):
        if stage == "3" and all_streams:
            others = {streams: copy.deepcopy(parts) for streams in STREAMS[1:]}
        done = run_stage(parts, stage, [clip], [], folder / f"stage{stage}", show)
        losses[stage] = (done.before, done.after)
        if stage == "2":
            predict_tokens(parts, [clip])
    parts.eval()
    truth = pictures[: CLIPS * config.clip.frames]
    kinds = ("predicted", "true tokens", "no tokens")
    rollouts = {
        kind: mean_figures(
            [
                figures(roll(parts, clip, pictures[0], kind, seed), truth)
                for seed in (SEEDS if kind != "true tokens" else SEEDS[:1])
            ]
        )
        for kind in kinds
    }
    by_streams = {}
    for streams, other in others.items():
        for block in other.unet.motion_blocks():
            block.streams = streams
        done = run_stage(other, "3", [clip], [], folder / f"stage3-{streams}", show)
        rolled = figures(roll(other.eval(), clip, pictures[0], "predicted"), truth)
        by_streams[streams] = (done.after, rolled)
    if by_streams:
        rolled = figures(roll(parts, clip, pictures[0], "predicted"), truth)
        by_streams = {STREAMS[0]: (losses["3"][1], rolled)} | by_streams
    rollouts["static"] = figures(np.repeat(pictures[:1], len(truth), axis=0), truth)
    parts.save(folder / "model")
    seconds = time.monotonic() - started
    return Proof(path.stem, losses, rollouts, truth, seconds, by_streams)


def table(proof: Proof, bounds: Bounds) -> str:
    """The run's figures as text."""
    lines = [f"{proof.name}  ({proof.seconds:.0f} s)"]
    lines.append(f"  {'rollout':14}{'SSIM':>8}{'mouth PSNR':>12}{'motion corr.':>14}  SSIM by clip")
    for kind, rolled in proof.rollouts.items():
        each = " ".join(f"{value:.3f}" for value in rolled.by_clip)
        lines.append(
            f"  {kind:14}{rolled.ssim:8.3f}{rolled.mouth_psnr:12.2f}{rolled.correlation:14.2f}"
            f"  {each}"
        )
    for stage, (before, after) in proof.losses.items():
        lines.append(f"  stage {stage} validation loss {before:.4f} -> {after:.4f}")
    for streams, (loss, rolled) in proof.streams.items():
        lines.append(
            f"  mta streams {streams:10} stage 3 loss {loss:.4f}, one rollout: SSIM "
            f"{rolled.ssim:.3f}, mouth PSNR {rolled.mouth_psnr:.2f}, motion corr. "
            f"{rolled.correlation:.2f}"
        )
    for name, (value, bound, holds) in proof.checks(bounds).items():
        sign = "<=" if "no tokens" in name and "corr" in name else ">="
        lines.append(f"  {'ok   ' if holds else 'SHORT'} {name}: {value:.3f} ({sign} {bound})")
    return "\n".join(lines)


def strip(proof: Proof, every: int = 3, zoom: int = 2) -> np.ndarray:
    """Rows of pictures: the real frames, then each rollout's."""
    rows = [proof.truth, *(proof.rollouts[k].frames for k in proof.rollouts)]
    drawn = [np.concatenate(list(row[::every]), axis=1) for row in rows]
    sheet = np.concatenate(drawn, axis=0)
    return cv2.resize(sheet, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_NEAREST)


def main() -> int:
    """Run both clips; 0 when every bound holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--shared", type=Path, default=Path(os.environ.get("TFW_SHARED", "../shared"))
    )
    parser.add_argument("--out", type=Path, default=Path("proof_out"))
    parser.add_argument("--clip", action="append", choices=sorted(BOUNDS))
    parser.add_argument("--set", action="append", default=[], dest="settings")
    parser.add_argument("--streams-on", default="", help="clip that compares the streams of R6")
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = preset("tiny").changed([*SETTINGS, *options.settings])
    good = True
    for name in options.clip or sorted(BOUNDS):
        path = options.shared / "media" / "clips" / f"{name}.mp4"
        if not path.is_file():
            print(f"Expected the clip {path}, found none; set TFW_SHARED.", file=sys.stderr)
            return 5
        streams = name == options.streams_on
        proof = prove(path, options.out / name, config, all_streams=streams)
        print(table(proof, BOUNDS[name]), flush=True)
        cv2.imwrite(str(options.out / f"{name}.png"), strip(proof)[:, :, ::-1])
        checks = proof.checks(BOUNDS[name])
        (options.out / f"{name}.json").write_text(json.dumps(checks, indent=1))
        good = good and all(holds for _, _, holds in checks.values())
    print(f"strips: {options.out}/*.png, rows: real, predicted, true tokens, no tokens, static")
    return 0 if good else 6


if __name__ == "__main__":
    sys.exit(main())
