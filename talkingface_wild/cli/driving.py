"""The head's way in a driving video, as head tokens of a model: what ``--landmarks VIDEO`` means.

Shapes: T frames, P landmarks, S side of a crop, K W head tokens; a box is x0, y0, x1, y1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from talkingface_wild.cli.portrait import face_detector
from talkingface_wild.core.errors import InputUnreadable, WeightMissing
from talkingface_wild.core.outcome import ItemFailed, ItemRejected
from talkingface_wild.media.geometry import Picture, Window, crop_padded, union_window

if TYPE_CHECKING:
    from torch import Tensor

    from talkingface_wild.models.mcdm import MCDMPipeline

CHUNK = 64
"""Frames that are held at once."""


def driving_head(
    pipeline: MCDMPipeline,
    video: Path,
    count: int,
    detector: str,
    warn: Callable[[str], None],
    device: str = "cpu",
) -> Tensor:
    """Head tokens (T, K, W) of the first ``count`` frames of a video, at the model's rate.

    Frames without a face get what is between their neighbours. Raises InputUnreadable for what is
    no video or has no face, WeightMissing where the model is made for landmarks and no detector
    that gives them is at hand.
    """
    config = pipeline.parts.config
    boxes_T4, points_T52 = _followed(video, count, config.picture.fps, detector, device)
    if len(boxes_T4) < count:
        warn(f"{video} has {len(boxes_T4)} frames of the {count} asked for: then its last stays.")
    window = union_window([tuple(box) for box in boxes_T4])
    if config.present.head == "landmarks":
        if points_T52 is None:
            raise WeightMissing(
                "Expected a face detector that gives landmarks, found the Haar cascades; get one "
                "with 'tfw weights fetch scrfd_2.5g', or leave --landmarks out."
            )
        return pipeline.head_tokens(_within(points_T52, window))
    return pipeline.head_tokens(_head_crops(pipeline, video, boxes_T4, points_T52, window))


def _head_crops(
    pipeline: MCDMPipeline, video: Path, boxes_T4: Any, points_T52: Any, window: Window
) -> Any:
    """Crops (T, S, S, 3) of the head, cut as training cuts them."""
    import torch

    from talkingface_wild.models.conditions.crops import crop_windows
    from talkingface_wild.models.mcdm.networks import crop_sides
    from talkingface_wild.models.training.training_clip import TrainingClip

    config = pipeline.parts.config
    clip = TrainingClip(
        "driving",
        lambda: iter(()),
        lambda: np.zeros(0, np.int16),
        face_boxes_T4=_within(boxes_T4.reshape(-1, 2, 2), window).reshape(-1, 4),
        points_TP2=None if points_T52 is None else _within(points_T52, window),
    )
    windows, sides = crop_windows(clip), crop_sides(config)
    crops, held, first = [], list[Picture](), 0
    pictures = _pictures(video, len(boxes_T4), config.picture.fps)
    for number, picture in enumerate(pictures, start=1):
        held.append(crop_padded(picture, window, config.picture.side))
        if len(held) == CHUNK or number == len(boxes_T4):
            frames = torch.from_numpy(np.stack(held))
            crops.append(windows.crops(frames, first, sides)["head"])
            first, held = number, []
    return torch.cat(crops)


def _followed(
    video: Path, count: int, fps: int, detector: str, device: str
) -> tuple[Any, Any | None]:
    """Boxes (T, 4) and points (T, 5, 2) of the largest face in each frame, gaps filled."""
    from talkingface_wild.functional.face_samples import observe

    _, finder = face_detector(detector, device)
    found = [finder.detect(picture) for picture in _pictures(video, count, fps)]
    track = observe(found, float(fps)).track
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
    index, known = np.arange(len(rows)), np.flatnonzero(present_T)
    flat = rows.reshape(len(rows), -1)
    columns = [np.interp(index, known, column[known]) for column in flat.T]
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
