"""How much of a video is black border, measured on its decoded pictures and on nothing else."""

from pathlib import Path

import numpy as np

from talkingface_wild.media.decode import frames

BLACK = 40


def border_share(path: Path, start: float | None = None, end: float | None = None) -> float:
    """Area of the lines at the four edges that are black in every picture, as a share; a line has
    light where a hundredth of its pixels ever exceeds ``BLACK``.
    """
    brightest = np.zeros((1, 1))
    for frame in frames(path, start=start, end=end, fps=5):
        brightest = np.maximum(brightest, frame.rgb.max(axis=2))
    lit = brightest > BLACK
    rows = np.flatnonzero(lit.mean(axis=1) > 0.01)
    columns = np.flatnonzero(lit.mean(axis=0) > 0.01)
    box = (rows[-1] - rows[0] + 1) * (columns[-1] - columns[0] + 1)
    return 1.0 - float(box) / lit.size
