"""The motion memory frame by frame, from section 3.4 of the paper (equations 4 and 5)."""

import numpy as np


def motion_memory(archived, alpha, before=None):
    """M_1 .. M_f of F_ac^ref (frames, ...), frame after frame.

    ``before`` is the last memory of the clip before, if there is one; then no frame is the first.
    """
    memory = []
    for feature in archived:
        before = feature if before is None else alpha * before + (1 - alpha) * feature
        memory.append(before)
    return np.stack(memory)


def motion_memory_beside(archived, alpha, before):
    """The other reading: each frame goes on from the same frame's memory of the clip before."""
    pairs = zip(before, archived, strict=True)
    return np.stack([alpha * old + (1 - alpha) * new for old, new in pairs])
