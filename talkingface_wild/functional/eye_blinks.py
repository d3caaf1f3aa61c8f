"""How far eyes are open, by their outlines, and when they blink. Pure arithmetic: no networks.
Shape legend: N faces, 2 eyes, 71 points of an outline (the iris network's order), T frames.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from talkingface_wild.core.arrays import Floats
from talkingface_wild.functional.speech_share import runs

CORNERS = (0, 8)
"""Outer and inner corner in an outline."""
LIDS = ((11, 3), (13, 5))
"""Upper and lower lid, one pair nearer to each corner."""
REACH_SECONDS = 0.4
"""A blink takes .1 to .4 s (section 1): before and after its deepest frame the eye is open within
so long. Eyes that narrow in a smile, or stay shut, are not."""
SHUT_RATIO = 0.75
"""A lid is down below this part of the openness that it has both before and after."""
SHUT_OPENNESS = 0.25
"""And below this openness: eyes that were wide open come back to .3 without a blink."""
OPEN_OPENNESS = 0.15
"""Eyes that are no more open before and after than this are shut, and only seem to move."""
OPEN_RATIO = 0.8
"""Two dips are one blink while the eye doesn't open to this part between."""
LEAST_FRAMES = 2
"""A dip of one frame is noise."""


def eye_openness(outlines_N2_71_3: npt.NDArray[Any]) -> Floats:
    """The eye aspect ratio of each eye, (N, 2): about .3 when open, below .1 when shut.

    Mean distance of the lids over that of the corners, in the picture's plane (Soukupova and Cech,
    "Real-Time Eye Blink Detection using Facial Landmarks", CVWW 2016, equation 1). Eyes without
    extent give 0.
    """
    points = np.asarray(outlines_N2_71_3, dtype=np.float64)[..., :2]

    def apart(first: int, second: int) -> Floats:
        ends = points[..., first, :] - points[..., second, :]
        return np.asarray(np.linalg.norm(ends, axis=-1), dtype=np.float64)

    heights = sum((apart(*pair) for pair in LIDS), np.zeros(points.shape[:-2]))
    return np.asarray(heights / (2 * np.maximum(apart(*CORNERS), 1e-9)), dtype=np.float64)


def blinks(openness_T: npt.NDArray[Any], fps: float) -> Floats:
    """When the eyes were shut the most in each blink, in seconds from the first frame.

    ``openness_T`` is one number a frame, best the mean of both eyes as in the paper; NaN where no
    eye was seen. A blink is a fast dip that is seen from its beginning to its end: openness is
    compared with what it is within ``REACH_SECONDS`` before and after, as the paper's classifier
    looks at a window around each frame (section 2.2) and so adapts to a person's own eyes.
    """
    openness = np.asarray(openness_T, dtype=np.float64)
    level_T = _open_around(openness, max(1, round(REACH_SECONDS * fps)))
    level_T[level_T < OPEN_OPENNESS] = 0.0
    shut_T = openness < np.minimum(SHUT_RATIO * level_T, SHUT_OPENNESS)
    return np.array(
        [
            (start + int(np.argmin(openness[start:end]))) / fps
            for start, end in runs(openness < OPEN_RATIO * level_T)
            if end - start >= LEAST_FRAMES and shut_T[start:end].any()
        ],
        dtype=np.float64,
    )


def blinks_per_minute(openness_T: npt.NDArray[Any], fps: float) -> float | None:
    """Blinks over the time in which eyes were seen; None when they never were."""
    seconds = float(np.isfinite(openness_T).sum()) / fps
    return 60 * len(blinks(openness_T, fps)) / seconds if seconds > 0 else None


def _open_around(openness: Floats, reach: int) -> Floats:
    """The lesser of the widest openness in ``reach`` frames before and after each, (T,).

    0, below which nothing can be, where either side shows no eye.
    """
    seen = np.pad(np.where(np.isfinite(openness), openness, 0.0), reach)
    widest = np.lib.stride_tricks.sliding_window_view(seen, reach).max(axis=1, initial=0.0)
    return np.asarray(np.minimum(widest[: len(openness)], widest[reach + 1 :]), dtype=np.float64)
