"""Runs with real little videos: each frame's colour tells the clip, the method and the frame."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np

from talkingface_wild.benchmark.runs import BenchRun, read_run, write_run
from talkingface_wild.media.sound import write_wav
from tests.media.fixtures import clicks, even_times, write_video

FRAMES = 50
RATE = 25


def colour(method: int, clip: int, frame: int) -> tuple[int, int, int]:
    """Red for the method, green for the clip, blue for the time."""
    return 40 + 50 * method, 40 + 40 * clip, 20 + 4 * frame


def write_coloured(path: Path, method: int, clip: int, frames=FRAMES, sound=True, size=(64, 64)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pictures = (
        np.full((size[1], size[0], 3), colour(method, clip, frame), np.uint8)
        for frame in range(frames)
    )
    heard = clicks(frames / RATE, [0.5]) if sound else None
    write_video(path, even_times(Fraction(RATE), frames / RATE), pictures, heard)


def make_shown_run(folder: Path, method: int, model="file", clips=3, name=None, seeds=1, **changes):
    """Method 0 is the real one; its videos lie beside the run, and every run refers to them."""
    real = folder.parent / "real"
    for clip in range(clips):
        if not (real / f"c{clip}.mp4").exists():
            write_coloured(real / f"c{clip}.mp4", 0, clip)
            write_wav(real / f"c{clip}.wav", np.zeros(32000, np.int16) + 500 * clip, 16000)
    rows = []
    for seed in reversed(range(seeds)):
        for clip in range(clips):
            generated = ""
            if model == "file":
                path = folder / "out" / f"c{clip}-{seed}.mp4"
                write_coloured(path, method, clip, frames=FRAMES - 5 * seed, sound=False)
                generated = str(path)
            row = {
                "clip": f"c{clip}", "seed": seed, "language": "en", "group": f"p{clip}",
                "split": "test", "state": "scored", "reason": None, "detail": None,
                "frames": FRAMES - 5 * seed, "codec": "h264", "flags": "", "generated": generated,
                "candidate": model, "reference": str(real / f"c{clip}.mp4"),
                "sound": str(real / f"c{clip}.wav"), "mux_offset_ms": 0.0, "refused": "{}",
                "asked": json.dumps({"clip": {"id": f"c{clip}", "frames": 0, "crop": None}}),
            }  # fmt: skip
            rows.append(row | {key: value(clip) for key, value in changes.items()})
    run = BenchRun(folder, name or f"method {method}", model, "tfw-v1", "tiny", "0" * 8, clips, {})
    write_run(run, rows)
    return read_run(folder)
