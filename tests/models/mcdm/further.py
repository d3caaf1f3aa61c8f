"""Beyond the proof: several clips at once, and sound that training never heard.

The preset ``tiny`` learns the first three quarters of six real clips; the last quarter is made from
its first frame and its own sound, another speaker's sound, and no motion tokens. Run it by
``python -m tests.models.mcdm.further``; it takes about 12 minutes on one thread.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from pathlib import Path

import cv2
import numpy as np
import torch

from talkingface_wild.media.decode import frames as decoded
from talkingface_wild.media.sound import read_sound
from talkingface_wild.models.conditions.sound_features import sound_windows
from talkingface_wild.models.mcdm import MCDMParts, preset
from talkingface_wild.models.mcdm.rollout import Rollout
from talkingface_wild.models.mcdm.training.clip_features import CachedClip
from talkingface_wild.models.mcdm.training.encoder_tasks import run_encoders, take_tokens
from talkingface_wild.models.mcdm.training.predict_tokens import predict_tokens
from talkingface_wild.models.mcdm.training.stages import run_stage
from tests.models.mcdm.proof import FACE, MOUTH, SIDE, motion, ssim_of_frames

NAMES = ("hdtf_ocasio", "hdtf_hill", "synthetic_9", "synthetic_5", "synthetic_12", "synthetic_3")
LONGEST = 300
SETTINGS = (
    "training.stage1.iterations=1500",
    "training.stage2.iterations=1500",
    "training.stage3.iterations=1500",
    "training.stage3.rate=2e-3",
)
SEEDS = (0, 1, 2)


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Frames (T, 64, 64, 3) and sound of a clip, at most 12 s."""
    taken = []
    for frame in itertools.islice(decoded(path, fps=25), LONGEST):
        side = min(frame.rgb.shape[:2])
        top, left = ((size - side) // 2 for size in frame.rgb.shape[:2])
        square = frame.rgb[top : top + side, left : left + side]
        taken.append(cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    pictures = np.stack(taken)
    return pictures, read_sound(path, 0.0, len(pictures) / 25)


def crop(pictures: np.ndarray, part: tuple[slice, slice], side: int) -> torch.Tensor:
    """A part of every frame, (T, side, side, 3)."""
    cut = [cv2.resize(p[part], (side, side), interpolation=cv2.INTER_AREA) for p in pictures]
    return torch.from_numpy(np.stack(cut))


def main() -> int:
    """Train, roll out, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("proof_out/further"))
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    shared = Path(os.environ.get("TFW_SHARED", "../shared")) / "media" / "clips"
    parts = MCDMParts.build(preset("tiny").changed(SETTINGS))
    films = {name: read(shared / f"{name}.mp4") for name in NAMES}
    cuts = {name: 3 * len(pictures) // 4 // 8 * 8 for name, (pictures, _) in films.items()}
    parts.patch_codec.fit(
        torch.from_numpy(np.concatenate([films[n][0][: cuts[n] : 3] for n in NAMES]))
    )
    clips = {}
    for name, (pictures, sound) in films.items():
        shown = torch.from_numpy(pictures)
        latents = parts.codec.encode(shown)
        covered = pictures.copy()
        covered[:, MOUTH[0], MOUTH[1]] = 128
        cut = cuts[name]
        clips[name] = CachedClip(
            clip_id=name,
            latents_TCHW=latents[:cut],
            sound_TE=parts.sound_features.rows(sound, 0, len(pictures))[:cut],
            image_TE=parts.image_features.rows(shown, latents)[:cut],
            lips_TSSC=crop(pictures[:cut], MOUTH, 24),
            face_TSSC=crop(covered[:cut], FACE, 32),
            head_TSSC=crop(pictures[:cut], FACE, 32),
        )
    heard = {n: parts.sound_features.rows(s, 0, len(p)) for n, (p, s) in films.items()}
    train = list(clips.values())

    def show(progress: object) -> None:
        p = progress
        if p.iteration % 250 == 0:
            print(f"  {p.stage} {p.iteration}/{p.iterations} {p.loss:.4f}", file=sys.stderr)

    run_encoders(parts, train, options.out / "encoders", show)
    for clip in train:
        clip.tokens_TKW = take_tokens(parts, clip)
    for stage in ("1", "2", "3"):
        if stage == "3":
            predict_tokens(parts, train)
        done = run_stage(parts, stage, train, [], options.out / f"stage{stage}", show)
        print(f"stage {stage}: validation {done.before:.4f} -> {done.after:.4f}")
    parts.eval()
    parts.save(options.out / "model")
    rows = []
    print(f"{'clip':14}{'kind':16}{'SSIM':>7}{'motion corr.':>14}  (held-out last quarter)")
    for place, name in enumerate(NAMES):
        pictures, cut = films[name][0], cuts[name]
        count = min(6, (len(pictures) - cut) // 8)
        truth = pictures[cut : cut + 8 * count]
        other = NAMES[(place + 1) % len(NAMES)]
        made = {}
        for kind in ("own sound", "another's", "no tokens"):
            of = other if kind == "another's" else name
            runs = [
                roll(parts, pictures[cut], heard[of], cuts[of], count, kind != "no tokens", seed)
                for seed in SEEDS
            ]
            made[kind] = runs[0]
            ssim = np.mean([ssim_of_frames(run, truth).mean() for run in runs])
            corr = np.mean([np.corrcoef(motion(run), motion(truth))[0, 1] for run in runs])
            print(f"{name:14}{kind:16}{ssim:7.3f}{corr:14.2f}", flush=True)
        still = np.repeat(truth[:1], len(truth), axis=0)
        print(f"{name:14}{'static':16}{ssim_of_frames(still, truth).mean():7.3f}{0:14.2f}")
        for row in (truth, *made.values()):
            shown = row[: 8 * 3 : 2]
            rows.append(np.concatenate(list(shown), axis=1))
    sheet = np.concatenate([row[:, : 12 * SIDE] for row in rows], axis=0)
    cv2.imwrite(str(options.out / "strips.png"), sheet[:, :, ::-1])
    return 0


def roll(
    parts: object,
    first: np.ndarray,
    heard_TE: torch.Tensor,
    start: int,
    clips: int,
    present: bool,
    seed: int,
) -> np.ndarray:
    """``clips`` clips from a first frame, driven by sound from frame ``start`` on."""
    rollout = Rollout(parts)
    state = rollout.start(torch.from_numpy(first), seed)
    made = []
    present_config = parts.config.present
    for _ in range(clips):
        at = start + state.position - present_config.overlap
        sound = sound_windows(heard_TE, at, parts.prior_frames, present_config.audio_window)
        done = rollout.clip(state, sound, present=present)
        state = done.state
        made.append(done.frames_FHWC.numpy())
    return np.concatenate(made)


if __name__ == "__main__":
    sys.exit(main())
