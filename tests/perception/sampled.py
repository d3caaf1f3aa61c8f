"""Pictures of real clips, taken a few times a second with PyAV."""

from pathlib import Path

import av
import numpy as np


def pictures(path: Path, rate: float, most: int | None = None) -> list[np.ndarray]:
    """RGB pictures at ``rate`` a second from the first one on, ``most`` of them."""
    taken, due = [], None
    with av.open(str(path)) as container:
        for frame in container.decode(container.streams.video[0]):
            due = frame.time if due is None else due
            if frame.time >= due - 1e-6:
                taken.append(frame.to_ndarray(format="rgb24"))
                due += 1 / rate
            if len(taken) == most:
                break
    return taken
