"""Does a mouth follow its sound? ``python -m tests.models.mcdm.follows VIDEO SOUND [more videos]``.

Prints, for shifts of -3 to 3 frames, the correlation of the mouth's chief motion (the first
principal component of its pixels, rows 40-56 and columns 20-44 of 64) with the logarithm of the
sound's loudness in each frame. A mouth that follows has its greatest value at shift 0.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from talkingface_wild.media.decode import frames as decoded
from talkingface_wild.media.sound import read_sound

PART = (slice(40, 56), slice(20, 44))


def mouth_motion(path: Path) -> np.ndarray:
    """(T,) the first principal component of the mouth's pixels."""
    grey = [
        cv2.cvtColor(cv2.resize(f.rgb, (64, 64), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
        for f in decoded(path, fps=25)
    ]
    pixels = np.stack(grey)[:, PART[0], PART[1]].reshape(len(grey), -1).astype(np.float64)
    return np.linalg.svd(pixels - pixels.mean(axis=0), full_matrices=False)[0][:, 0]


def loudness(path: Path, frames: int) -> np.ndarray:
    """(T,) logarithm of the root mean square of each frame's sound."""
    sound = read_sound(path, 0.0, frames / 25).astype(np.float64).reshape(frames, -1)
    return np.log(np.sqrt(np.square(sound).mean(axis=1)) + 50)


def main() -> None:
    """Print a line for each video."""
    sound, *videos = Path(sys.argv[2]), Path(sys.argv[1]), *map(Path, sys.argv[3:])
    for video in videos:
        motion = mouth_motion(video)
        heard = loudness(sound, len(motion))
        values = [abs(np.corrcoef(np.roll(motion, s), heard)[0, 1]) for s in range(-3, 4)]
        print(video, " ".join(f"{value:.2f}" for value in values))


if __name__ == "__main__":
    main()
