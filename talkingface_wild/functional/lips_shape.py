"""The lips of a face mesh, and the sound around them, as rows of numbers for a small network.

Shape legend: T frames at 25 a second, 468 points of the mesh, L = 40 points of the lips, S steps of
the sound (100 a second, 4 a frame).
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats, Samples
from talkingface_wild.functional.face_region import OUTER_CORNERS
from talkingface_wild.functional.mfcc import mfcc

LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
)
"""MediaPipe's points of the lips: their outer outline, then the inner one."""
FRAMES = 5
"""Frames of a window: a fifth of a second, as SyncNet's."""
STEPS_PER_FRAME = 4
CEPSTRA = 13
LIPS_WIDTH = FRAMES * 4 * len(LIPS)
"""Places and changes, x and y, of every point in a window."""
SOUND_WIDTH = FRAMES * STEPS_PER_FRAME * CEPSTRA
CHANGE_SCALE = 5.0
"""Changes from frame to frame are about this much smaller than the places themselves."""


def lips_windows(points_T4683: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """The window around each frame, (T, 800): what the lips do, whatever the head does.

    Points are taken from their own middle, turned so that the eyes are level, and counted in
    distances between the eyes' outer corners. Windows that reach beyond the clip repeat its ends;
    frames without a face (NaN) make the windows that hold them NaN.
    """
    points = np.asarray(points_T4683, dtype=np.float64)
    eyes_T2 = points[:, OUTER_CORNERS[1], :2] - points[:, OUTER_CORNERS[0], :2]
    width_T = np.linalg.norm(eyes_T2, axis=1)
    cos, sin = (eyes_T2 / width_T[:, None]).T
    turn_T22 = np.stack([np.stack([cos, sin], axis=1), np.stack([-sin, cos], axis=1)], axis=1)
    lips_TL2 = points[:, LIPS, :2]
    lips_TL2 = lips_TL2 - lips_TL2.mean(axis=1, keepdims=True)
    level = np.einsum("tij,tlj->tli", turn_T22, lips_TL2) / width_T[:, None, None]
    places = level.reshape(len(points), -1)
    changes = np.diff(places, axis=0, prepend=places[:1]) * CHANGE_SCALE
    return _windows(np.concatenate([places, changes], axis=1)).astype(np.float32)


def sound_windows(samples: Samples, frames: int) -> npt.NDArray[np.float32]:
    """Cepstra of the sound around each of so many frames, (T, 260).

    ``samples`` are mono int16 at 16 kHz that begin with the first frame. What a window lacks at
    either end repeats the sound's first or last step.
    """
    return windows_of_steps(sound_steps(samples, frames))


def sound_steps(samples: Samples, frames: int) -> Floats:
    """Cepstra of the sound under each of so many frames, (4 x T, 13)."""
    steps_SC = mfcc(samples)
    return steps_SC[np.minimum(np.arange(frames * STEPS_PER_FRAME), len(steps_SC) - 1)]


def windows_of_steps(steps_SC: Floats) -> npt.NDArray[np.float32]:
    """The windows of cepstra that are known, (S, 13) to (S / 4, 260)."""
    per_frame = steps_SC.reshape(-1, STEPS_PER_FRAME * CEPSTRA)
    return _windows(per_frame).astype(np.float32)


def _windows(rows_TD: Floats) -> Floats:
    """Each row with those around it, (T, FRAMES x D)."""
    reach = FRAMES // 2
    around = np.clip(np.arange(len(rows_TD))[:, None] + np.arange(-reach, reach + 1), 0, None)
    around = np.minimum(around, len(rows_TD) - 1)
    windows: Floats = rows_TD[around].reshape(len(rows_TD), -1)
    return windows
