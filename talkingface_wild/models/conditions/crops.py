"""Where lips, face and head are in a clip's frames, and the crops of them that encoders look at.

Shapes: T frames, H W pixels (uint8 RGB), S side of a crop, P landmarks; a window is x0, y0, x1, y1
in [0, 1] of the picture.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor
from torch.nn import functional

from talkingface_wild.models.training.training_clip import Floats, TrainingClip

MASK = 128
"""Grey level that covers the mouth where expression is read."""
SMOOTHED = 13
"""Frames of the median over time, half a second: a detector's slips go, the head's way stays."""
DEFAULT_LIPS = (18 / 64, 38 / 64, 46 / 64, 60 / 64)
DEFAULT_FACE = (8 / 64, 8 / 64, 56 / 64, 64 / 64)
"""Where they are in a square crop of a portrait; for want of a box."""
LIPS_IN_BOX, FACE_IN_BOX = 0.62, 1.1
"""Sides of the windows in widths and in longer sides of a face's box."""
MOUTH_DOWN_SQUARE, MOUTH_DOWN_TALL = 0.82, 0.76
"""How far down a box the mouth is: cascades give squares, networks boxes from brow to chin."""
TALL = 1.15
"""Height over width from which a box is tall."""
LIPS_IN_EYES, FACE_IN_EYES = 1.4, 3.0
"""The same sides in distances between the eyes."""
MOUTH_BELOW_EYES = 1.1
"""That distance below the eyes is the mouth in a face seen from before; it keeps its length where
the head turns and the eyes draw near."""
MOST_FOLD = 8

Source = Literal["points", "box", "default"]


@dataclass(frozen=True)
class CropWindows:
    """Windows of one clip. Past their last frame the last window holds."""

    lips_T4: Floats
    face_T4: Floats
    head_4: Floats
    """One window for the whole clip, so that where the head is stays in the crop."""
    source: Source
    """What they are made of."""

    def crops(self, frames_THWC: Tensor, first: int, sides: dict[str, int]) -> dict[str, Tensor]:
        """Lips, face (its mouth covered) and head, uint8 (T, S, S, 3), from frame ``first`` on.

        ``sides`` names them: ``lip``, ``expression``, ``head``.
        """
        count, picture = len(frames_THWC), frames_THWC.shape[1]
        index = np.arange(first, first + count).clip(max=len(self.lips_T4) - 1)
        lips_T4, face_T4 = (torch.from_numpy(w[index]) for w in (self.lips_T4, self.face_T4))
        head_T4 = torch.from_numpy(self.head_4).expand(count, 4)
        crops = {}
        for name, size, windows_T4, clip_windows in (
            ("lips", "lip", lips_T4, self.lips_T4),
            ("face", "expression", face_T4, self.face_T4),
            ("head", "head", head_T4, self.head_4),
        ):
            side = sides[size]
            crops[name] = cut(frames_THWC, windows_T4, side, _fold(clip_windows, picture, side))
        return crops | {"face": covered(crops["face"], face_T4, lips_T4)}


def crop_windows(clip: TrainingClip) -> CropWindows:
    """From the clip's landmarks, else its boxes, else where portraits usually have their mouth."""
    source: Source = "default"
    lips_T4, face_T4 = (np.array([w], dtype=np.float32) for w in (DEFAULT_LIPS, DEFAULT_FACE))
    if clip.points_TP2 is not None and len(clip.points_TP2):
        source, (lips_T4, face_T4) = "points", _from_points(five_points(clip.points_TP2))
    elif clip.face_boxes_T4 is not None and len(clip.face_boxes_T4):
        source, (lips_T4, face_T4) = "box", _from_boxes(clip.face_boxes_T4)
    return CropWindows(lips_T4, face_T4, _around(face_T4), source)


def five_points(points_TP2: Floats) -> Floats:
    """Eyes, nose and corners of the mouth (T, 5, 2) of five points or the 68 of iBUG 300-W."""
    if points_TP2.shape[1] == 5:
        return points_TP2
    if points_TP2.shape[1] != 68:
        raise ValueError(f"expected 5 or 68 landmarks, found {points_TP2.shape[1]}")
    eyes = [points_TP2[:, group].mean(axis=1) for group in (slice(36, 42), slice(42, 48))]
    return np.stack([*eyes, *(points_TP2[:, place] for place in (30, 48, 54))], axis=1)


def _from_points(points_T52: Floats) -> tuple[Floats, Floats]:
    eyes_T2, mouth_T2 = points_T52[:, :2].mean(axis=1), points_T52[:, 3:].mean(axis=1)
    apart_T = np.linalg.norm(points_T52[:, 0] - points_T52[:, 1], axis=1)
    below_T = np.linalg.norm(mouth_T2 - eyes_T2, axis=1)
    size_T = np.maximum(apart_T, below_T / MOUTH_BELOW_EYES)
    return (
        _windows(mouth_T2, LIPS_IN_EYES * size_T),
        _windows((eyes_T2 + mouth_T2) / 2, FACE_IN_EYES * size_T),
    )


def _from_boxes(boxes_T4: Floats) -> tuple[Floats, Floats]:
    low_T2, size_T2 = boxes_T4[:, :2], boxes_T4[:, 2:] - boxes_T4[:, :2]
    tall = np.median(size_T2[:, 1] / np.maximum(size_T2[:, 0], 1e-6)) > TALL
    down = MOUTH_DOWN_TALL if tall else MOUTH_DOWN_SQUARE
    mouth_T2 = low_T2 + size_T2 * np.array([0.5, down], np.float32)
    return (
        _windows(mouth_T2, LIPS_IN_BOX * size_T2[:, 0]),
        _windows(low_T2 + size_T2 / 2, FACE_IN_BOX * size_T2.max(axis=1)),
    )


def _windows(middle_T2: npt.NDArray[Any], side_T: npt.NDArray[Any]) -> Floats:
    """Squares (T, 4) around smoothed middles."""
    rows_T3 = np.concatenate([middle_T2, side_T[:, None]], axis=1)
    reach = SMOOTHED // 2
    padded = np.pad(rows_T3, ((reach, reach), (0, 0)), mode="edge")
    x, y, side = np.median(sliding_window_view(padded, SMOOTHED, axis=0), axis=-1).T
    corners = [x - side / 2, y - side / 2, x + side / 2, y + side / 2]
    return np.stack(corners, axis=1).astype(np.float32)


def _around(windows_T4: Floats) -> Floats:
    """The square around all windows of a clip."""
    low, high = windows_T4[:, :2].min(axis=0), windows_T4[:, 2:].max(axis=0)
    if len(windows_T4) == 1:
        return windows_T4[0]
    middle, half = (low + high) / 2, (high - low).max() / 2
    return np.concatenate([middle - half, middle + half]).astype(np.float32)


def _fold(windows_T4: Floats, picture: int, side: int) -> int:
    """Samples across that make one pixel, the same for a whole clip whatever its chunks are."""
    windows = windows_T4.reshape(-1, 4)
    widest = float((windows[:, 2:] - windows[:, :2]).max()) * picture
    return max(1, min(MOST_FOLD, math.ceil(widest / side)))


def cut(frames_THWC: Tensor, windows_T4: Tensor, side: int, fold: int) -> Tensor:
    """Windows of the frames as uint8 (T, S, S, 3): between pixels, averaged where they shrink.

    Beyond the picture its edge goes on.
    """
    windows = windows_T4.to(frames_THWC.device)
    steps = (torch.arange(side * fold, device=windows.device) + 0.5) / (side * fold)
    across_TS = windows[:, 0:1] + (windows[:, 2:3] - windows[:, 0:1]) * steps
    down_TS = windows[:, 1:2] + (windows[:, 3:4] - windows[:, 1:2]) * steps
    shape = (len(windows), len(steps), len(steps))
    grid = torch.stack(
        [across_TS[:, None, :].expand(shape), down_TS[:, :, None].expand(shape)], dim=-1
    )
    pixels = frames_THWC.movedim(-1, 1).float()
    sampled = functional.grid_sample(
        pixels, 2 * grid - 1, mode="bilinear", padding_mode="border", align_corners=False
    )
    averaged = functional.avg_pool2d(sampled, fold)
    return averaged.round().clamp(0, 255).to(torch.uint8).movedim(1, -1)


def covered(face_TSSC: Tensor, face_T4: Tensor, lips_T4: Tensor) -> Tensor:
    """Face crops whose pixels inside the lips' window are grey."""
    side = face_TSSC.shape[1]
    steps = (torch.arange(side) + 0.5) / side

    def inside(axis: int) -> Tensor:
        low, high = face_T4[:, axis, None], face_T4[:, axis + 2, None]
        place = low + (high - low) * steps
        return (place >= lips_T4[:, axis, None]) & (place <= lips_T4[:, axis + 2, None])

    mouth_TSS = (inside(1)[:, :, None] & inside(0)[:, None, :]).to(face_TSSC.device)
    return face_TSSC.masked_fill(mouth_TSS[..., None], MASK)
