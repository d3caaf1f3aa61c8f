"""The way of a face through a driving video: what ``--landmarks VIDEO`` means.

Shapes: T frames, P landmarks, S side of the square; a box is x0, y0, x1, y1.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from talkingface_wild.core.errors import InputUnreadable
from talkingface_wild.core.generator import Poses
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.jobs.generate.portrait import face_detector
from talkingface_wild.media.geometry import Picture, Window, crop_padded, union_window

CHUNK = 64
"""Frames that are chunk at once."""


def follow_face(
    video: Path,
    count: int,
    fps: int,
    detector: str,
    warn: Callable[[str], None],
    device: str = "cpu",
) -> Poses:
    """The largest face of the first ``count`` frames of a video, at ``fps``.

    Frames without a face get what is between their neighbours. Raises InputUnreadable for what is
    no video or has no face.
    """
    boxes_T4, points_T52 = _track(video, count, fps, detector, device)
    frames = len(boxes_T4)
    if frames < count:
        warn(f"{video} has {frames} frames of the {count} asked for: then its last stays.")
    window = union_window([tuple(box) for box in boxes_T4])

    def pictures(side: int) -> Iterator[Any]:
        chunk = list[Picture]()
        for number, picture in enumerate(_pictures(video, frames, fps), start=1):
            chunk.append(crop_padded(picture, window, side))
            if len(chunk) == CHUNK or number == frames:
                yield np.stack(chunk)
                chunk = []

    return Poses(
        _within(boxes_T4.reshape(-1, 2, 2), window).reshape(-1, 4),
        None if points_T52 is None else _within(points_T52, window),
        pictures,
    )


def _track(video: Path, count: int, fps: int, detector: str, device: str) -> tuple[Any, Any | None]:
    """Boxes (T, 4) and points (T, 5, 2) of the largest face in each frame, gaps filled."""
    from talkingface_wild.functional.face_samples import observe

    _, finder = face_detector(detector, device)
    faces = [finder.detect(picture) for picture in _pictures(video, count, fps)]
    track = observe(faces, float(fps)).track
    if not track.present_T.any():
        raise InputUnreadable(
            f"Expected a face in the driving video {video}, found none; give another one, or "
            "leave --landmarks out."
        )
    points = track.points_T52
    boxes_T4 = _filled(track.boxes_T4, track.present_T)
    return boxes_T4, None if points is None else _filled(points, track.present_T)


def _filled(rows: Any, present_T: Any) -> Any:
    """Rows of frames without a face, in a line between their neighbours."""
    index, present = np.arange(len(rows)), np.flatnonzero(present_T)
    flat = rows.reshape(len(rows), -1)
    columns = [np.interp(index, present, column[present]) for column in flat.T]
    return np.stack(columns, axis=1).reshape(rows.shape).astype(np.float32)


def _within(places_TP2: Any, window: Window) -> Any:
    """Places in [0, 1] of the window."""
    corner = np.array([window.left, window.top], dtype=np.float32)
    return ((places_TP2 - corner) / window.side).astype(np.float32)


def _pictures(video: Path, count: int, fps: int) -> Iterator[Picture]:
    from talkingface_wild.media.decode import frames

    try:
        for frame, _ in zip(frames(video, fps=fps), range(count), strict=False):
            yield frame.rgb
    except (ItemRejected, ItemFailed) as error:
        raise InputUnreadable(
            f"Expected a driving video at {video}, found none that can be read "
            f"({error.outcome.detail}); give another one, or leave --landmarks out."
        ) from error
